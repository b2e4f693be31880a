// Small files that only their owner may read.
#ifndef AIO_ACCESS_PRIVATE_FILE_H_
#define AIO_ACCESS_PRIVATE_FILE_H_

#include <functional>
#include <string>

#include "base/status.h"

namespace aio {

// The text of `path`, of at most 1 MiB. Refused if anybody but the owner can read or write it, or
// if it is not a plain file. kNotFound if there is none.
Result<std::string> ReadPrivateFile(const std::string& path);

// Replaces the text by what `edit` makes of it; of a file that is not there, of "". Its mode is
// 0600 then. Readers see the old text or the new; after a failure, also of `edit`, the old. Edits
// of several processes wait for each other.
Status EditPrivateFile(const std::string& path, const std::function<Status(std::string&)>& edit);

}  // namespace aio

#endif  // AIO_ACCESS_PRIVATE_FILE_H_
