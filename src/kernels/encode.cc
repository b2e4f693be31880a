// Encoding of rows: offline work, so plain C++ and the same bits on every machine.
//
// Floats round to nearest even. Of the quantised types:
//   Q8_0        the largest magnitude of 32 becomes 127
//   Q4_0        the largest magnitude of 32 becomes -8, whatever its sign
//   Q4_K, Q5_K  scale and offset of every 32 by least squares (Fit())
//   Q6_K        scale of every 16 by least squares
// Scales are rounded first, as they will be decoded, and codes chosen with the rounded ones.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/check.h"
#include "kernels/half.h"
#include "kernels/matrix.h"
#include "kernels/quant_codes.h"

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

void EncodeQ8Block(std::span<const float> values, std::byte* out) {
  const float inverse = Reciprocal(PutHalf(std::abs(Extreme(values)) / 127.0f, out));
  for (size_t i = 0; i < values.size(); ++i) {
    const float code = std::clamp(std::nearbyint(values[i] * inverse), -127.0f, 127.0f);
    out[2 + i] = static_cast<std::byte>(static_cast<int8_t>(code));
  }
}

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

// values ~ scale * code - offset with codes of 0..most, scale and offset >= 0.
struct Affine {
  float scale = 0.0f;
  float offset = 0.0f;
};

float SquaredError(std::span<const float> values, Affine fit, int most) {
  const float inverse = Reciprocal(fit.scale);
  float error = 0.0f;
  for (const float value : values) {
    const float code = ToCode((value + fit.offset) * inverse, most);
    const float difference = fit.scale * code - fit.offset - value;
    error += difference * difference;
  }
  return error;
}

// The line through the points (code, value) of least squares, if it has a slope.
Affine LeastSquares(std::span<const float> values, Affine fit, int most) {
  const float inverse = Reciprocal(fit.scale);
  double n = 0, c = 0, cc = 0, v = 0, cv = 0;
  for (const float value : values) {
    const double code = ToCode((value + fit.offset) * inverse, most);
    n += 1;
    c += code;
    cc += code * code;
    v += value;
    cv += code * value;
  }
  const double determinant = n * cc - c * c;
  if (determinant <= 0) return fit;
  const double slope = (n * cv - c * v) / determinant;
  const double intercept = (v - slope * c) / n;
  if (intercept <= 0) return {static_cast<float>(slope), static_cast<float>(-intercept)};
  return {static_cast<float>(cc > 0 ? cv / cc : 0.0), 0.0f};  // through the origin
}

// Starts from the range of the values, a little narrowed or widened, and improves each
// start by least squares over the codes it gives.
Affine Fit(std::span<const float> values, int most) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const float bottom = std::min(0.0f, *low);
  if (*high <= bottom) return {0.0f, -bottom};
  Affine best;
  float best_error = std::numeric_limits<float>::infinity();
  for (const float stretch : {0.8f, 0.87f, 0.93f, 1.0f, 1.04f}) {
    Affine fit{stretch * (*high - bottom) / static_cast<float>(most), -bottom * stretch};
    for (int round = 0; round < 3; ++round) {
      const float error = SquaredError(values, fit, most);
      if (error < best_error) {
        best_error = error;
        best = fit;
      }
      fit = LeastSquares(values, fit, most);
      if (!(fit.scale > 0.0f)) break;
    }
  }
  return best;
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

