#include "router/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace aio {
namespace {

using ::testing::HasSubstr;

Signals Probed(std::vector<float> logits, int prompt_tokens) {
  Signals signals;
  signals.label_logits = std::move(logits);
  signals.intent =
      IntentDistribution::FromLogits({"code", "qa", "math"}, signals.label_logits).value();
  signals.prompt_tokens = prompt_tokens;
  return signals;
}

const Turn* Find(const Explanation& explanation, const std::string& what) {
  for (const Turn& turn : explanation.turns) {
    if (turn.what == what) return &turn;
  }
  return nullptr;
}

TEST(Explain, ChecksEveryRuleWithItsMargins) {
  const Explanation explained = Explain(RoutingPolicy::Paper(), Probed({6, 0, 0}, 57));
  ASSERT_EQ(explained.rules.size(), 4u);
  const RuleCheck& fired = explained.rules[0];
  EXPECT_TRUE(fired.fired);
  ASSERT_EQ(fired.conditions.size(), 3u);
  EXPECT_EQ(fired.conditions[0].text, "code is code");
  EXPECT_EQ(fired.conditions[1].text, "57 tokens <= 2048");
  EXPECT_EQ(fired.conditions[1].margin, 1991);
  EXPECT_EQ(fired.conditions[2].text, "entropy 0.03 <= 0.45");
  EXPECT_NEAR(*fired.conditions[2].margin, 0.45 - explained.outcome.intent->entropy, 1e-12);
  EXPECT_FALSE(explained.rules[2].fired);
  EXPECT_EQ(explained.rules[2].conditions[0].text, "code is not qa or math");
  EXPECT_FALSE(explained.rules[2].conditions[0].holds);
}

// What it says would change the decision does, and a little less does not.
TEST(Explain, FindsHowFarTheOtherModelIs) {
  const RoutingPolicy policy = RoutingPolicy::Paper();
  const Signals signals = Probed({6, 0, 0}, 57);
  const Explanation explained = Explain(policy, signals);
  const Turn* code = Find(explained, "code");
  ASSERT_NE(code, nullptr);
  EXPECT_EQ(code->role, "large");
  EXPECT_THAT(code->reason, HasSubstr("(rule code-large)"));
  EXPECT_LT(code->change, 0);
  const float change = static_cast<float>(code->change);
  EXPECT_EQ(policy.Decide(Probed({6 + change, 0, 0}, 57)).role, "large");
  EXPECT_EQ(policy.Decide(Probed({6 + change + 0.01f, 0, 0}, 57)).role, "small");

  const Turn* length = Find(explained, "prompt_tokens");
  ASSERT_NE(length, nullptr);
  EXPECT_EQ(length->change, 2049 - 57);
  EXPECT_THAT(length->reason, HasSubstr("not probed, 2049 tokens > 2048"));
}

TEST(Explain, SaysWhenNothingIsNear) {
  const Explanation unprobed = Explain(RoutingPolicy::Paper(), [] {
    Signals signals;
    signals.prompt_tokens = 5000;
    return signals;
  }());
  EXPECT_TRUE(unprobed.turns.empty());
  const Explanation fixed = Explain(
      RoutingPolicy::FromToml("version = 1\nname = \"s\"\nkind = \"static-small\"\n", "s.toml")
          .value(),
      Signals{});
  EXPECT_TRUE(fixed.turns.empty());
  EXPECT_TRUE(fixed.rules.empty());
}

TEST(Explain, WithoutArmsTheCostsAreThoseOfTheModels) {
  Signals signals = Probed({6, 0, 0}, 57);
  signals.answer_tokens_max = 100;
  signals.small.load.step_ms = 10;
  signals.small.weight_bytes = 2'000'000'000;
  signals.large.weight_bytes = 14'000'000'000;
  const Explanation explained = Explain(RoutingPolicy::Paper(), signals);
  EXPECT_EQ(explained.answer_tokens, 100);
  ASSERT_EQ(explained.costs.size(), 2u);
  EXPECT_TRUE(explained.costs[0].chosen);
  EXPECT_EQ(explained.costs[0].accuracy, std::nullopt);
  EXPECT_NEAR(*explained.costs[0].seconds, 1.0, 1e-12);
  EXPECT_EQ(*explained.costs[0].gigabytes, 200);
  EXPECT_FALSE(explained.costs[1].chosen);
  EXPECT_EQ(explained.costs[1].seconds, std::nullopt) << "its steps are not measured";
  EXPECT_EQ(*explained.costs[1].gigabytes, 1400);
}

TEST(Explain, ArmsAreWorthWhatTheyDecideBy) {
  const RoutingPolicy policy =
      RoutingPolicy::FromFile(AIO_SOURCE_DIR "/policy/utility.toml").value();
  const Explanation explained = Explain(policy, Probed({0, 6, 0}, 57));
  ASSERT_EQ(explained.costs.size(), 3u);
  EXPECT_TRUE(explained.costs[1].chosen);
  for (const ArmCost& cost : explained.costs) {
    ASSERT_TRUE(cost.utility && cost.accuracy && cost.seconds && cost.gigabytes);
    EXPECT_LE(*cost.utility, *explained.costs[1].utility);
  }
  const Turn* code = Find(explained, "code");
  ASSERT_NE(code, nullptr);
  EXPECT_GT(code->change, 0);
  EXPECT_EQ(code->role, "small");
}

}  // namespace
}  // namespace aio
