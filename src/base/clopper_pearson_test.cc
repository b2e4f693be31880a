#include "base/clopper_pearson.h"

#include <gtest/gtest.h>

#include <cmath>

namespace aio {
namespace {

TEST(ClopperPearsonTest, GivesTheTabledValues) {
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

TEST(ClopperPearsonTest, UpperBoundCoversAsOftenAsItSays) {
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

}  // namespace
}  // namespace aio
