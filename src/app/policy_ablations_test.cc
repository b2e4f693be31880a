#include "app/policy_ablations.h"

#include <gtest/gtest.h>

#include <string>

#include "router/signals.h"

namespace aio {
namespace {

// A request of `tokens` tokens whose probe says `label`, and how sure it is.
Signals Seen(const std::string& label, float lead, int tokens = 100) {
  Signals signals;
  const std::vector<std::string> labels = {"code", "qa", "math"};
  std::vector<float> logits(3);
  for (size_t i = 0; i < 3; ++i) logits[i] = labels[i] == label ? lead : 0;
  signals.intent = *IntentDistribution::FromLogits(labels, logits);
  signals.label_logits = logits;
  signals.prompt_tokens = tokens;
  return signals;
}

RoutingPolicy Without(const RoutingPolicy& policy, Ablation ablation) {
  auto ablated = Ablate(policy, ablation);
  EXPECT_TRUE(ablated.ok()) << ablated.status().ToString();
  EXPECT_TRUE(ablated->has_value()) << AblationName(ablation);
  return **ablated;
}

RoutingPolicy FromFile(const std::string& name) {
  auto policy = RoutingPolicy::FromFile(std::string(AIO_SOURCE_DIR) + "/policy/" + name);
  EXPECT_TRUE(policy.ok()) << policy.status().ToString();
  return *policy;
}

TEST(PolicyAblations, WithoutModelRoutingTheLargeModelAnswersByTheIntentsStrategy) {
  const RoutingPolicy policy = Without(RoutingPolicy::Paper(), Ablation::kModelRouting);
  EXPECT_EQ(policy.name(), "paper, no model routing");
  const PolicyOutcome code = policy.Decide(Seen("code", 20));
  EXPECT_EQ(code.role, "large");
  EXPECT_EQ(code.strategy.kind, StrategyKind::kPlain);
  const PolicyOutcome math = policy.Decide(Seen("math", 20));
  EXPECT_EQ(math.role, "large");
  EXPECT_EQ(math.strategy.kind, StrategyKind::kPromptLookup);
}

TEST(PolicyAblations, WithoutTheStrategySwitchAllIsPlain) {
  const RoutingPolicy policy = Without(RoutingPolicy::Paper(), Ablation::kStrategySwitch);
  EXPECT_EQ(policy.Decide(Seen("code", 20)).role, "small");
  const PolicyOutcome qa = policy.Decide(Seen("qa", 20));
  EXPECT_EQ(qa.role, "large");
  EXPECT_EQ(qa.strategy.kind, StrategyKind::kPlain);
}

TEST(PolicyAblations, WithoutTheEntropyFallbackDoubtDoesNotCount) {
  const Signals unsure = Seen("code", 0.2f);
  EXPECT_EQ(RoutingPolicy::Paper().Decide(unsure).role, "large");
  const RoutingPolicy policy = Without(RoutingPolicy::Paper(), Ablation::kEntropyFallback);
  EXPECT_EQ(policy.Decide(unsure).role, "small");
  EXPECT_EQ(policy.Decide(Seen("code", 20, 3000)).role, "large");  // the context still does
}

TEST(PolicyAblations, WithoutTheContextRuleLongPromptsAreProbedAndRouted) {
  const Signals long_code = Seen("code", 20, 3000);
  EXPECT_EQ(RoutingPolicy::Paper().Decide(long_code).role, "large");
  const RoutingPolicy policy = Without(RoutingPolicy::Paper(), Ablation::kContextRule);
  EXPECT_GT(policy.probe_prompt_tokens_max(), 1'000'000);
  EXPECT_EQ(policy.Decide(long_code).role, "small");
  EXPECT_EQ(policy.Decide(Seen("code", 0.2f, 3000)).role, "large");  // doubt still counts
}

// A rule that only the entropy told from the next leaves that one nothing.
TEST(PolicyAblations, RulesThatCannotBeReachedAreLeftOut) {
  const auto policy = RoutingPolicy::FromToml(R"(
version = 1
name = "tight"
probe_prompt_tokens_max = 2048
[[rule]]
name = "sure"
intents = ["code"]
entropy_max = 0.4
doubts_allowed = true
role = "small"
strategy = "plain"
[[rule]]
name = "unsure"
intents = ["code"]
role = "large"
strategy = "auto"
[[rule]]
name = "otherwise"
role = "large"
strategy = "plain"
)",
                                              "t.toml");
  ASSERT_TRUE(policy.ok());
  const RoutingPolicy ablated = Without(*policy, Ablation::kEntropyFallback);
  ASSERT_EQ(ablated.rules().size(), 2u);
  EXPECT_EQ(ablated.rules()[1].name, "otherwise");
}

TEST(PolicyAblations, EveryAblationOfTheBundledPoliciesDecides) {
  for (const char* file : {"paper.toml", "auto.toml", "utility.toml"}) {
    const RoutingPolicy policy = FromFile(file);
    for (const Ablation ablation : AllAblations()) {
      const auto ablated = Ablate(policy, ablation);
      ASSERT_TRUE(ablated.ok()) << file << ": " << ablated.status().ToString();
      if (!ablated->has_value()) continue;
      EXPECT_FALSE((*ablated)->Decide(Seen("code", 20)).role.empty());
    }
  }
}

TEST(PolicyAblations, OfAUtilityPolicyTheSmallModelIsWorthNothing) {
  const RoutingPolicy policy = FromFile("utility.toml");
  EXPECT_EQ(policy.Decide(Seen("code", 20)).role, "small");
  EXPECT_EQ(Without(policy, Ablation::kModelRouting).Decide(Seen("code", 20)).role, "large");
}

TEST(PolicyAblations, WhatAPolicyHasNotCannotBeTakenOut) {
  const auto utility = Ablate(FromFile("utility.toml"), Ablation::kEntropyFallback);
  ASSERT_TRUE(utility.ok());
  EXPECT_FALSE(utility->has_value());
  const auto fixed = Ablate(FromFile("static-large.toml"), Ablation::kModelRouting);
  ASSERT_TRUE(fixed.ok());
  EXPECT_FALSE(fixed->has_value());
}

}  // namespace
}  // namespace aio
