#include "eval/quality_cost_curve.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace aio {
namespace {

// Half of the queries gain by the large model; `score` says how well the router knows which.
std::vector<ScoredOutcome> Outcomes(int count, double noise) {
  std::mt19937 random(7);
  std::vector<ScoredOutcome> outcomes;
  for (int i = 0; i < count; ++i) {
    const bool gains = i % 2 == 0;
    const double chance = static_cast<double>(random()) / static_cast<double>(random.max());
    outcomes.push_back(
        {.score = (gains ? 1 : 0) + noise * chance, .small = gains ? 0.0 : 1.0, .large = 1.0});
  }
  return outcomes;
}

TEST(QualityCostCurveTest, GoesFromTheOneModelToTheOther) {
  const auto curve = QualityCostCurve(Outcomes(100, 0));
  ASSERT_EQ(curve.size(), 3u) << "two scores, hence two steps";
  EXPECT_EQ(curve[0].large_share, 0);
  EXPECT_EQ(curve[0].quality, 0.5);
  EXPECT_EQ(curve[1].large_share, 0.5);
  EXPECT_EQ(curve[1].quality, 1);
  EXPECT_EQ(curve[2].large_share, 1);
  EXPECT_EQ(curve[2].quality, 1);
}

TEST(QualityCostCurveTest, KnowingTheOutcomesIsTheOracle) {
  const CurveArea area = MeasureCurve(Outcomes(100, 0));
  EXPECT_NEAR(area.area, 0.875, 1e-12);
  EXPECT_NEAR(area.oracle, 0.875, 1e-12);
  EXPECT_NEAR(area.random, 0.75, 1e-12);
  EXPECT_NEAR(area.above_random, 0.125, 1e-12);
  EXPECT_NEAR(area.gap_recovered, 0.75, 1e-12);
  EXPECT_GT(area.above_random_low, 0.09);
  EXPECT_LT(area.above_random_high, 0.16);
}

TEST(QualityCostCurveTest, KnowingNothingIsRandomWhateverTheOrder) {
  std::vector<ScoredOutcome> outcomes = Outcomes(101, 0);
  for (ScoredOutcome& outcome : outcomes) outcome.score = 3;
  const CurveArea area = MeasureCurve(outcomes);
  EXPECT_NEAR(area.above_random, 0, 1e-12);
  EXPECT_NEAR(area.gap_recovered, 0.5, 1e-12);
  std::reverse(outcomes.begin(), outcomes.end());
  EXPECT_NEAR(MeasureCurve(outcomes).area, area.area, 1e-12);
}

TEST(QualityCostCurveTest, ScoresWithoutMeaningAreNotAboveRandom) {
  std::vector<ScoredOutcome> outcomes = Outcomes(1000, 1e6);  // the noise drowns all
  const CurveArea area = MeasureCurve(outcomes);
  EXPECT_LT(area.above_random_low, 0);
  EXPECT_GT(area.above_random_high, 0);
}

TEST(QualityCostCurveTest, ScoresTheWrongWayRoundAreBelow) {
  std::vector<ScoredOutcome> outcomes = Outcomes(200, 0.5);
  for (ScoredOutcome& outcome : outcomes) outcome.score = -outcome.score;
  EXPECT_LT(MeasureCurve(outcomes).above_random_high, 0);
}

TEST(QualityCostCurveTest, TheIntervalHoldsAsOftenAsItSays) {
  // Of many samples of a router that is truly worth 0.0625 above random (it knows half of what
  // there is to know), 95 % should cover it; 190 of 200 are expected.
  std::mt19937 random(11);
  int covered = 0;
  constexpr int kSamples = 200;
  for (int sample = 0; sample < kSamples; ++sample) {
    std::vector<ScoredOutcome> outcomes;
    for (int i = 0; i < 200; ++i) {
      const bool gains = random() % 2 == 0;
      const bool knows = random() % 2 == 0;
      const bool says = knows ? gains : random() % 2 == 0;
      outcomes.push_back({.score = says ? 1.0 : 0.0, .small = gains ? 0.0 : 1.0, .large = 1.0});
    }
    const CurveArea area = MeasureCurve(outcomes, 300, static_cast<uint64_t>(sample));
    covered += area.above_random_low <= 0.0625 && 0.0625 <= area.above_random_high;
  }
  EXPECT_GE(covered, 180);
  EXPECT_LT(covered, kSamples) << "or it is so wide that it says nothing";
}

TEST(QualityCostCurveTest, TheSameInputGivesTheSameInterval) {
  const CurveArea a = MeasureCurve(Outcomes(300, 2)), b = MeasureCurve(Outcomes(300, 2));
  EXPECT_EQ(a.above_random_low, b.above_random_low);
  EXPECT_EQ(a.above_random_high, b.above_random_high);
}

TEST(QualityCostCurveTest, ModelsThatDoNotDifferLeaveNothingToRecover) {
  const CurveArea area = MeasureCurve({{1, 1, 1}, {0, 0, 0}});
  EXPECT_EQ(area.above_random, 0);
  EXPECT_TRUE(std::isnan(area.gap_recovered));
}

}  // namespace
}  // namespace aio
