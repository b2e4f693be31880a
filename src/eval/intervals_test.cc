#include "eval/intervals.h"

#include <gtest/gtest.h>

namespace aio {
namespace {

TEST(IntervalsTest, BootstrapOfAMeanIsAsWideAsItsStandardError) {
  std::vector<double> values;
  for (int i = 0; i < 400; ++i) values.push_back(i % 2);  // sd 0.5, hence 0.025 of the mean
  const Interval interval = Bootstrap(400, 0.95, [&](const std::vector<int>& sample) {
    double sum = 0;
    for (const int i : sample) sum += values[static_cast<size_t>(i)];
    return sum / 400;
  });
  EXPECT_NEAR(interval.low, 0.5 - 1.96 * 0.025, 0.01);
  EXPECT_NEAR(interval.high, 0.5 + 1.96 * 0.025, 0.01);
}

}  // namespace
}  // namespace aio
