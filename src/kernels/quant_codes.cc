#include "kernels/quant_codes.h"

#include "base/check.h"

namespace aio {
namespace {

uint8_t Byte(const std::byte* data, int i) { return std::to_integer<uint8_t>(data[i]); }

}  // namespace

void UnpackCodes(WeightType type, const std::byte* block, uint8_t* codes) {
  AIO_CHECK(IsQuantized(type), "not a quantised type");
  if (type == WeightType::kQ8_0) {
    for (int i = 0; i < 32; ++i) codes[i] = Byte(block, 2 + i) ^ 0x80;
    return;
  }
  const int high_mask = (1 << HighBitsOf(type)) - 1;
  for (int column = 0; column < BlockOf(type).values; column += 16) {
    const CodePlaces at = CodePlacesOf(type, column);
    for (int i = 0; i < 16; ++i) {
      const int low = Byte(block, at.low + i) >> at.low_shift & 15;
      const int high = Byte(block, at.high + i) >> at.high_shift & high_mask;
      codes[column + i] = static_cast<uint8_t>(low | high << 4);
    }
  }
}

SixBitPair UnpackSixBits(const std::byte* b, int j) {
  const auto at = [&](int i) { return Byte(b, i); };
  if (j < 4) {
    return {static_cast<uint8_t>(at(j) & 63), static_cast<uint8_t>(at(j + 4) & 63)};
  }
  return {static_cast<uint8_t>((at(j + 4) & 15) | (at(j - 4) >> 6) << 4),
          static_cast<uint8_t>(at(j + 4) >> 4 | (at(j) >> 6) << 4)};
}

}  // namespace aio
