#include "router/routing_policy.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <limits>
#include <sstream>
#include <thread>

#include "router/paper_policy.h"

namespace aio {
namespace {

using ::testing::HasSubstr;

Signals Probed(std::string top, double entropy, int prompt_tokens) {
  Signals signals;
  IntentDistribution intent{
      .labels = {"code", "qa", "math"}, .probabilities = {0.1, 0.1, 0.1}, .entropy = entropy};
  for (size_t i = 0; i < 3; ++i) {
    if (intent.labels[i] == top) intent.probabilities[i] = 0.8;
  }
  signals.intent = intent;
  signals.prompt_tokens = prompt_tokens;
  return signals;
}

Signals Unprobed(int prompt_tokens) {
  Signals signals;
  signals.prompt_tokens = prompt_tokens;
  return signals;
}

Strategy PromptLookup() {
  return {.kind = StrategyKind::kPromptLookup,
          .prompt_lookup_max = 6,
          .prompt_lookup_min = 1,
          .num_speculative_tokens = 2};
}

// --- the paper's rules -----------------------------------------------------------------

TEST(PaperPolicy, IsTheFileInTheRepository) {
  std::ifstream file(AIO_SOURCE_DIR "/policy/paper.toml");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(PaperPolicyToml(), text.str());
}

TEST(PaperPolicy, HasThePapersNumbers) {
  const RoutingPolicy policy = RoutingPolicy::Paper();
  EXPECT_EQ(policy.name(), "paper");
  EXPECT_EQ(policy.probe_prompt_tokens_max(), 2048);
  ASSERT_EQ(policy.rules().size(), 4u);
  EXPECT_EQ(policy.rules()[0].prompt_tokens_max, 2048);
  EXPECT_EQ(policy.rules()[0].entropy_max, 0.45);
  EXPECT_EQ(policy.rules()[2].strategy, PromptLookup());
}

TEST(PaperPolicy, TruthTable) {
  const double above = std::nextafter(0.45, 1.0);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  struct Row {
    Signals signals;
    std::string role;
    StrategyKind strategy;
    std::string rule;
    std::string reason;
  };
  const StrategyKind plain = StrategyKind::kPlain;
  const StrategyKind lookup = StrategyKind::kPromptLookup;
  const std::vector<Row> rows = {
      {Probed("code", 0.03, 57), "small", plain, "code-small",
       "code, 57 tokens <= 2048, entropy 0.03 <= 0.45: small model answers (rule code-small)"},
      {Probed("code", 0, 1), "small", plain, "code-small",
       "code, 1 tokens <= 2048, entropy 0.00 <= 0.45: small model answers (rule code-small)"},
      {Probed("code", 0.45, 2048), "small", plain, "code-small",
       "code, 2048 tokens <= 2048, entropy 0.45 <= 0.45: small model answers (rule code-small)"},
      {Probed("code", 0.45, 2049), "large", plain, "code-large",
       "code, 2049 tokens > 2048: large model answers (rule code-large)"},
      {Probed("code", 0.61, 57), "large", plain, "code-large",
       "code, entropy 0.61 > 0.45: large model answers (rule code-large)"},
      {Probed("code", 0.4502, 57), "large", plain, "code-large",
       "code, entropy 0.4502 > 0.4500: large model answers (rule code-large)"},
      {Probed("code", above, 57), "large", plain, "code-large",
       "code, entropy 0.4500000000000001 > 0.4500000000000000: large model answers "
       "(rule code-large)"},
      {Probed("code", nan, 57), "large", plain, "code-large",
       "code, entropy nan > 0.45: large model answers (rule code-large)"},
      {Probed("qa", 0.01, 57), "large", lookup, "knowledge",
       "qa: large model answers with prompt_lookup (rule knowledge)"},
      {Probed("qa", 1.0986, 2048), "large", lookup, "knowledge",
       "qa: large model answers with prompt_lookup (rule knowledge)"},
      {Probed("math", 0.45, 3000), "large", lookup, "knowledge",
       "math: large model answers with prompt_lookup (rule knowledge)"},
      {Unprobed(2049), "large", plain, "otherwise",
       "not probed, 2049 tokens > 2048: large model answers (rule otherwise)"},
      {Unprobed(2047), "large", plain, "otherwise",
       "not probed, too long with the probe's template: large model answers (rule otherwise)"},
  };
  const RoutingPolicy policy = RoutingPolicy::Paper();
  for (const Row& row : rows) {
    const PolicyOutcome outcome = policy.Decide(row.signals);
    EXPECT_EQ(outcome.role, row.role) << row.reason;
    EXPECT_EQ(outcome.strategy.kind, row.strategy) << row.reason;
    EXPECT_EQ(outcome.rule, row.rule) << row.reason;
    EXPECT_EQ(outcome.reason, row.reason);
  }
}

TEST(PaperPolicy, TheClientsThresholdReplacesTheRules) {
  const RoutingPolicy policy = RoutingPolicy::Paper();
  Signals signals = Probed("code", 0.61, 57);
  signals.entropy_threshold = 0.8;
  EXPECT_EQ(policy.Decide(signals).role, "small");
  EXPECT_EQ(policy.Decide(signals).reason,
            "code, 57 tokens <= 2048, entropy 0.61 <= the client's 0.80: small model answers "
            "(rule code-small)");
  signals.entropy_threshold = 0.61;
  EXPECT_EQ(policy.Decide(signals).role, "small");
  signals.entropy_threshold = 0.0;
  EXPECT_EQ(policy.Decide(signals).role, "large");
  signals.entropy_threshold = 1e300;
  EXPECT_EQ(policy.Decide(signals).role, "small");
  EXPECT_LT(policy.Decide(signals).reason.size(), 200u);
  // Rules without a threshold do not get one.
  signals = Probed("qa", 0.9, 57);
  signals.entropy_threshold = 0.1;
  EXPECT_EQ(policy.Decide(signals).rule, "knowledge");
}

TEST(PaperPolicy, TheClientsStrategyReplacesTheRules) {
  const RoutingPolicy policy = RoutingPolicy::Paper();
  Signals signals = Probed("qa", 0.1, 57);
  signals.strategy = Strategy{};
  EXPECT_EQ(policy.Decide(signals).strategy, Strategy{});
  EXPECT_EQ(policy.Decide(signals).reason,
            "qa: large model answers with plain as the client asked (rule knowledge)");
  signals = Probed("code", 0.1, 57);
  signals.strategy = PromptLookup();
  signals.strategy->num_speculative_tokens = 9;
  EXPECT_EQ(policy.Decide(signals).strategy.num_speculative_tokens, 9);
  EXPECT_EQ(policy.Decide(signals).role, "small");
}

TEST(PaperPolicy, AFailedProbeGivesTheLargeModel) {
  Signals signals = Unprobed(57);
  signals.probe_fault = "unavailable: gone";
  const PolicyOutcome outcome = RoutingPolicy::Paper().Decide(signals);
  EXPECT_EQ(outcome.role, "large");
  EXPECT_EQ(outcome.reason,
            "probe failed (unavailable: gone): large model answers (rule otherwise)");
}

TEST(RoutingPolicy, AFailedProbeNeverGivesTheSmallModel) {
  const auto policy = RoutingPolicy::FromToml(R"(
    version = 1
    name = "cheap"
    probe_prompt_tokens_max = 100
    rule = [{ name = "all", role = "small", strategy = "plain" }])",
                                              "cheap.toml");
  ASSERT_TRUE(policy.ok()) << policy.status().ToString();
  Signals signals = Unprobed(5);
  EXPECT_EQ(policy->Decide(signals).role, "small");
  signals.probe_fault = "resource_exhausted: queue full";
  EXPECT_EQ(policy->Decide(signals).role, "large");
}

// Same signals, same outcome: whatever was asked before, and from any thread.
TEST(RoutingPolicy, DecideIsPure) {
  const RoutingPolicy policy = RoutingPolicy::Paper();
  std::vector<Signals> all;
  for (const char* label : {"code", "qa", "math"}) {
    for (double entropy : {0.0, 0.45, 0.46, 1.0}) {
      for (int tokens : {1, 2048, 2049}) all.push_back(Probed(label, entropy, tokens));
    }
  }
  std::vector<std::string> once;
  for (const Signals& signals : all) once.push_back(policy.Decide(signals).reason);
  const auto again = [&] {
    for (size_t i = all.size(); i-- > 0;) EXPECT_EQ(policy.Decide(all[i]).reason, once[i]);
  };
  std::thread other(again);
  again();
  other.join();
}

TEST(RoutingPolicy, ReasonsStayShortWhateverTheNames) {
  const std::string name(32, 'x');
  const auto policy = RoutingPolicy::FromToml(
      "version = 1\nname = \"long\"\nprobe_prompt_tokens_max = 2147483647\n"
      "[[rule]]\nname = \"a\"\nentropy_max = 0.45\nrole = \"small\"\nstrategy = \"plain\"\n"
      "[[rule]]\nname = \"" +
          name + "\"\nintents = [\"" + name +
          "\"]\nprompt_tokens_max = 2147483647\nrole = \"large\"\nstrategy = \"plain\"\n"
          "[[rule]]\nname = \"last\"\nrole = \"large\"\nstrategy = \"plain\"\n",
      "long.toml");
  ASSERT_TRUE(policy.ok()) << policy.status().ToString();
  Signals signals = Probed("", 0.45, std::numeric_limits<int>::max());
  signals.intent->labels[0] = name;
  signals.entropy_threshold = std::nextafter(0.45, 0.0);
  signals.strategy = PromptLookup();
  EXPECT_EQ(policy->Decide(signals).rule, name);
  EXPECT_EQ(policy->Decide(signals).reason.size(), 199u);  // cut, it would be 215

  signals = Unprobed(5);
  signals.probe_fault = std::string(500, 'f');
  EXPECT_EQ(policy->Decide(signals).reason.size(), 199u);
}

// --- arms: strategy and weights ----------------------------------------------------------

// "code" to the small model; all else to the large one's W8A16 weights with draft_model.
RoutingPolicy Arms() {
  return RoutingPolicy::FromToml(R"(
    version = 1
    name = "arms"
    probe_prompt_tokens_max = 100
    rule = [
      { name = "code", intents = ["code"], role = "small", strategy = "plain" },
      { name = "rest", role = "large", strategy = "draft_model", weights = "w8a16" },
    ])",
                                 "arms.toml")
      .value();
}

