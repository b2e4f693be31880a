// How much memory the machine can still give.
#ifndef AIO_APP_SYSTEM_MEMORY_H_
#define AIO_APP_SYSTEM_MEMORY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace aio {

// Bytes that can be taken without swapping: the smaller of the kernel's MemAvailable and
// what is left under the cgroup's limit.
Result<int64_t> AvailableMemoryBytes();

// What is left under the limit of the version-2 cgroup in `folder`, or nothing when there is no
// limit. Files that the kernel keeps in memory while there is room do not count as used: they
// give way, and the models' own files are often among them.
std::optional<int64_t> CgroupHeadroomBytes(const std::string& folder);

// The number after "MemAvailable:" in the text of /proc/meminfo, in bytes.
Result<int64_t> ParseMemAvailable(std::string_view meminfo);

// kResourceExhausted with both figures when `needed` exceeds `available`.
Status CheckFits(int64_t needed_bytes, int64_t available_bytes, std::string_view what);

// "1.50 GB", "412 MB", "17 kB" (powers of 1000, as bandwidths are quoted).
std::string FormatBytes(int64_t bytes);

}  // namespace aio

#endif  // AIO_APP_SYSTEM_MEMORY_H_
