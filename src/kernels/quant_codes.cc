#include "kernels/quant_codes.h"

#include "base/check.h"

namespace aio {
namespace {

uint8_t Byte(const std::byte* data, int i) { return std::to_integer<uint8_t>(data[i]); }

// 64 codes: the low nibbles of 32 bytes, then their high nibbles.
void UnpackNibbles(const std::byte* bytes, int count, uint8_t* codes) {
  for (int i = 0; i < count; ++i) {
    codes[i] = Byte(bytes, i) & 15;
    codes[i + count] = Byte(bytes, i) >> 4;
  }
}

// Offsets of the parts of a block.
constexpr int kQ4KNibbles = 16;  // after d, dmin and twelve bytes of scales
constexpr int kQ5KHighBits = 16;
constexpr int kQ5KNibbles = 48;

void UnpackQ5K(const std::byte* block, uint8_t* codes) {
  for (int pair = 0; pair < 4; ++pair) {
    UnpackNibbles(block + kQ5KNibbles + 32 * pair, 32, codes + 64 * pair);
  }
  for (int run = 0; run < 8; ++run) {
    for (int i = 0; i < 32; ++i) {
      codes[32 * run + i] |= static_cast<uint8_t>((Byte(block, kQ5KHighBits + i) >> run & 1) << 4);
    }
  }
}

void UnpackQ6K(const std::byte* block, uint8_t* codes) {
  for (int half = 0; half < 2; ++half) {
    const std::byte* low = block + 64 * half;
    const std::byte* high = block + 128 + 32 * half;
    uint8_t* out = codes + 128 * half;
    UnpackNibbles(low, 64, out);
    for (int quarter = 0; quarter < 4; ++quarter) {
      for (int i = 0; i < 32; ++i) {
        out[32 * quarter + i] |= static_cast<uint8_t>((Byte(high, i) >> (2 * quarter) & 3) << 4);
      }
    }
  }
}

}  // namespace

void UnpackCodes(WeightType type, const std::byte* block, uint8_t* codes) {
  switch (type) {
    case WeightType::kQ8_0:
      for (int i = 0; i < 32; ++i) codes[i] = Byte(block, 2 + i) ^ 0x80;
      return;
    case WeightType::kQ4_0:
      return UnpackNibbles(block + 2, 16, codes);
    case WeightType::kQ4_K:
      for (int pair = 0; pair < 4; ++pair) {
        UnpackNibbles(block + kQ4KNibbles + 32 * pair, 32, codes + 64 * pair);
      }
      return;
    case WeightType::kQ5_K:
      return UnpackQ5K(block, codes);
    case WeightType::kQ6_K:
      return UnpackQ6K(block, codes);
    case WeightType::kF32:
    case WeightType::kF16:
    case WeightType::kBF16:
      break;
  }
  AIO_CHECK(false, "not a quantised type");
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
