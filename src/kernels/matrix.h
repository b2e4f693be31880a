// Weight matrices as they are stored in files: row-major, each row encoded on its own.
#ifndef AIO_KERNELS_MATRIX_H_
#define AIO_KERNELS_MATRIX_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace aio {

// Encodings of a weight. The GGUF numbers are formats/tensor_type.h's business.
enum class WeightType { kF32, kF16, kBF16, kQ8_0, kQ4_0, kQ4_K, kQ5_K, kQ6_K };

inline constexpr WeightType kAllWeightTypes[] = {
    WeightType::kF32,  WeightType::kF16,  WeightType::kBF16, WeightType::kQ8_0,
    WeightType::kQ4_0, WeightType::kQ4_K, WeightType::kQ5_K, WeightType::kQ6_K};

// A row is whole blocks of `values` weights that take `bytes` each.
struct WeightBlock {
  int values = 0;
  int bytes = 0;
};
constexpr WeightBlock BlockOf(WeightType type) {
  switch (type) {
    case WeightType::kF32:
      return {1, 4};
    case WeightType::kF16:
    case WeightType::kBF16:
      return {1, 2};
    case WeightType::kQ8_0:
      return {32, 34};
    case WeightType::kQ4_0:
      return {32, 18};
    case WeightType::kQ4_K:
      return {256, 144};
    case WeightType::kQ5_K:
      return {256, 176};
    case WeightType::kQ6_K:
      return {256, 210};
  }
  return {};
}
// Integers with shared scales, rather than floats.
constexpr bool IsQuantized(WeightType type) { return BlockOf(type).values > 1; }
std::string_view WeightTypeName(WeightType type);                     // "F16", "Q4_K"
std::optional<WeightType> WeightTypeFromName(std::string_view name);  // either case
std::vector<std::string_view> WeightTypeNames();

// `rows` rows of `columns` weights. A view; does not own. `data` has the alignment of its
// elements (4 for F32, else 2) and may have no more.
struct Matrix {
  const std::byte* data = nullptr;
  WeightType type = WeightType::kF32;
  int rows = 0;
  int columns = 0;  // whole blocks

  bool empty() const { return data == nullptr; }
  size_t row_bytes() const {
    const WeightBlock block = BlockOf(type);
    return static_cast<size_t>(columns / block.values) * static_cast<size_t>(block.bytes);
  }
  size_t bytes() const { return row_bytes() * static_cast<size_t>(rows); }
  const std::byte* row(int r) const { return data + static_cast<size_t>(r) * row_bytes(); }
};

// out[k] = weights[row, k] as F32: the embedding look-up. `out` is [weights.columns].
// Exact for the float types and Q8_0; a rounding or two of the product for the others.
void DecodeRow(const Matrix& weights, int row, std::span<float> out);

// Encodes `values` (whole blocks) as a row of `type`: what `aio quantize` and tests write.
// Floats to nearest even, with `out` of Matrix::row_bytes(). Quantised types: see
// encode.cc for how the scales are chosen.
void EncodeRow(std::span<const float> values, WeightType type, std::byte* out);

}  // namespace aio

#endif  // AIO_KERNELS_MATRIX_H_
