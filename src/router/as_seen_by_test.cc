#include "router/as_seen_by.h"

#include <gtest/gtest.h>

namespace aio {
namespace {

Signals Probed(int prompt_tokens) {
  Signals signals;
  signals.prompt_tokens = prompt_tokens;
  signals.intent =
      IntentDistribution{.labels = {"code", "qa"}, .probabilities = {0.9, 0.1}, .entropy = 0.325};
  signals.label_logits = {2.2f, 0};
  return signals;
}

TEST(AsSeenByTest, APolicyThatAsksSeesAll) {
  const Signals signals = Probed(100);
  EXPECT_EQ(AsSeenBy(RoutingPolicy::Paper(), signals), signals);
  EXPECT_FALSE(LacksProbe(RoutingPolicy::Paper(), signals));
}

TEST(AsSeenByTest, OfALongerPromptThanItProbesItSeesNoIntent) {
  const Signals seen = AsSeenBy(RoutingPolicy::Paper(), Probed(2049));
  EXPECT_FALSE(seen.intent.has_value());
  EXPECT_TRUE(seen.label_logits.empty());
  EXPECT_EQ(seen.prompt_tokens, 2049);
  EXPECT_FALSE(LacksProbe(RoutingPolicy::Paper(), seen));
}

TEST(AsSeenByTest, AnAnswersBeginningIsForCascadesThatLookAtAsMuch) {
  const auto cascade = RoutingPolicy::FromToml(R"(
version = 1
name = "cascade"
kind = "cascade"
[cascade]
tokens = 16
entropy_max = 0.9
)",
                                               "cascade.toml");
  ASSERT_TRUE(cascade.ok()) << cascade.status().ToString();
  Signals signals = Probed(100);
  signals.first_tokens = FirstTokens{.tokens = 16, .entropy_mean = 0.5};
  EXPECT_TRUE(AsSeenBy(*cascade, signals).first_tokens.has_value());
  EXPECT_FALSE(AsSeenBy(RoutingPolicy::Paper(), signals).first_tokens.has_value());
  signals.first_tokens->tokens = 8;
  EXPECT_FALSE(AsSeenBy(*cascade, signals).first_tokens.has_value());
}

TEST(AsSeenByTest, WhatNobodyAskedIsLacking) {
  Signals signals;
  signals.prompt_tokens = 100;
  EXPECT_TRUE(LacksProbe(RoutingPolicy::Paper(), signals));
  signals.probe_fault = "unavailable: gone";
  EXPECT_FALSE(LacksProbe(RoutingPolicy::Paper(), signals)) << "it was asked";
}

}  // namespace
}  // namespace aio