Signals Resident(Signals signals, std::vector<std::string> small, std::vector<std::string> large) {
  signals.small.variants = std::move(small);
  signals.large.variants = std::move(large);
  return signals;
}

TEST(RoutingPolicy, ARuleChoosesTheWeights) {
  const PolicyOutcome outcome = Arms().Decide(Resident(Probed("qa", 0.1, 5), {}, {"w8a16"}));
  EXPECT_EQ(outcome.weights, "w8a16");
  EXPECT_EQ(outcome.strategy.kind, StrategyKind::kDraftModel);
  EXPECT_EQ(outcome.reason, "qa: large model answers with draft_model on w8a16 (rule rest)");
}

TEST(RoutingPolicy, TheClientsWeightsReplaceTheRules) {
  Signals signals = Resident(Probed("qa", 0.1, 5), {}, {"w8a16"});
  signals.weights = "";
  EXPECT_EQ(Arms().Decide(signals).weights, "");
  EXPECT_EQ(Arms().Decide(signals).reason,
            "qa: large model answers with draft_model on its own weights as the client asked (rule "
            "rest)");
  signals.weights = "w8a16";
  EXPECT_EQ(Arms().Decide(signals).weights, "w8a16");
  EXPECT_THAT(Arms().Decide(signals).reason, HasSubstr("on w8a16 as the client asked"));
}

