#ifndef AIO_BASE_HEX_H_
#define AIO_BASE_HEX_H_

#include <cstdint>
#include <span>
#include <string>

namespace aio {

// Lower-case hexadecimal.
std::string ToHex(std::span<const uint8_t> bytes);

}  // namespace aio

#endif  // AIO_BASE_HEX_H_
