#include "router/intent_distribution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace aio {
namespace {

using ::testing::HasSubstr;

TEST(IntentDistribution, UniformIsLnOfTheNumberOfLabels) {
  const auto intent = IntentDistribution::FromLogits({"a", "b", "c"}, {-7.5f, -7.5f, -7.5f});
  ASSERT_TRUE(intent.ok());
  EXPECT_NEAR(intent->entropy, std::log(3.0), 1e-15);
  for (double p : intent->probabilities) EXPECT_NEAR(p, 1.0 / 3, 1e-15);
  EXPECT_EQ(intent->top(), 0u);  // the first of equals
}

TEST(IntentDistribution, KnownValues) {
  const auto logit = [](double p) { return static_cast<float>(std::log(p)); };
  const auto intent =
      IntentDistribution::FromLogits({"a", "b", "c"}, {logit(0.25), logit(0.5), logit(0.25)});
  ASSERT_TRUE(intent.ok());
  EXPECT_NEAR(intent->entropy, 1.5 * std::log(2.0), 1e-7);
  EXPECT_NEAR(intent->probabilities[1], 0.5, 1e-7);
  EXPECT_EQ(intent->top(), 1u);
}

TEST(IntentDistribution, ExtremesStayFinite) {
  const float max = std::numeric_limits<float>::max();
  const auto intent = IntentDistribution::FromLogits({"a", "b", "c"}, {-max, max, 0});
  ASSERT_TRUE(intent.ok());
  EXPECT_EQ(intent->entropy, 0.0);
  EXPECT_EQ(intent->probabilities[1], 1.0);
  const auto one = IntentDistribution::FromLogits({"a"}, {3});
  ASSERT_TRUE(one.ok());
  EXPECT_EQ(one->entropy, 0.0);
}

TEST(IntentDistribution, ScoresThatAreNoNumbersAreFaults) {
  const float inf = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (float bad : {inf, -inf, nan}) {
    const auto intent = IntentDistribution::FromLogits({"a", "b"}, {0, bad});
    EXPECT_EQ(intent.status().code(), StatusCode::kInternal);
    EXPECT_THAT(intent.status().message(), HasSubstr("score of label 'b' is"));
  }
  EXPECT_THAT(IntentDistribution::FromLogits({"a", "b"}, {0}).status().message(),
              HasSubstr("1 scores for 2 labels"));
  EXPECT_FALSE(IntentDistribution::FromLogits({}, {}).ok());
}

TEST(IntentDistribution, CalibrationTakesTheBiasOffAndFlattens) {
  // ln 4 - ln 2 = ln 2 over a temperature of 1/2: odds of 4.
  const ProbeCalibration calibration{
      .labels = {"b", "a"}, .bias = {0, std::log(2.0)}, .temperature = 0.5};
  const auto intent = IntentDistribution::FromLogits(
      {"a", "b"}, {static_cast<float>(std::log(4.0)), 0.0f}, calibration);
  ASSERT_TRUE(intent.ok());
  EXPECT_NEAR(intent->probabilities[0], 0.8, 1e-7);
  EXPECT_NEAR(intent->entropy, -0.8 * std::log(0.8) - 0.2 * std::log(0.2), 1e-7);
  EXPECT_NEAR(intent->second_probability(), 0.2, 1e-7);
  EXPECT_NEAR(intent->ProbabilityOf("b"), 0.2, 1e-7);
  EXPECT_EQ(intent->ProbabilityOf("c"), 0);
}

TEST(IntentDistribution, ACalibrationOfOtherLabelsIsAFault) {
  const ProbeCalibration calibration{.labels = {"a", "c"}, .bias = {0, 0}, .temperature = 1};
  EXPECT_THAT(IntentDistribution::FromLogits({"a", "b"}, {0, 0}, calibration).status().message(),
              HasSubstr("does not know the label 'b'"));
}

}  // namespace
}  // namespace aio