TEST(RoutingPolicy, WeightsThatTheRoleDoesNotHaveAreItsOwn) {
  Signals signals = Resident(Probed("code", 0.1, 5), {}, {"w8a16"});
  signals.weights = "w8a16";
  PolicyOutcome outcome = Arms().Decide(signals);
  EXPECT_EQ(outcome.role, "small");
  EXPECT_EQ(outcome.weights, "");
  EXPECT_EQ(outcome.reason,
            "code: small model answers on its own weights (it has no w8a16) (rule code)");
  signals.small.variants = {"w8a16"};
  EXPECT_EQ(Arms().Decide(signals).weights, "w8a16");
}

TEST(RoutingPolicy, TheSmallModelDoesNotDraftForItself) {
  Signals signals = Probed("code", 0.1, 5);
  signals.strategy = DefaultStrategy(StrategyKind::kDraftModel);
  PolicyOutcome outcome = Arms().Decide(signals);
  EXPECT_EQ(outcome.role, "small");
  EXPECT_EQ(outcome.strategy, Strategy{});
  EXPECT_EQ(
      outcome.reason,
      "code: small model answers with plain (draft_model is for the large model) (rule code)");
  signals = Probed("qa", 0.1, 5);
  signals.strategy = DefaultStrategy(StrategyKind::kDraftModel);
  signals.strategy->num_speculative_tokens = 3;
  EXPECT_EQ(Arms().Decide(signals).strategy.num_speculative_tokens, 3);
}

