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

TEST(AsSeenByTest, WhatNobodyAskedIsLacking) {
  Signals signals;
  signals.prompt_tokens = 100;
  EXPECT_TRUE(LacksProbe(RoutingPolicy::Paper(), signals));
  signals.probe_fault = "unavailable: gone";
  EXPECT_FALSE(LacksProbe(RoutingPolicy::Paper(), signals)) << "it was asked";
}

}  // namespace
}  // namespace aio
