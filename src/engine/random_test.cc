#include "engine/random.h"

#include <gtest/gtest.h>

#include <set>

namespace aio {
namespace {

using Words = std::array<uint32_t, 4>;

// The known answers that the generator's authors publish with it.
TEST(RandomTest, PhiloxGivesThePublishedAnswers) {
  EXPECT_EQ(Philox4x32({0, 0, 0, 0}, {0, 0}),
            (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(Philox4x32({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(Philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(RandomTest, UniformNumbersAreInRangeAndSpread) {
  double sum = 0;
  std::set<double> distinct;
  for (uint64_t position = 0; position < 10000; ++position) {
    const double u = UniformAt(/*seed=*/42, position);
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    sum += u;
    distinct.insert(u);
  }
  EXPECT_NEAR(sum / 10000, 0.5, 0.02);
  EXPECT_EQ(distinct.size(), 10000u);
}

TEST(RandomTest, DependsOnAllBitsOfSeedAndPosition) {
  EXPECT_EQ(UniformAt(1, 2), UniformAt(1, 2));
  EXPECT_NE(UniformAt(1, 2), UniformAt(3, 2));
  EXPECT_NE(UniformAt(1, 2), UniformAt(1, 3));
  EXPECT_NE(UniformAt(1, 2), UniformAt(1 + (uint64_t{1} << 32), 2));
  EXPECT_NE(UniformAt(1, 2), UniformAt(1, 2 + (uint64_t{1} << 32)));
}

}  // namespace
}  // namespace aio
