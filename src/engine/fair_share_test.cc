#include "engine/fair_share.h"

#include <gtest/gtest.h>

namespace aio {
namespace {

// Steps of `bytes[model]`; how many each got.
std::vector<int> StepCounts(FairShare& share, const std::vector<bool>& has_work,
                            const std::vector<int64_t>& bytes, int steps) {
  std::vector<int> counts(bytes.size());
  for (int i = 0; i < steps; ++i) {
    const int model = share.Next(has_work);
    share.Charge(model, bytes[model]);
    ++counts[model];
  }
  return counts;
}

TEST(FairShareTest, EqualWeightsMoveEqualBytes) {
  FairShare share({1, 1});
  const std::vector<int> counts = StepCounts(share, {true, true}, {100, 700}, 800);
  EXPECT_NEAR(counts[0], 700, 7);
  EXPECT_NEAR(counts[1], 100, 1);
}

TEST(FairShareTest, WeightsDivideTheBytes) {
  FairShare share({3, 1});
  const std::vector<int> counts = StepCounts(share, {true, true}, {100, 100}, 400);
  EXPECT_NEAR(counts[0], 300, 1);
}

TEST(FairShareTest, AloneAModelHasEveryStep) {
  FairShare share({1, 1});
  EXPECT_EQ(StepCounts(share, {false, true}, {100, 700}, 50)[1], 50);
  EXPECT_EQ(share.Next({false, false}), -1);
}

TEST(FairShareTest, WhoWasIdleDoesNotCatchUp) {
  FairShare share({1, 1});
  StepCounts(share, {true, false}, {100, 100}, 1000);
  const std::vector<int> counts = StepCounts(share, {true, true}, {100, 100}, 100);
  EXPECT_NEAR(counts[0], 50, 1);
  EXPECT_NEAR(counts[1], 50, 1);
}

TEST(FairShareTest, WhoWasIdleForAMomentDoesNotForgetItsDebt) {
  FairShare share({1, 1});
  // A step far longer than the other's: leaving and coming back does not make it the next.
  share.Charge(share.Next({true, true}), 1000);
  EXPECT_EQ(share.Next({false, true}), 1);
  share.Charge(1, 10);
  EXPECT_EQ(share.Next({true, true}), 1);
}

}  // namespace
}  // namespace aio
