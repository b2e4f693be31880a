#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/kernels.h"
#include "kernels/kernels_testing.h"

namespace aio {
namespace {

class LogitsTest : public EveryTarget {};
AIO_INSTANTIATE_FOR_EVERY_TARGET(LogitsTest);

constexpr float kInfinity = std::numeric_limits<float>::infinity();
const float kNan = std::nanf("");

TEST_P(LogitsTest, ArgMaxFindsTheFirstOfTheGreatest) {
  for (const size_t size : {1, 2, 7, 16, 33, 1000}) {
    std::vector<float> x = Random(1).Vector(size);
    const auto expected = std::max_element(x.begin(), x.end()) - x.begin();
    EXPECT_EQ(ArgMax(x), static_cast<size_t>(expected));
    x.push_back(x[expected]);
    EXPECT_EQ(ArgMax(x), static_cast<size_t>(expected));
    x[size - 1] = kInfinity;
    EXPECT_EQ(ArgMax(x), size - 1);
  }
}

TEST_P(LogitsTest, ArgMaxPassesOverNan) {
  std::vector<float> x(50, kNan);
  EXPECT_EQ(ArgMax(x), 0u);
  x[37] = -kInfinity;
  EXPECT_EQ(ArgMax(x), 37u);
  x[49] = -5.0f;
  EXPECT_EQ(ArgMax(x), 49u);
  EXPECT_EQ(ArgMax({}), 0u);
}

TEST_P(LogitsTest, ExpRelativeAgreesWithDoublePrecision) {
  for (const size_t size : {1, 3, 8, 33, 500}) {
    const std::vector<float> x = Random(2).Vector(size, 30.0f);
    const float max = *std::max_element(x.begin(), x.end());
    for (const float scale : {0.1f, 1.0f, 3.0f}) {
      std::vector<float> out(size);
      ExpRelative(x, max, scale, out);
      for (size_t i = 0; i < size; ++i) {
        const double expected = std::exp((static_cast<double>(x[i]) - max) * scale);
        // The rounding of the argument counts as often as the argument is large.
        ASSERT_NEAR(out[i], expected, 2e-5 * expected + 1e-37);
      }
    }
  }
}

TEST_P(LogitsTest, ExpRelativeOfWhatIsImpossibleIsZero) {
  const std::vector<float> x = {0.0f, -kInfinity, kNan, -1e30f, -200.0f};
  std::vector<float> out(x.size());
  ExpRelative(x, 0.0f, 1.0f, out);
  EXPECT_EQ(out, (std::vector<float>{1, 0, 0, 0, 0}));
}

}  // namespace
}  // namespace aio