// A role that the rule did not mean gets what of the arm it can do.
TEST(RoutingPolicy, ContextFitKeepsWhatTheOtherRoleCan) {
  Signals signals = Resident(Probed("qa", 0.1, 50), {}, {"w8a16"});
  signals.large.context = {.prompt_tokens = 50, .answer_tokens = 7, .context_length = 56};
  const PolicyOutcome outcome = Arms().Decide(signals);
  EXPECT_EQ(outcome.role, "small");
  EXPECT_EQ(outcome.strategy.kind, StrategyKind::kPlain);
  EXPECT_EQ(outcome.weights, "");
  EXPECT_EQ(outcome.reason,
            "50 + 7 tokens > large context 56: small model answers with plain (draft_model is for "
            "the large model) on its own weights (it has no w8a16) (rule rest, context fit)");
  signals.small = signals.large;  // neither fits: the rule's choice stands
  EXPECT_EQ(Arms().Decide(signals).role, "large");
}

// A rule with an entropy bound but no intents: holds for any intent, but not unprobed.
TEST(RoutingPolicy, EntropyAloneNeedsAProbe) {
  const auto policy = RoutingPolicy::FromToml(
      R"(
    version = 1
    name = "sure"
    probe_prompt_tokens_max = 100
    rule = [
      { name = "r", entropy_max = 0.2, role = "small", strategy = "plain" },
      { name = "last", role = "large", strategy = "plain" },
    ])",
      "p.toml");
  ASSERT_TRUE(policy.ok());
  EXPECT_EQ(policy->Decide(Probed("math", 0.1, 5)).rule, "r");
  EXPECT_EQ(policy->Decide(Probed("math", 0.3, 5)).rule, "last");
  EXPECT_EQ(policy->Decide(Unprobed(5)).rule, "last");
}

TEST(AutoPolicy, IsThePapersWithEveryStrategyAuto) {
  const auto policy = RoutingPolicy::FromFile(AIO_SOURCE_DIR "/policy/auto.toml");
  ASSERT_TRUE(policy.ok()) << policy.status().ToString();
  const RoutingPolicy paper = RoutingPolicy::Paper();
  EXPECT_EQ(policy->name(), "auto");
  EXPECT_EQ(policy->probe_prompt_tokens_max(), paper.probe_prompt_tokens_max());
  ASSERT_EQ(policy->rules().size(), paper.rules().size());
  for (size_t i = 0; i < paper.rules().size(); ++i) {
    const RoutingRule& rule = policy->rules()[i];
    const RoutingRule& of_paper = paper.rules()[i];
    EXPECT_EQ(rule.name, of_paper.name);
    EXPECT_EQ(rule.intents, of_paper.intents);
    EXPECT_EQ(rule.prompt_tokens_max, of_paper.prompt_tokens_max);
    EXPECT_EQ(rule.entropy_max, of_paper.entropy_max);
    EXPECT_EQ(rule.role, of_paper.role);
    EXPECT_EQ(rule.strategy, DefaultStrategy(StrategyKind::kAuto));
  }
}

}  // namespace
}  // namespace aio
