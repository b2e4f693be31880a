#include "base/clock.h"

#include <gtest/gtest.h>

namespace aio {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(ManualClockTest, MovesOnlyWhenToldTo) {
  ManualClock clock;
  const TimePoint start = clock.Now();
  EXPECT_EQ(clock.Now(), start);
  clock.Advance(milliseconds(1500));
  EXPECT_EQ(clock.Now() - start, milliseconds(1500));
  EXPECT_DOUBLE_EQ(ToMs(clock.Now() - start), 1500);
  clock.Advance(Duration::zero());
  EXPECT_EQ(clock.Now() - start, milliseconds(1500));
}

TEST(ManualClockTest, WallClockSecondsMoveWithIt) {
  ManualClock clock;
  const int64_t start = clock.UnixSeconds();
  clock.Advance(milliseconds(999));
  EXPECT_EQ(clock.UnixSeconds(), start);
  clock.Advance(milliseconds(1));
  EXPECT_EQ(clock.UnixSeconds(), start + 1);
}

TEST(ManualClockTest, NoDeadlineIsNeverReached) {
  ManualClock clock;
  clock.Advance(std::chrono::hours(24 * 365 * 100));
  EXPECT_LT(clock.Now(), kNoDeadline);
}

TEST(SystemClockTest, DoesNotGoBack) {
  const SystemClock clock;
  const TimePoint before = clock.Now();
  EXPECT_LE(before, clock.Now());
  EXPECT_GT(clock.UnixSeconds(), 1'600'000'000);  // after 2020
}

}  // namespace
}  // namespace aio
