#include "convert/decode_floats.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "kernels/half.h"

namespace aio {
namespace {

TEST(DecodeFloatsTest, EveryHalfIsExactWhereverItLies) {
  std::vector<std::byte> stored(1 + 2 * 0x10000);
  for (uint32_t i = 0; i < 0x10000; ++i) {
    const auto half = static_cast<uint16_t>(i);
    std::memcpy(stored.data() + 1 + 2 * i, &half, sizeof(half));
  }
  std::vector<float> values(0x10000);
  std::vector<std::byte> scratch;
  for (const bool brain : {false, true}) {
    DecodeFloats(std::span(stored).subspan(1), brain ? WeightType::kBF16 : WeightType::kF16, values,
                 scratch);
    for (uint32_t i = 0; i < 0x10000; ++i) {
      const auto half = static_cast<uint16_t>(i);
      const float expected = brain ? Bf16ToF32(half) : F16ToF32(half);
      ASSERT_EQ(std::isnan(values[i]), std::isnan(expected)) << i;
      if (!std::isnan(expected)) {
        ASSERT_EQ(std::signbit(values[i]), std::signbit(expected));
        ASSERT_EQ(values[i], expected) << i;
      }
    }
  }
}

TEST(DecodeFloatsTest, BlocksAreDecodedWhereverTheyLie) {
  std::vector<float> expected(256);
  for (size_t i = 0; i < expected.size(); ++i) expected[i] = std::sin(static_cast<float>(i));
  std::vector<std::byte> stored(1 + 144), scratch;
  std::vector<std::byte> aligned(144);
  EncodeRow(expected, WeightType::kQ4_K, aligned.data());
  std::memcpy(stored.data() + 1, aligned.data(), aligned.size());
  DecodeRow({aligned.data(), WeightType::kQ4_K, 1, 256}, 0, expected);
  std::vector<float> values(256);
  DecodeFloats(std::span(stored).subspan(1), WeightType::kQ4_K, values, scratch);
  EXPECT_EQ(values, expected);
}

}  // namespace
}  // namespace aio
