#include "engine/step_costs.h"

#include <gtest/gtest.h>

#include <chrono>
#include <set>

namespace aio {
namespace {

Duration Ms(double ms) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double, std::milli>(ms));
}

TEST(StepCostsTest, KnowsThePointsAndWhatLiesBetween) {
  const StepCosts costs({1, 2, 4}, {10, 11, 15});
  EXPECT_DOUBLE_EQ(costs.Ms(1), 10);
  EXPECT_DOUBLE_EQ(costs.Ms(2), 11);
  EXPECT_DOUBLE_EQ(costs.Ms(3), 13);
  EXPECT_DOUBLE_EQ(costs.Ms(4), 15);
}

TEST(StepCostsTest, BeyondTheLastPointAStepGoesOnGrowing) {
  const StepCosts costs({1, 3}, {10, 14});
  EXPECT_DOUBLE_EQ(costs.Ms(5), 18);
}

TEST(StepCostsTest, MoreTokensNeverCostLess) {
  const StepCosts costs({1, 2, 3}, {10, 12, 11});
  EXPECT_DOUBLE_EQ(costs.Ms(3), 12);
}

TEST(StepCostsTest, WithoutMeasurementAllStepsCostTheSame) {
  EXPECT_DOUBLE_EQ(StepCosts().Ms(9), StepCosts().Ms(1));
}

TEST(StepCostsTest, MeasuresTheLeastOfSeveralRounds) {
  ManualClock clock;
  int calls = 0;
  const StepCosts costs = StepCosts::Measure(8, std::chrono::seconds(1), clock, [&](int rows) {
    clock.Advance(Ms(rows + (++calls % 7 == 0 ? 5 : 0)));  // now and then something gets in the way
  });
  for (int rows = 1; rows <= 8; ++rows) EXPECT_NEAR(costs.Ms(rows), rows, 1e-9) << rows;
}

TEST(StepCostsTest, ALargeModelIsMeasuredAtThreePointsOnly) {
  ManualClock clock;
  std::multiset<int> measured;
  StepCosts::Measure(32, std::chrono::milliseconds(100), clock, [&](int rows) {
    measured.insert(rows);
    clock.Advance(Ms(300));
  });
  EXPECT_EQ(measured, (std::multiset<int>{1, 1, 5, 17}));  // the first is a warm-up
}

TEST(StepCostsTest, NeverMeasuresMoreRowsThanThereMayBe) {
  ManualClock clock;
  StepCosts::Measure(3, std::chrono::seconds(1), clock, [&](int rows) {
    EXPECT_LE(rows, 3);
    clock.Advance(Ms(1));
  });
}

TEST(StepCostsTest, FollowsAMachineThatSlowsDownAsAWhole) {
  StepCosts costs({1, 4, 8}, {10, 12, 20});
  for (int i = 0; i < 80; ++i) costs.Observe(1, 30);
  EXPECT_NEAR(costs.Ms(1), 30, 0.5);
  EXPECT_NEAR(costs.Ms(4), 36, 0.6);
}

TEST(StepCostsTest, LearnsACurveThatIsNotAsMeasured) {
  StepCosts costs({1, 4, 8}, {10, 12, 20});
  for (int i = 0; i < 500; ++i) {
    costs.Observe(1, 10);
    costs.Observe(4, 24);
  }
  EXPECT_NEAR(costs.Ms(4) / costs.Ms(1), 2.4, 0.25);
  EXPECT_GE(costs.Ms(8), costs.Ms(4));
}

TEST(StepCostsTest, WhatIsSeenOfOneNumberOfTokensSaysSomethingOfTheNext) {
  StepCosts costs({1, 8, 10, 32}, {10, 20, 22, 40});
  for (int i = 0; i < 100; ++i) {
    costs.Observe(1, 10);
    costs.Observe(8, 15);
  }
  EXPECT_LT(costs.Ms(10), 20) << "not tried since, yet cheaper too";
  EXPECT_GT(costs.Ms(32), 34) << "another case";
}

TEST(StepCostsTest, WhatWasOnceFoundDearIsNotBelievedForEver) {
  StepCosts costs({1, 8}, {10, 12});
  for (int i = 0; i < 200; ++i) {
    costs.Observe(1, 10);
    costs.Observe(8, 40);
  }
  EXPECT_GT(costs.Ms(8), 36);
  for (int i = 0; i < 2000; ++i) costs.Observe(1, 10);
  EXPECT_LT(costs.Ms(8), 14) << "it would never be tried again";
}

TEST(StepCostsTest, AFewStepsThatTheSystemHeldUpChangeLittle) {
  StepCosts costs({1, 8}, {1, 2});
  for (int i = 0; i < 5; ++i) costs.Observe(8, 14);
  EXPECT_LT(costs.Ms(8) / costs.Ms(1), 2.4);
  EXPECT_LT(costs.Ms(1), 1.3);
}

TEST(StepCostsTest, AMeasurementThatWasDisturbedIsSoonForgotten) {
  StepCosts costs({1, 4}, {400, 480});
  for (int i = 0; i < 40; ++i) costs.Observe(1, 10);
  EXPECT_LT(costs.Ms(1), 11);
}

TEST(StepCostsTest, OneStepThatStoodStillChangesLittle) {
  StepCosts costs({1, 4}, {10, 12});
  costs.Observe(1, 1e6);
  EXPECT_LT(costs.Ms(1), 15);
}

}  // namespace
}  // namespace aio
