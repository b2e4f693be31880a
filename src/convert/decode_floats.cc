#include "convert/decode_floats.h"

#include <bit>
#include <cstdint>
#include <cstring>

#include "kernels/half.h"

namespace aio {
namespace {

// As F16ToF32(), but without branches: compilers make vectors of it. The exponent is moved
// into place and the bias put right by a multiplication, which is exact and makes subnormal
// halves normal floats; infinities and NaN keep their exponent of ones.
float HalfToFloat(uint32_t half) {
  const uint32_t magnitude = (half & 0x7fff) << 13;
  const uint32_t special = (half & 0x7c00) == 0x7c00 ? 0x7f800000 : 0;
  const float scaled = std::bit_cast<float>(magnitude) * 0x1p112f;
  const uint32_t bits = std::bit_cast<uint32_t>(scaled) | special | (half & 0x8000) << 16;
  return std::bit_cast<float>(bits);
}

// The inner loop has a fixed length for the compiler's sake.
template <typename Convert>
void DecodeHalves(const std::byte* stored, Convert convert, std::span<float> out) {
  constexpr size_t kStep = 16;
  size_t i = 0;
  for (; i + kStep <= out.size(); i += kStep) {
    uint16_t halves[kStep];
    std::memcpy(halves, stored + 2 * i, sizeof(halves));
    for (size_t j = 0; j < kStep; ++j) out[i + j] = convert(halves[j]);
  }
  for (; i < out.size(); ++i) {
    uint16_t half;
    std::memcpy(&half, stored + 2 * i, sizeof(half));
    out[i] = convert(half);
  }
}

}  // namespace

void DecodeFloats(std::span<const std::byte> stored, WeightType type, std::span<float> out,
                  std::vector<std::byte>& scratch) {
  switch (type) {
    case WeightType::kF32:
      std::memcpy(out.data(), stored.data(), stored.size());
      return;
    case WeightType::kF16:
      return DecodeHalves(stored.data(), HalfToFloat, out);
    case WeightType::kBF16:
      return DecodeHalves(stored.data(), Bf16ToF32, out);
    default:
      break;
  }
  scratch.assign(stored.begin(), stored.end());  // where it is aligned
  DecodeRow({scratch.data(), type, 1, static_cast<int>(out.size())}, 0, out);
}

}  // namespace aio
