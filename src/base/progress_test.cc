#include "base/progress.h"

#include <gtest/gtest.h>

namespace aio {
namespace {

TEST(ProgressTest, ShowsShareAndTimeLeft) {
  EXPECT_EQ(FormatProgress(75, 300, std::chrono::seconds(24)),
            "75/300 [======>                 ] 25% 1m12s left");
  EXPECT_EQ(FormatProgress(300, 300, std::chrono::seconds(96)),
            "300/300 [========================] 100%");
  EXPECT_EQ(FormatProgress(0, 0, Duration{}), "0/1 [>                       ] 0%");
}

TEST(ManualClockTest, MovesOnlyWhenTold) {
  ManualClock clock;
  const TimePoint start = clock.Now();
  EXPECT_EQ(clock.Now(), start);
  clock.Advance(std::chrono::milliseconds(1500));
  EXPECT_EQ(ToMs(clock.Now() - start), 1500.0);
  EXPECT_EQ(clock.UnixSeconds(), 1);
}

}  // namespace
}  // namespace aio
