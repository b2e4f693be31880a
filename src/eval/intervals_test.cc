#include "eval/intervals.h"

#include <gtest/gtest.h>

#include <cmath>

namespace aio {
namespace {

TEST(IntervalsTest, ClopperPearsonGivesTheTabledValues) {
  // None of n: 1 - (1 - confidence)^(1/n) in closed form.
  EXPECT_NEAR(ClopperPearsonUpper(0, 100, 0.95), 1 - std::pow(0.05, 0.01), 1e-12);
  const Interval some = ClopperPearson(3, 10, 0.95);
  EXPECT_NEAR(some.low, 0.0667, 5e-5);
  EXPECT_NEAR(some.high, 0.6525, 5e-5);
  const Interval all = ClopperPearson(10, 10, 0.95);
  EXPECT_NEAR(all.low, std::pow(0.025, 0.1), 1e-12);
  EXPECT_EQ(all.high, 1);
  const Interval none = ClopperPearson(0, 0, 0.95);
  EXPECT_EQ(none.low, 0);
  EXPECT_EQ(none.high, 1);
}

TEST(IntervalsTest, ClopperPearsonUpperCoversAsOftenAsItSays) {
  // P(upper bound < p) over all outcomes of 40 trials, exactly.
  for (const double p : {0.01, 0.1, 0.3, 0.7}) {
    double missed = 0;
    double probability = std::pow(1 - p, 40);
    for (int k = 0; k <= 40; ++k) {
      if (ClopperPearsonUpper(k, 40, 0.95) < p) missed += probability;
      probability *= (40 - k) / (k + 1.0) * p / (1 - p);
    }
    EXPECT_LE(missed, 0.05) << p;
  }
}

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
