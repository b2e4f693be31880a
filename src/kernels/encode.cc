// Encoding of rows: the same bits on every machine.
//
// Floats round to nearest even. Of the quantised types:
//   Q8_0        the largest magnitude of 32 becomes 127
//   Q4_0        the largest magnitude of 32 becomes -8, whatever its sign
//   Q4_K, Q5_K  scale and offset of every 32 by least squares over several starts, then the
//               block's two halves by least squares over the codes
//   Q6_K        scale of every 16 by least squares over several starts
// (the last three in encode_runs.cc). Scales are rounded first, as they will be decoded, and
// codes chosen with the rounded ones. Every weight counts the same.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "kernels/encode_runs.h"
#include "kernels/half.h"
#include "kernels/matrix.h"

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

// Writes `value` as a half and returns what it will be read as.
float PutHalf(float value, std::byte* out) {
  const uint16_t bits = F32ToF16(value);
  std::memcpy(out, &bits, sizeof(bits));
  return F16ToF32(bits);
}

// The nearest of 0..most to `value`.
uint8_t ToCode(float value, int most) {
  return static_cast<uint8_t>(std::clamp(std::nearbyint(value), 0.0f, static_cast<float>(most)));
}

// The value of largest magnitude, with its sign.
float Extreme(std::span<const float> values) {
  float extreme = 0.0f;
  for (const float value : values) {
    if (std::abs(value) > std::abs(extreme)) extreme = value;
  }
  return extreme;
}

float Reciprocal(float scale) { return scale != 0.0f ? 1.0f / scale : 0.0f; }

// Two runs of `count` codes in the low and high nibbles of `count` bytes.
void PutNibbles(const uint8_t* codes, int count, std::byte* out) {
  for (int i = 0; i < count; ++i) {
    out[i] = static_cast<std::byte>((codes[i] & 15) | (codes[i + count] & 15) << 4);
  }
}

void EncodeQ4Block(std::span<const float> values, std::byte* out) {
  const float inverse = Reciprocal(PutHalf(Extreme(values) / -8.0f, out));
  uint8_t codes[32];
  for (size_t i = 0; i < values.size(); ++i) codes[i] = ToCode(values[i] * inverse + 8.0f, 15);
  PutNibbles(codes, 16, out + 2);
}

void PutSixBits(const uint8_t (&scales)[8], const uint8_t (&offsets)[8], std::byte* out) {
  uint8_t bytes[12] = {};
  for (int j = 0; j < 4; ++j) {
    bytes[j] = static_cast<uint8_t>(scales[j] | (scales[j + 4] >> 4) << 6);
    bytes[j + 4] = static_cast<uint8_t>(offsets[j] | (offsets[j + 4] >> 4) << 6);
    bytes[j + 8] = static_cast<uint8_t>((scales[j + 4] & 15) | (offsets[j + 4] & 15) << 4);
  }
  std::memcpy(out, bytes, sizeof(bytes));
}

// The 16 bytes before the codes of Q4_K and Q5_K.
void PutSixBitHead(const SixBitBlock& block, std::byte* out) {
  std::memcpy(out, &block.d, sizeof(block.d));
  std::memcpy(out + 2, &block.dmin, sizeof(block.dmin));
  PutSixBits(block.scales, block.offsets, out + 4);
}

void EncodeQ4KBlock(std::span<const float> values, std::byte* out) {
  SixBitBlock block;
  EncodeSixBitRuns(values.data(), 15, block);
  PutSixBitHead(block, out);
  for (int pair = 0; pair < 4; ++pair) {
    PutNibbles(block.codes + 64 * pair, 32, out + 16 + 32 * pair);
  }
}

void EncodeQ5KBlock(std::span<const float> values, std::byte* out) {
  SixBitBlock block;
  EncodeSixBitRuns(values.data(), 31, block);
  PutSixBitHead(block, out);
  for (int i = 0; i < 32; ++i) {
    uint8_t bits = 0;
    for (int run = 0; run < 8; ++run) bits |= block.codes[32 * run + i] >> 4 << run;
    out[16 + i] = static_cast<std::byte>(bits);
  }
  for (int pair = 0; pair < 4; ++pair) {
    PutNibbles(block.codes + 64 * pair, 32, out + 48 + 32 * pair);
  }
}

void EncodeQ6KBlock(std::span<const float> values, std::byte* out) {
  SymmetricBlock block;
  EncodeSymmetricRuns(values.data(), block);
  std::memcpy(out + 192, block.scales, sizeof(block.scales));
  std::memcpy(out + 208, &block.d, sizeof(block.d));
  for (int half = 0; half < 2; ++half) {
    const uint8_t* from = block.codes + 128 * half;
    PutNibbles(from, 64, out + 64 * half);
    for (int i = 0; i < 32; ++i) {
      uint8_t bits = 0;
      for (int quarter = 0; quarter < 4; ++quarter) {
        bits |= static_cast<uint8_t>(from[32 * quarter + i] >> 4 << (2 * quarter));
      }
      out[128 + 32 * half + i] = static_cast<std::byte>(bits);
    }
  }
}

void EncodeBlock(std::span<const float> values, WeightType type, std::byte* out) {
  switch (type) {
    case WeightType::kQ4_0:
      return EncodeQ4Block(values, out);
    case WeightType::kQ4_K:
      return EncodeQ4KBlock(values, out);
    case WeightType::kQ5_K:
      return EncodeQ5KBlock(values, out);
    case WeightType::kQ6_K:
      return EncodeQ6KBlock(values, out);
    default:
      AIO_CHECK(false, "not a quantised type");
  }
}

}  // namespace

void EncodeRow(std::span<const float> values, WeightType type, std::byte* out) {
  if (type == WeightType::kF32) {
    std::memcpy(out, values.data(), values.size_bytes());
    return;
  }
  if (type == WeightType::kF16) return EncodeHalves(values, F32ToF16, out);
  if (type == WeightType::kBF16) return EncodeHalves(values, F32ToBf16, out);
  const WeightBlock block = BlockOf(type);
  AIO_CHECK(values.size() % block.values == 0);
  if (type == WeightType::kQ8_0) return EncodeQ8Blocks(values.data(), values.size(), out);
  for (size_t i = 0; i < values.size(); i += block.values, out += block.bytes) {
    EncodeBlock(values.subspan(i, block.values), type, out);
  }
}

}  // namespace aio
