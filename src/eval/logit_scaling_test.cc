#include "eval/logit_scaling.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace aio {
namespace {

// Queries whose labels are drawn from softmax((z - bias) / temperature).
std::vector<LabelledLogits> Draw(const LogitScaling& truth, int count) {
  std::mt19937 random(3);
  std::normal_distribution<float> logit(0, 4);
  std::uniform_real_distribution<double> uniform(0, 1);
  std::vector<LabelledLogits> queries;
  for (int i = 0; i < count; ++i) {
    LabelledLogits query{.logits = {logit(random), logit(random), logit(random)}};
    const std::vector<double> p = ScaledProbabilities(truth, query.logits);
    double left = uniform(random);
    while (query.label < 2 && left >= p[static_cast<size_t>(query.label)]) {
      left -= p[static_cast<size_t>(query.label++)];
    }
    queries.push_back(query);
  }
  return queries;
}

TEST(LogitScalingTest, FindsTheTemperatureThatQueriesWereDrawnWith) {
  const LogitScaling truth{.bias = {0, 0, 0}, .temperature = 2.5};
  const LogitScaling fit = FitTemperature(Draw(truth, 20'000), {0, 0, 0});
  EXPECT_NEAR(fit.temperature, 2.5, 0.1);
}

TEST(LogitScalingTest, FindsTheBiasThatQueriesWereDrawnWith) {
  const LogitScaling truth{.bias = {1.5, -0.5, -1.0}, .temperature = 0.7};
  const LogitScaling fit = FitBiasAndTemperature(Draw(truth, 20'000));
  EXPECT_NEAR(fit.temperature, 0.7, 0.05);
  for (size_t j = 0; j < 3; ++j) EXPECT_NEAR(fit.bias[j], truth.bias[j], 0.12) << j;
}

TEST(LogitScalingTest, NoFitIsWorseThanNone) {
  const std::vector<LabelledLogits> queries =
      Draw({.bias = {0.5, 0, -0.5}, .temperature = 3}, 2'000);
  const double none = NegativeLogLikelihood(LogitScaling::None(3), queries);
  const double temperature = NegativeLogLikelihood(FitTemperature(queries, {0, 0, 0}), queries);
  const double both = NegativeLogLikelihood(FitBiasAndTemperature(queries), queries);
  EXPECT_LT(temperature, none);
  EXPECT_LT(both, temperature);
}

TEST(LogitScalingTest, QueriesThatAreAllRightMakeNobodyInfinitelySure) {
  std::vector<LabelledLogits> queries;
  for (int i = 0; i < 30; ++i) {
    LabelledLogits query{.logits = {0, 0, 0}, .label = i % 3};
    query.logits[static_cast<size_t>(i % 3)] = 5;
    queries.push_back(query);
  }
  const std::vector<double> p =
      ScaledProbabilities(FitTemperature(queries, {0, 0, 0}), queries[0].logits);
  // Thirty were right: the target is 31/32.
  EXPECT_NEAR(p[0], 31.0 / 32, 1e-6);
  const LogitScaling fitted = FitBiasAndTemperature(queries);
  EXPECT_TRUE(std::isfinite(fitted.bias[0]) && std::isfinite(fitted.temperature));
}

TEST(LogitScalingTest, WeightsCountAsRepetitions) {
  std::vector<LabelledLogits> queries = Draw({.bias = {0, 0, 0}, .temperature = 2}, 300);
  std::vector<LabelledLogits> repeated = queries;
  repeated.insert(repeated.end(), queries.begin(), queries.begin() + 100);
  for (size_t i = 0; i < 100; ++i) queries[i].weight = 2;
  EXPECT_NEAR(NegativeLogLikelihood(LogitScaling::None(3), queries),
              NegativeLogLikelihood(LogitScaling::None(3), repeated), 1e-9);
}

TEST(LogitScalingTest, ContentFreeBiasIsWhatAProbeSaysToNothing) {
  const std::vector<double> bias = ContentFreeBias({{2, 0, -2}, {12, 10, 8}});
  EXPECT_NEAR(bias[0], 2, 1e-6);
  EXPECT_NEAR(bias[1], 0, 1e-6);
  EXPECT_NEAR(bias[2], -2, 1e-6);
  // Taken off, nothing says nothing.
  for (const double p : ScaledProbabilities({.bias = bias, .temperature = 1}, {2, 0, -2})) {
    EXPECT_NEAR(p, 1.0 / 3, 1e-6);
  }
}

}  // namespace
}  // namespace aio
