// SIMD maths on plain memory, one generic body each (Highway), the instruction set chosen
// once at start. `AIO_TARGET=scalar|avx2|avx512|...` forces one.
//
// Exactness contract: every output value has one fixed order of accumulation that depends
// on the shape of its own row alone, never on how many rows or threads share the call.
#ifndef AIO_KERNELS_KERNELS_H_
#define AIO_KERNELS_KERNELS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/thread_pool.h"

namespace aio {

// Encodings of a weight matrix. The GGUF numbers are formats/gguf.h's business.
enum class WeightType { kF32, kF16, kBF16, kQ8_0 };

// A weight matrix as stored: `rows` rows of `columns` values, row-major, each row encoded
// on its own (Q8_0: blocks of 32 values, an F16 scale then 32 int8; columns % 32 == 0).
// A view; does not own.
struct Matrix {
  const std::byte* data = nullptr;
  WeightType type = WeightType::kF32;
  int rows = 0;
  int columns = 0;

  bool empty() const { return data == nullptr; }
  size_t row_bytes() const;
  size_t bytes() const { return row_bytes() * static_cast<size_t>(rows); }
};

}  // namespace aio

#endif  // AIO_KERNELS_KERNELS_H_
