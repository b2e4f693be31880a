#include "engine/prefill_pacer.h"

#include <gtest/gtest.h>

namespace aio {
namespace {

using std::chrono::milliseconds;

TEST(PrefillPacerTest, TokensFitTheTimeThatStepsWereSeenToTake) {
  PrefillPacer pacer(milliseconds(500));
  EXPECT_GE(pacer.Tokens(), PrefillPacer::kTokensMin);
  pacer.Observe(256, milliseconds(2560));  // 10 ms a token
  EXPECT_EQ(pacer.Tokens(), 50);
}

TEST(PrefillPacerTest, FollowsAMachineThatBecomesSlower) {
  PrefillPacer pacer(milliseconds(500));
  pacer.Observe(100, milliseconds(100));
  for (int i = 0; i < 40; ++i) pacer.Observe(100, milliseconds(500));
  EXPECT_NEAR(pacer.Tokens(), 100, 1);
}

TEST(PrefillPacerTest, NeverFewerThanWhatAStepComputesAnyway) {
  PrefillPacer pacer(milliseconds(1));
  pacer.Observe(100, milliseconds(10000));
  EXPECT_EQ(pacer.Tokens(), PrefillPacer::kTokensMin);
}

TEST(PrefillPacerTest, StepsOfAFewTokensTeachNothing) {
  PrefillPacer pacer(milliseconds(500));
  pacer.Observe(100, milliseconds(100));
  pacer.Observe(1, milliseconds(300));
  EXPECT_EQ(pacer.Tokens(), 500);
}

}  // namespace
}  // namespace aio
