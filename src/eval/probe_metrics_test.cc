#include "eval/probe_metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace aio {
namespace {

Prediction Make(int truth, std::vector<double> p, double weight = 1) {
  Prediction prediction{.truth = truth, .probabilities = std::move(p), .weight = weight};
  const auto& q = prediction.probabilities;
  prediction.said = static_cast<int>(std::max_element(q.begin(), q.end()) - q.begin());
  prediction.entropy = ShannonEntropy(q);
  return prediction;
}

TEST(ProbeMetricsTest, CountsConfusionPrecisionAndRecall) {
  const ProbeMetrics metrics = MeasureProbe(
      {Make(0, {0.9, 0.1}), Make(0, {0.8, 0.2}), Make(0, {0.4, 0.6}), Make(1, {0.3, 0.7})}, 2);
  EXPECT_EQ(metrics.confusion, (std::vector<std::vector<int>>{{2, 1}, {0, 1}}));
  EXPECT_DOUBLE_EQ(metrics.accuracy, 0.75);
  EXPECT_DOUBLE_EQ(metrics.labels[0].precision, 1);
  EXPECT_DOUBLE_EQ(metrics.labels[0].recall, 2.0 / 3);
  EXPECT_DOUBLE_EQ(metrics.labels[1].precision, 0.5);
  EXPECT_NEAR(metrics.nll, -(std::log(0.9) + std::log(0.8) + std::log(0.4) + std::log(0.7)) / 4,
              1e-12);
}

TEST(ProbeMetricsTest, CalibrationErrorIsTheGapOfConfidenceAndAccuracy) {
  std::vector<Prediction> predictions;
  for (int i = 0; i < 10; ++i) predictions.push_back(Make(i < 6 ? 0 : 1, {0.99, 0.01}));
  const ProbeMetrics metrics = MeasureProbe(predictions, 2);
  EXPECT_NEAR(metrics.ece, 0.39, 1e-9);  // says 99 %, is right in 60 %
  EXPECT_LT(metrics.ece_interval.low, 0.39);
  EXPECT_GT(metrics.ece_interval.high, 0.39);
}

TEST(ProbeMetricsTest, QueriesThatComeTrueAsOftenAsTheySayHaveNoError) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> uniform(0.5, 1);
  std::vector<Prediction> predictions;
  for (int i = 0; i < 10'000; ++i) {
    const double p = uniform(random);
    predictions.push_back(Make(uniform(random) * 2 - 1 < p ? 0 : 1, {p, 1 - p}));
  }
  EXPECT_LT(MeasureProbe(predictions, 2).ece, 0.02);
}

TEST(ProbeMetricsTest, WeightsChangeSharesAndNotCounts) {
  const ProbeMetrics metrics = MeasureProbe({Make(0, {0.9, 0.1}, 3), Make(1, {0.9, 0.1}, 1)}, 2);
  EXPECT_DOUBLE_EQ(metrics.accuracy, 0.75);
  EXPECT_EQ(metrics.labels[0].count, 1);
}

TEST(ProbeMetricsTest, RiskFallsWhereTheUnsureAreLeftOut) {
  const ProbeMetrics metrics = MeasureProbe(
      {Make(0, {0.55, 0.45}), Make(1, {0.55, 0.45}), Make(0, {0.9, 0.1}), Make(0, {0.99, 0.01})},
      2);
  ASSERT_EQ(metrics.risk_coverage.size(), 3u);  // two are equally sure: let through together
  EXPECT_DOUBLE_EQ(metrics.risk_coverage[1].coverage, 0.5);
  EXPECT_DOUBLE_EQ(metrics.risk_coverage[1].risk, 0);
  EXPECT_DOUBLE_EQ(metrics.risk_coverage[2].coverage, 1);
  EXPECT_DOUBLE_EQ(metrics.risk_coverage[2].risk, 0.25);
}

TEST(ProbeMetricsTest, EntropiesAreCountedByRightAndWrong) {
  const ProbeMetrics metrics =
      MeasureProbe({Make(0, {1, 0}), Make(1, {0.5, 0.5}), Make(0, {0.5, 0.5})}, 2);
  EXPECT_EQ(metrics.entropies.front().right, 1);
  EXPECT_EQ(metrics.entropies.back().right, 1);
  EXPECT_EQ(metrics.entropies.back().wrong, 1);
  EXPECT_NEAR(metrics.entropies.back().high, std::log(2), 1e-12);
}

}  // namespace
}  // namespace aio
