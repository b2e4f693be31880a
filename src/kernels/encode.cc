// Encoding of rows: offline work, so plain C++ and the same bits on every machine.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "kernels/half.h"
#include "kernels/kernels.h"

namespace aio {
namespace {

template <typename Convert>
void EncodeHalves(std::span<const float> values, Convert convert, std::byte* out) {
  for (const float value : values) {
    const uint16_t half = convert(value);
    std::memcpy(out, &half, sizeof(half));
    out += sizeof(half);
  }
}

void EncodeQ8Block(std::span<const float> values, std::byte* out) {
  float largest = 0.0f;
  for (const float value : values) largest = std::max(largest, std::abs(value));
  // Quantised with the scale as it will be decoded, not as it was before rounding.
  const uint16_t scale_bits = F32ToF16(largest / 127.0f);
  const float scale = F16ToF32(scale_bits);
  std::memcpy(out, &scale_bits, sizeof(scale_bits));
  for (size_t i = 0; i < values.size(); ++i) {
    const float quotient = scale > 0.0f ? values[i] / scale : 0.0f;
    const float clamped = std::clamp(std::nearbyint(quotient), -127.0f, 127.0f);
    out[sizeof(scale_bits) + i] = static_cast<std::byte>(static_cast<int8_t>(clamped));
  }
}

}  // namespace

void EncodeRow(std::span<const float> values, WeightType type, std::byte* out) {
  switch (type) {
    case WeightType::kF32:
      std::memcpy(out, values.data(), values.size_bytes());
      return;
    case WeightType::kF16:
      return EncodeHalves(values, F32ToF16, out);
    case WeightType::kBF16:
      return EncodeHalves(values, F32ToBf16, out);
    case WeightType::kQ8_0:
      AIO_CHECK(values.size() % kQ8BlockValues == 0);
      for (size_t i = 0; i < values.size(); i += kQ8BlockValues) {
        EncodeQ8Block(values.subspan(i, kQ8BlockValues), out);
        out += kQ8BlockBytes;
      }
      return;
  }
}

}  // namespace aio
