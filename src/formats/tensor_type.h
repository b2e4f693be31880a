// How the elements of a tensor are encoded: the types of GGUF files (ggml_type).
#ifndef AIO_FORMATS_TENSOR_TYPE_H_
#define AIO_FORMATS_TENSOR_TYPE_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace aio {

// The numbers are GGUF's (ggml_type). Types we only name cannot be loaded by a model;
// TensorTypeName() still says what they are.
enum class TensorType : uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ4_0 = 2,
  kQ8_0 = 8,
  kQ4_K = 12,
  kQ5_K = 13,
  kQ6_K = 14,
  kBF16 = 30,
};

// A type's elements are encoded in blocks of `elements` that take `bytes` each.
struct TensorBlock {
  uint32_t elements;
  uint32_t bytes;
};

// "F16", "Q4_K", ...; "type 99" style for unknown. Never dangles.
std::string_view TensorTypeName(uint32_t type);
bool IsRunnableTensorType(uint32_t type);  // one of the enumerators above
// Absent for unknown types and for those that ggml has withdrawn.
std::optional<TensorBlock> FindTensorBlock(uint32_t type);
// Encoded size of a whole tensor. Absent if the block is unknown, `elements` is not a
// whole number of blocks or the size does not fit.
std::optional<uint64_t> TensorBytes(uint32_t type, uint64_t elements);

}  // namespace aio

#endif  // AIO_FORMATS_TENSOR_TYPE_H_
