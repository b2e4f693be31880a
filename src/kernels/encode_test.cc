#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "kernels/half.h"
#include "kernels/kernels.h"
#include "kernels/kernels_testing.h"

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
