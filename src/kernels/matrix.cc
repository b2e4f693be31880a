#include "kernels/matrix.h"

#include <algorithm>
#include <cctype>
#include <cstring>

#include "base/check.h"
#include "kernels/half.h"
#include "kernels/quant_codes.h"

namespace aio {
namespace {

uint16_t LoadHalf(const std::byte* data) {
  uint16_t bits;
  std::memcpy(&bits, data, sizeof(bits));
  return bits;
}

template <typename Convert>
void DecodeHalves(const std::byte* data, Convert convert, std::span<float> out) {
  for (size_t k = 0; k < out.size(); ++k) out[k] = convert(LoadHalf(data + 2 * k));
}

// What multiplies a code, and what is then taken off, for the run that code i lies in.
struct Scaling {
  float scale;
  float offset;
};
Scaling ScalingOf(WeightType type, const std::byte* block, int i) {
  switch (type) {
    case WeightType::kQ4_K:
    case WeightType::kQ5_K: {
      const SixBitPair pair = UnpackSixBits(block + 4, i / 32);
      return {F16ToF32(LoadHalf(block)) * static_cast<float>(pair.scale),
              F16ToF32(LoadHalf(block + 2)) * static_cast<float>(pair.offset)};
    }
    case WeightType::kQ6_K:
      return {F16ToF32(LoadHalf(block + 208)) *
                  static_cast<float>(static_cast<int8_t>(block[192 + i / 16])),
              0.0f};
    default:
      return {F16ToF32(LoadHalf(block)), 0.0f};
  }
}

void DecodeBlock(WeightType type, const std::byte* block, std::span<float> out) {
  uint8_t codes[kMaxBlockValues];
  UnpackCodes(type, block, codes);
  const int zero = ZeroCode(type);
  constexpr int kRun = 16;  // no type changes its scale within 16 values
  for (size_t first = 0; first < out.size(); first += kRun) {
    const Scaling scaling = ScalingOf(type, block, static_cast<int>(first));
    for (size_t i = first; i < first + kRun; ++i) {
      out[i] = scaling.scale * static_cast<float>(codes[i] - zero) - scaling.offset;
    }
  }
}

}  // namespace

std::string_view WeightTypeName(WeightType type) {
  switch (type) {
    case WeightType::kF32:
      return "F32";
    case WeightType::kF16:
      return "F16";
    case WeightType::kBF16:
      return "BF16";
    case WeightType::kQ8_0:
      return "Q8_0";
    case WeightType::kQ4_0:
      return "Q4_0";
    case WeightType::kQ4_K:
      return "Q4_K";
    case WeightType::kQ5_K:
      return "Q5_K";
    case WeightType::kQ6_K:
      return "Q6_K";
  }
  return "?";
}

std::optional<WeightType> WeightTypeFromName(std::string_view name) {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  };
  for (const WeightType type : kAllWeightTypes) {
    const std::string_view known = WeightTypeName(type);
    if (std::equal(known.begin(), known.end(), name.begin(), name.end(), same)) return type;
  }
  return std::nullopt;
}

std::vector<std::string_view> WeightTypeNames() {
  std::vector<std::string_view> names;
  for (const WeightType type : kAllWeightTypes) names.push_back(WeightTypeName(type));
  return names;
}

void DecodeRow(const Matrix& weights, int row, std::span<float> out) {
  AIO_CHECK(row >= 0 && row < weights.rows);
  AIO_CHECK(out.size() == static_cast<size_t>(weights.columns));
  const std::byte* data = weights.row(row);
  switch (weights.type) {
    case WeightType::kF32:
      std::memcpy(out.data(), data, out.size_bytes());
      return;
    case WeightType::kF16:
      return DecodeHalves(data, F16ToF32, out);
    case WeightType::kBF16:
      return DecodeHalves(data, Bf16ToF32, out);
    default:
      break;
  }
  const WeightBlock block = BlockOf(weights.type);
  for (size_t k = 0; k < out.size(); k += block.values, data += block.bytes) {
    DecodeBlock(weights.type, data, out.subspan(k, block.values));
  }
}

}  // namespace aio
