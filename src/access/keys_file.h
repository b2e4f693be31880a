// The file of API keys: versioned TOML, strict (unknown keys are errors).
//
//   version = 1
//   [[key]]
//   name = "alice"
//   sha256 = "64 hexadecimal digits"     # of the key; the key itself stands nowhere
//   models = ["auto*", "pocket-small"]   # see AllowsModel(); absent: all
//   requests_per_minute = 60             # these three absent or 0: no limit
//   tokens_per_minute = 100000
//   tokens_per_day = 1000000
//   priority = 0                         # the best that its requests may have; lower is earlier
//   is_admin = false
#ifndef AIO_ACCESS_KEYS_FILE_H_
#define AIO_ACCESS_KEYS_FILE_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "access/api_key.h"
#include "base/status.h"

namespace aio {

inline constexpr int kKeysMax = 4096;

// `source` begins every message. Names and hashes are unique.
Result<std::vector<ApiKey>> ParseKeysFile(std::string_view toml, const std::string& source);

// What ParseKeysFile() reads.
std::string FormatKeysFile(const std::vector<ApiKey>& keys);

// Refuses a file that others than its owner can read (chmod 600): it says who has keys, and a
// writer could add one. kNotFound if there is none.
Result<std::vector<ApiKey>> ReadKeysFile(const std::string& path);

// Changes the file's keys by `edit`, or makes the file. Atomic: readers see the old file or the
// new, a failure leaves the old, and two edits at once come one after the other. Comments in the
// file are not kept. The fault of `edit` is returned and changes nothing.
Status EditKeysFile(const std::string& path,
                    const std::function<Status(std::vector<ApiKey>&)>& edit);

}  // namespace aio

#endif  // AIO_ACCESS_KEYS_FILE_H_
