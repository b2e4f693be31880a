// Numbers that nobody can guess, from the system's own source.
#ifndef AIO_BASE_RANDOM_BITS_H_
#define AIO_BASE_RANDOM_BITS_H_

#include <cstdint>

namespace aio {

// All 64 bits at random. Thread-safe; mostly without a system call. (std::random_device asks the
// processor, which in a virtual machine can take as long as all else that a short request needs.)
uint64_t RandomBits();

}  // namespace aio

#endif  // AIO_BASE_RANDOM_BITS_H_
