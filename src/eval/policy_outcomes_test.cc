#include "eval/policy_outcomes.h"

#include <gtest/gtest.h>

namespace aio {
namespace {

Signals Seen(const std::string& intent) {
  Signals signals;
  signals.intent = IntentDistribution{
      .labels = {"code", "qa"},
      .probabilities = {intent == "code" ? 0.99 : 0.01, intent == "code" ? 0.01 : 0.99},
      .entropy = 0.05};
  signals.prompt_tokens = 10;
  return signals;
}

// Small is right on code only.
TEST(PolicyOutcomesTest, LooksUpWhatTheChosenModelMade) {
  std::vector<OutcomeQuery> queries;
  std::vector<Signals> signals;
  for (int i = 0; i < 100; ++i) {
    const bool code = i % 4 == 0;
    queries.push_back({.prompt = std::to_string(i), .small = code ? 1.0 : 0.0, .large = 1.0});
    signals.push_back(Seen(code ? "code" : "qa"));
  }
  const PolicyOnOutcomes out = ReplayOutcomes(RoutingPolicy::Paper(), queries, signals);
  EXPECT_EQ(out.queries, 100);
  EXPECT_EQ(out.on_small, 25);
  EXPECT_NEAR(out.quality, 1, 1e-12);
  EXPECT_NEAR(out.all_small, 0.25, 1e-12);
  EXPECT_NEAR(out.all_large, 1, 1e-12);
  EXPECT_NEAR(out.to_large.value, 0, 1e-12);
  EXPECT_NEAR(out.to_random.value, 0.25 * 0.75, 1e-12) << "random loses where small is wrong";
  EXPECT_GT(out.to_random.low, 0);
}

TEST(PolicyOutcomesTest, WhatIsLostIsSaidWithItsInterval) {
  std::vector<OutcomeQuery> queries;
  std::vector<Signals> signals;
  for (int i = 0; i < 400; ++i) {
    // Code, which all goes to the small model, which is wrong on a tenth of it.
    queries.push_back({.prompt = std::to_string(i), .small = i % 10 ? 1.0 : 0.0, .large = 1.0});
    signals.push_back(Seen("code"));
  }
  const PolicyOnOutcomes out = ReplayOutcomes(RoutingPolicy::Paper(), queries, signals);
  EXPECT_NEAR(out.to_large.value, -0.1, 1e-12);
  EXPECT_NEAR(out.to_large.low, -0.1 - 1.96 * 0.3 / 20, 1e-3);
  EXPECT_NEAR(out.to_large.high, -0.1 + 1.96 * 0.3 / 20, 1e-3);
  EXPECT_NEAR(out.to_random.value, 0, 1e-12) << "all on one model is random with that share";
}

}  // namespace
}  // namespace aio
