// Stored weights as floats, fast enough to keep up with a disk.
#ifndef AIO_CONVERT_DECODE_FLOATS_H_
#define AIO_CONVERT_DECODE_FLOATS_H_

#include <cstddef>
#include <span>
#include <vector>

#include "kernels/matrix.h"

namespace aio {

// `stored` is one row of `out.size()` weights (whole blocks) of `type`, at any address. Exact
// for floats. `scratch` is memory to use.
void DecodeFloats(std::span<const std::byte> stored, WeightType type, std::span<float> out,
                  std::vector<std::byte>& scratch);

}  // namespace aio

#endif  // AIO_CONVERT_DECODE_FLOATS_H_
