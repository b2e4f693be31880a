#include "traffic/arrivals.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace aio {
namespace {

double Seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

TEST(PoissonArrivals, HaveTheRateAndTheSpreadOfOne) {
  constexpr int kRequests = 20'000;
  const auto arrivals = PoissonArrivals(kRequests, 4, 7);
  ASSERT_EQ(arrivals.size(), static_cast<size_t>(kRequests));
  EXPECT_TRUE(std::is_sorted(arrivals.begin(), arrivals.end()));
  EXPECT_NEAR(kRequests / Seconds(arrivals.back()), 4, 0.15);
  // In a second there come 4 on average, with variance 4 as well.
  std::vector<double> counts(static_cast<size_t>(Seconds(arrivals.back())) + 1);
  for (const Duration arrival : arrivals) ++counts[static_cast<size_t>(Seconds(arrival))];
  counts.pop_back();  // no whole second
  double sum = 0, squares = 0;
  for (const double count : counts) sum += count, squares += count * count;
  const double mean = sum / static_cast<double>(counts.size());
  EXPECT_NEAR(squares / static_cast<double>(counts.size()) - mean * mean, 4, 0.4);
}

TEST(PoissonArrivals, AreRepeatable) {
  EXPECT_EQ(PoissonArrivals(50, 2, 1), PoissonArrivals(50, 2, 1));
  EXPECT_NE(PoissonArrivals(50, 2, 1), PoissonArrivals(50, 2, 2));
}

}  // namespace
}  // namespace aio
