#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "kernels/half.h"
#include "kernels/kernels_testing.h"
#include "kernels/matrix.h"
#include "kernels/target.h"

namespace aio {
namespace {

TEST(HalfTest, RoundTripsEveryValue) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const uint16_t half = static_cast<uint16_t>(bits);
    const float value = F16ToF32(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(F16ToF32(F32ToF16(value))));
    } else {
      ASSERT_EQ(F32ToF16(value), half);
    }
    const float wide = Bf16ToF32(half);
    if (!std::isnan(wide)) {
      ASSERT_EQ(F32ToBf16(wide), half);
    }
  }
}

// Ties go to the even neighbour, worked out by hand.
TEST(HalfTest, RoundsToNearestEven) {
  EXPECT_EQ(F32ToF16(1.0f + 0x1p-11f), 0x3c00);             // halfway to 1 + 2^-10: down to even
  EXPECT_EQ(F32ToF16(1.0f + 3 * 0x1p-11f), 0x3c02);         // halfway between 1 and 2 steps: up
  EXPECT_EQ(F32ToF16(1.0f + 0x1p-11f + 0x1p-20f), 0x3c01);  // a little more than halfway
  EXPECT_EQ(F32ToF16(0x1p-25f), 0x0000);                    // half of the smallest subnormal
  EXPECT_EQ(F32ToF16(0x1.8p-24f), 0x0002);                  // one and a half of it
  EXPECT_EQ(F32ToF16(65519.0f), 0x7bff);
  EXPECT_EQ(F32ToF16(65520.0f), 0x7c00);  // halfway to what would be 2^16: infinity
  EXPECT_EQ(F32ToBf16(1.0f + 0x1p-8f), 0x3f80);
  EXPECT_EQ(F32ToBf16(1.0f + 3 * 0x1p-8f), 0x3f82);
  EXPECT_EQ(F32ToBf16(1.0f + 0x1p-8f + 0x1p-20f), 0x3f81);
}

// Root of the mean squared error, relative to that of the values.
double RelativeError(WeightType type, const std::vector<float>& values) {
  const Matrix shape{nullptr, type, 1, static_cast<int>(values.size())};
  std::vector<std::byte> bytes(shape.row_bytes());
  EncodeRow(values, type, bytes.data());
  std::vector<float> decoded(values.size());
  DecodeRow({bytes.data(), type, 1, shape.columns}, 0, decoded);
  double error = 0, size = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    error += std::pow(double{decoded[i]} - values[i], 2);
    size += std::pow(double{values[i]}, 2);
  }
  return std::sqrt(error / size);
}

TEST(EncodeTest, ErrorsAreThoseOfTheBits) {
  // Sums of four uniform numbers: close to the bell of real weights.
  std::vector<float> values(4096);
  Random random(16);
  for (float& value : values) {
    value = 0.02f * (random.Next() + random.Next() + random.Next() + random.Next());
  }
  EXPECT_LT(RelativeError(WeightType::kQ8_0, values), 0.007);
  EXPECT_LT(RelativeError(WeightType::kQ6_K, values), 0.022);
  EXPECT_LT(RelativeError(WeightType::kQ5_K, values), 0.045);
  EXPECT_LT(RelativeError(WeightType::kQ4_K, values), 0.085);
  EXPECT_LT(RelativeError(WeightType::kQ4_0, values), 0.11);
}

// What scale and offset from the least and the largest of 32 values would reach, even if they
// were stored exactly.
double MinMaxError(const std::vector<float>& values, int most) {
  double error = 0, size = 0;
  for (size_t run = 0; run < values.size(); run += 32) {
    const auto first = values.begin() + static_cast<std::ptrdiff_t>(run);
    const auto [low, high] = std::minmax_element(first, first + 32);
    const float scale = (*high - *low) / static_cast<float>(most);
    for (size_t i = run; i < run + 32; ++i) {
      const float decoded = *low + scale * std::nearbyint((values[i] - *low) / scale);
      error += std::pow(double{decoded} - values[i], 2);
      size += std::pow(double{values[i]}, 2);
    }
  }
  return std::sqrt(error / size);
}

TEST(EncodeTest, SearchedScalesBeatTheRangeOfTheValues) {
  std::mt19937 generator(1);
  std::normal_distribution<float> bell(0.0f, 0.02f);
  std::vector<float> values(size_t{256} * 64);
  for (float& value : values) value = bell(generator);
  EXPECT_LT(RelativeError(WeightType::kQ4_K, values), 0.93 * MinMaxError(values, 15));
  EXPECT_LT(RelativeError(WeightType::kQ5_K, values), 0.96 * MinMaxError(values, 31));
}

TEST(EncodeTest, EveryMachineWritesTheSameBytes) {
  std::vector<float> values = Random(3).Vector(2048);
  for (size_t i = 0; i < 256; ++i) values[i] = values[i] * 1e-7f;         // subnormal scales
  for (size_t i = 256; i < 512; ++i) values[i] = std::abs(values[i]);     // no offset
  for (size_t i = 512; i < 768; ++i) values[i] = i % 32 == 5 ? 9.0f : 0;  // spikes
  const std::string best(ActiveTarget());
  for (const WeightType type : kAllWeightTypes) {
    const Matrix shape{nullptr, type, 1, static_cast<int>(values.size())};
    std::vector<std::byte> expected(shape.row_bytes());
    EncodeRow(values, type, expected.data());
    for (const std::string& target : AvailableTargets()) {
      ASSERT_TRUE(SelectTarget(target).ok());
      std::vector<std::byte> bytes(shape.row_bytes());
      EncodeRow(values, type, bytes.data());
      EXPECT_EQ(bytes, expected) << WeightTypeName(type) << " " << target;
    }
    ASSERT_TRUE(SelectTarget(best).ok());
  }
}

TEST(EncodeTest, DegenerateBlocksSurvive) {
  for (const WeightType type : kAllWeightTypes) {
    if (!IsQuantized(type)) continue;
    const std::vector<float> zeros(256, 0.0f);
    EXPECT_TRUE(std::isnan(RelativeError(type, zeros))) << WeightTypeName(type);  // 0 / 0: exact
    EXPECT_LT(RelativeError(type, std::vector<float>(256, 0.25f)), 0.02) << WeightTypeName(type);
    EXPECT_LT(RelativeError(type, std::vector<float>(256, -0.25f)), 0.02) << WeightTypeName(type);
    std::vector<float> spike(256, 0.0f);
    spike[37] = -3.0f;
    EXPECT_LT(RelativeError(type, spike), 0.02) << WeightTypeName(type);
  }
}

TEST(EncodeTest, Q8ErrorIsWithinHalfAStep) {
  const std::vector<float> values = Random(16).Vector(64);
  std::vector<std::byte> bytes(68);
  EncodeRow(values, WeightType::kQ8_0, bytes.data());
  std::vector<float> decoded(64);
  DecodeRow({bytes.data(), WeightType::kQ8_0, 1, 64}, 0, decoded);
  for (size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(decoded[i], values[i], 0.51f / 127.0f);
  const std::vector<float> zeros(32, 0.0f);
  EncodeRow(zeros, WeightType::kQ8_0, bytes.data());
  DecodeRow({bytes.data(), WeightType::kQ8_0, 1, 32}, 0, std::span(decoded).first(32));
  EXPECT_THAT(std::span(decoded).first(32), testing::Each(0.0f));
}

}  // namespace
}  // namespace aio