// Codes of 0..most, and the 16 bytes before them: Q4_K and Q5_K.
void EncodeSixBitBlock(std::span<const float> values, int most, uint8_t* codes, std::byte* out) {
  constexpr int kRuns = 8;
  Affine fits[kRuns];
  Affine largest;
  for (int run = 0; run < kRuns; ++run) {
    fits[run] = Fit(values.subspan(32 * run, 32), most);
    largest.scale = std::max(largest.scale, fits[run].scale);
    largest.offset = std::max(largest.offset, fits[run].offset);
  }
  const float d = PutHalf(largest.scale / 63.0f, out);
  const float dmin = PutHalf(largest.offset / 63.0f, out + 2);
  uint8_t scales[kRuns];
  uint8_t offsets[kRuns];
  for (int run = 0; run < kRuns; ++run) {
    scales[run] = ToCode(fits[run].scale * Reciprocal(d), 63);
    offsets[run] = ToCode(fits[run].offset * Reciprocal(dmin), 63);
    const float inverse = Reciprocal(d * static_cast<float>(scales[run]));
    const float offset = dmin * static_cast<float>(offsets[run]);
    for (int i = 32 * run; i < 32 * (run + 1); ++i) {
      codes[i] = ToCode((values[i] + offset) * inverse, most);
    }
  }
  PutSixBits(scales, offsets, out + 4);
}

void EncodeQ4KBlock(std::span<const float> values, std::byte* out) {
  uint8_t codes[kMaxBlockValues];
  EncodeSixBitBlock(values, 15, codes, out);
  for (int pair = 0; pair < 4; ++pair) PutNibbles(codes + 64 * pair, 32, out + 16 + 32 * pair);
}

void EncodeQ5KBlock(std::span<const float> values, std::byte* out) {
  uint8_t codes[kMaxBlockValues];
  EncodeSixBitBlock(values, 31, codes, out);
  for (int i = 0; i < 32; ++i) {
    uint8_t bits = 0;
    for (int run = 0; run < 8; ++run) bits |= codes[32 * run + i] >> 4 << run;
    out[16 + i] = static_cast<std::byte>(bits);
  }
  for (int pair = 0; pair < 4; ++pair) PutNibbles(codes + 64 * pair, 32, out + 48 + 32 * pair);
}

// values ~ scale * (code - 32), least squares over the codes of a few starts.
float FitSymmetric(std::span<const float> values) {
  const float extreme = Extreme(values);
  float best = 0.0f;
  float best_error = std::numeric_limits<float>::infinity();
  for (const float levels : {-34.0f, -33.0f, -32.0f, -31.0f, -30.0f}) {
    float scale = extreme / levels;
    double cc = 0, cv = 0;
    for (const float value : values) {
      const double code = ToCode(value * Reciprocal(scale) + 32.0f, 63) - 32.0;
      cc += code * code;
      cv += code * value;
    }
    if (cc > 0) scale = static_cast<float>(cv / cc);
    const float error = SquaredError(values, {scale, 32.0f * scale}, 63);
    if (error < best_error) {
      best_error = error;
      best = scale;
    }
  }
  return best;
}

void EncodeQ6KBlock(std::span<const float> values, std::byte* out) {
  constexpr int kRuns = 16;
  float scales[kRuns];
  for (int run = 0; run < kRuns; ++run) scales[run] = FitSymmetric(values.subspan(16 * run, 16));
  const float d = PutHalf(std::abs(Extreme(scales)) / 127.0f, out + 208);
  uint8_t codes[kMaxBlockValues];
  for (int run = 0; run < kRuns; ++run) {
    const float scale = std::clamp(std::nearbyint(scales[run] * Reciprocal(d)), -127.0f, 127.0f);
    out[192 + run] = static_cast<std::byte>(static_cast<int8_t>(scale));
    const float inverse = Reciprocal(d * scale);
    for (int i = 16 * run; i < 16 * (run + 1); ++i) codes[i] = ToCode(values[i] * inverse + 32, 63);
  }
  for (int half = 0; half < 2; ++half) {
    const uint8_t* from = codes + 128 * half;
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
    case WeightType::kQ8_0:
      return EncodeQ8Block(values, out);
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
  for (size_t i = 0; i < values.size(); i += block.values, out += block.bytes) {
    EncodeBlock(values.subspan(i, block.values), type, out);
  }
}

}  // namespace aio
