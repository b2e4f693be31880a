// How many files and connections a program may have open.
#ifndef AIO_BASE_OPEN_FILES_H_
#define AIO_BASE_OPEN_FILES_H_

#include <cstdint>

namespace aio {

// Lets this program open as many as the system would give it at all (a shell's own limit is often
// 1024); returns how many that is.
int64_t RaiseOpenFilesLimit();

}  // namespace aio

#endif  // AIO_BASE_OPEN_FILES_H_
