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

// --- the file format -------------------------------------------------------------------

constexpr char kHead[] = "version = 1\nname = \"p\"\nprobe_prompt_tokens_max = 10\n";
constexpr char kLast[] = "[[rule]]\nname = \"last\"\nrole = \"large\"\nstrategy = \"plain\"\n";

std::string Rule(const std::string& body) { return "[[rule]]\nname = \"r\"\n" + body; }

TEST(PolicyToml, Minimal) {
  const auto policy = RoutingPolicy::FromToml(std::string(kHead) + kLast, "p.toml");
  ASSERT_TRUE(policy.ok()) << policy.status().ToString();
  EXPECT_EQ(policy->name(), "p");
  EXPECT_EQ(policy->probe_prompt_tokens_max(), 10);
  EXPECT_EQ(policy->rules().at(0).strategy, Strategy{});
}

TEST(PolicyToml, EveryKey) {
  const auto policy = RoutingPolicy::FromToml(
      std::string(kHead) +
          Rule("intents = [\"a\", \"b\"]\nprompt_tokens_max = 5\nentropy_max = 1\nrole = "
               "\"small\"\nstrategy = \"prompt_lookup\"\nprompt_lookup_max = 9\nprompt_lookup_min "
               "= 3\n"
               "num_speculative_tokens = 16\nweights = \"w8a16\"\n") +
          kLast,
      "p.toml");
  ASSERT_TRUE(policy.ok()) << policy.status().ToString();
  const RoutingRule& rule = policy->rules().at(0);
  EXPECT_THAT(rule.intents, ::testing::ElementsAre("a", "b"));
  EXPECT_EQ(rule.prompt_tokens_max, 5);
  EXPECT_EQ(rule.entropy_max, 1.0);
  const Strategy strategy{.kind = StrategyKind::kPromptLookup,
                          .prompt_lookup_max = 9,
                          .prompt_lookup_min = 3,
                          .num_speculative_tokens = 16};
  EXPECT_EQ(rule.strategy, strategy);
  EXPECT_EQ(rule.weights, kW8A16);
}

TEST(PolicyToml, EveryStrategyWithItsParameters) {
  const auto strategy = [](const std::string& text) {
    const auto policy = RoutingPolicy::FromToml(
        kHead + Rule("intents = [\"a\"]\nrole = \"large\"\nstrategy = " + text) + kLast, "p.toml");
    EXPECT_TRUE(policy.ok()) << policy.status().ToString();
    return policy.ok() ? policy->rules().at(0).strategy : Strategy{};
  };
  for (const char* name :
       {"plain", "prompt_lookup", "prompt_lookup_paper", "draft_model", "auto"}) {
    EXPECT_EQ(strategy(fmt::format("\"{}\"\n", name)), StrategyFromName(name)) << name;
  }
  EXPECT_EQ(strategy("\"draft_model\"\nnum_speculative_tokens = 7\n").num_speculative_tokens, 7);
  const Strategy automatic = strategy(
      "\"auto\"\nprompt_lookup_max = 4\nprompt_lookup_min = 2\nnum_speculative_tokens = 5\n");
  EXPECT_EQ(automatic, (Strategy{.kind = StrategyKind::kAuto,
                                 .prompt_lookup_max = 4,
                                 .prompt_lookup_min = 2,
                                 .num_speculative_tokens = 5}));
}

// A rule with an entropy bound but no intents: holds for any intent, but not unprobed.
TEST(PolicyToml, EntropyAloneNeedsAProbe) {
  const auto policy = RoutingPolicy::FromToml(
      std::string(kHead) + Rule("entropy_max = 0.2\nrole = \"small\"\nstrategy = \"plain\"\n") +
          kLast,
      "p.toml");
  ASSERT_TRUE(policy.ok());
  EXPECT_EQ(policy->Decide(Probed("math", 0.1, 5)).rule, "r");
  EXPECT_EQ(policy->Decide(Probed("math", 0.3, 5)).rule, "last");
  EXPECT_EQ(policy->Decide(Unprobed(5)).rule, "last");
}

// A rule "second" with these conditions, after "r" with those.
Status TwoRules(const std::string& first, const std::string& second) {
  const std::string end = "role = \"small\"\nstrategy = \"plain\"\n";
  return RoutingPolicy::FromToml(
             kHead + Rule(first + end) + "[[rule]]\nname = \"second\"\n" + second + end + kLast,
             "p.toml")
      .status();
}

TEST(PolicyToml, RulesThatCannotBeReachedAreRefused) {
  const std::string a = "intents = [\"a\"]\n", ab = "intents = [\"a\", \"b\"]\n";
  const std::string t5 = "prompt_tokens_max = 5\n", t6 = "prompt_tokens_max = 6\n";
  const std::string e1 = "entropy_max = 0.1\n", e2 = "entropy_max = 0.2\n";
  const std::vector<std::pair<std::string, std::string>> unreachable = {{a, a},
                                                                        {ab, a},
                                                                        {a, a + t5},
                                                                        {a, a + e1},
                                                                        {t5, t5},
                                                                        {t6, t5},
                                                                        {t6, ab + t5},
                                                                        {e1, e1},
                                                                        {e2, e1},
                                                                        {e2, a + e1 + t5},
                                                                        {a + t6 + e2, a + t5 + e1}};
  for (const auto& [first, second] : unreachable) {
    EXPECT_THAT(TwoRules(first, second).message(),
                HasSubstr("rule[1].name: 'second' can never be reached: 'r' before it is no "
                          "stricter in any condition"))
        << first << second;
  }
  const std::vector<std::pair<std::string, std::string>> reachable = {{a, ab},
                                                                      {a, t5},
                                                                      {a, e1},
                                                                      {t5, t6},
                                                                      {t5, a},
                                                                      {e1, e2},
                                                                      {e1, a},
                                                                      {a + t5, a},
                                                                      {a + t5, a + t6 + e1},
                                                                      {a + e1, a + t5 + e2}};
  for (const auto& [first, second] : reachable) {
    EXPECT_TRUE(TwoRules(first, second).ok()) << first << second;
  }
}

struct BadPolicy {
  std::string text;
  std::string error;  // a part of it
};

std::vector<BadPolicy> BadPolicies() {
  const std::string head = kHead;
  const std::string end = "role = \"small\"\nstrategy = \"plain\"\n";
  const std::string lookup = "role = \"small\"\nstrategy = \"prompt_lookup\"\n";
  const std::string draft = "role = \"large\"\nstrategy = \"draft_model\"\n";
  return {
      // the text
      {"version = ", "p.toml:1: not valid TOML"},
      {"a = 1\n\nb = [1,", "p.toml:3: not valid TOML"},
      {"name = \"\xff\xfe\"", "not valid TOML"},
      {std::string("version = 1\0", 12), "not valid TOML"},
      {std::string((1 << 20) + 1, '#'), "at most 1048576 are read"},
      // the head
      {"", "p.toml:1: version: is missing"},
      {"version = 2\nname = \"p\"\n",
       "p.toml:1: version: must be a whole number from 1 to 1, is 2"},
      {"version = \"1\"\n", "version: must be a whole number from 1 to 1, is \"1\""},
      {"version = 1\n", "name: is missing"},
      {"version = 1\nname = 5\n", "p.toml:2: name: must be a string in quotes, is 5"},
      {"version = 1\nname = \"\"\n", "name: must be 1 to 64 printable ASCII"},
      {"version = 1\nname = \"a\\nb\"\n", "name: must be 1 to 64 printable ASCII"},
      {"version = 1\nname = \"p\"\n", "probe_prompt_tokens_max: is missing"},
      {"version = 1\nname = \"p\"\nprobe_prompt_tokens_max = -1\n",
       "p.toml:3: probe_prompt_tokens_max: must be a whole number from 0 to"},
      {"version = 1\nname = \"p\"\nprobe_prompt_tokens_max = 99999999999\n", "is 99999999999"},
      {"version = 1\nname = \"p\"\nprobe_prompt_tokens_max = 1.5\n", "is 1.5"},
      {head + kLast + "comment = 1\n", "p.toml:8: rule[0].comment: unknown key; the keys here are"},
      {"colour = 1\n" + head + kLast,
       "p.toml:1: colour: unknown key; the keys here are: name, probe_prompt_tokens_max, rule, "
       "version"},
      // the list of rules
      {head, "rule: a policy needs at least one [[rule]]"},
      {head + "rule = []\n", "rule: a policy needs at least one [[rule]]"},
      {head + "rule = 3\n", "rule: must be an array of tables"},
      {head + "rule = [1, 2]\n", "an array of other things"},
      {head + "[rule]\nname = \"r\"\n", "rule: must be an array of tables"},
      {head + kLast + Rule(end), "rule[1].name: 'r' can never be reached: 'last' before it"},
      {head + Rule("intents = [\"a\"]\n" + end),
       "p.toml:5: rule[0].name: the last rule must match anything"},
      {head + Rule("prompt_tokens_max = 5\n" + end), "the last rule must match anything"},
      {head + Rule("entropy_max = 0.5\n" + end), "the last rule must match anything"},
      {head + Rule("intents = [\"a\"]\n" + end) + Rule("intents = [\"b\"]\n" + end) + kLast,
       "rule[1].name: a second rule called 'r'"},
      // one rule
      {head + "[[rule]]\n" + end, "rule[0].name: is missing"},
      {head + "[[rule]]\nname = \"a b\"\n" + end, "a rule's name is 1 to 32"},
      {head + "[[rule]]\nname = \"override\"\n" + end, "'override' stands for"},
      {head + Rule("intents = \"code\"\n" + end) + kLast,
       "p.toml:6: rule[0].intents: must be an array of strings, is \"code\""},
      {head + Rule("intents = [\"code\", 1]\n" + end) + kLast, "must hold strings only, has 1"},
      {head + Rule("intents = []\n" + end) + kLast, "intents: names no label"},
      {head + Rule("intents = [\"a\", \"a\"]\n" + end) + kLast, "names 'a' twice"},
      {head + Rule("intents = [\"\xc3\xa9\"]\n" + end) + kLast, "a label's name is 1 to 32"},
      {head + Rule("prompt_tokens_max = 0\n" + end) + kLast,
       "prompt_tokens_max: must be a whole number from 1 to"},
      {head + Rule("entropy_max = -0.1\n" + end) + kLast,
       "entropy_max: must be a number from 0 to 100, is -0.1"},
      {head + Rule("entropy_max = nan\n" + end) + kLast, "is nan"},
      {head + Rule("entropy_max = inf\n" + end) + kLast, "is inf"},
      {head + Rule("entropy_max = \"high\"\n" + end) + kLast, "is \"high\""},
      {head + Rule("strategy = \"plain\"\n"), "rule[0].role: is missing"},
      {head + Rule("role = \"medium\"\nstrategy = \"plain\"\n"),
       "role: no role 'medium'; there are 'small' and 'large'"},
      {head + Rule("role = \"small\"\n"), "strategy: is missing"},
      {head + Rule("role = \"small\"\nstrategy = \"draft\"\n"),
       "strategy: no strategy 'draft'; there are plain, prompt_lookup,"},
      {head + Rule(lookup + "prompt_lookup_max = 65\n"),
       "prompt_lookup_max: must be a whole number from 1 to 16"},
      {head + Rule(lookup + "prompt_lookup_min = 0\n"),
       "prompt_lookup_min: must be a whole number from 1 to 16"},
      {head + Rule(lookup + "prompt_lookup_min = 7\n"),
       "prompt_lookup_min: 7 is more than prompt_lookup_max, 6"},
      {head + Rule(lookup + "num_speculative_tokens = 17\n"),
       "num_speculative_tokens: must be a whole number from 1 to 16"},
      {head + Rule(end + "num_speculative_tokens = 2\n"),
       "num_speculative_tokens: belongs to the strategies prompt_lookup, draft_model and auto"},
      {head + Rule(end + "prompt_lookup_max = 2\n"),
       "prompt_lookup_max: belongs to the strategies prompt_lookup and auto; remove it"},
      {head + Rule(draft + "prompt_lookup_min = 2\n") + kLast,
       "prompt_lookup_min: belongs to the strategies prompt_lookup and auto; remove it"},
      {head + Rule("role = \"small\"\nstrategy = \"draft_model\"\n") + kLast,
       "p.toml:7: rule[0].strategy: the small model is the one that drafts; give draft_model to "
       "rules with role = \"large\""},
      {head + Rule(end + "weights = \"q4\"\n") + kLast,
       "rule[0].weights: no weights 'q4'; there is 'w8a16', and without the key the role's own"},
      {head + Rule(end + "weights = \"\"\n") + kLast, "no weights ''"},
      {head + Rule(end + "weights = 8\n") + kLast, "weights: must be a string in quotes, is 8"},
  };
}

TEST(PolicyToml, EveryErrorNamesItsPlaceAndMend) {
  for (const BadPolicy& bad : BadPolicies()) {
    const auto policy = RoutingPolicy::FromToml(bad.text, "p.toml");
    ASSERT_FALSE(policy.ok()) << bad.error;
    EXPECT_EQ(policy.status().code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(policy.status().message(), HasSubstr(bad.error));
    EXPECT_THAT(policy.status().message(), ::testing::StartsWith("p.toml:"));
  }
}

TEST(PolicyToml, Files) {
  EXPECT_TRUE(RoutingPolicy::FromFile(AIO_SOURCE_DIR "/policy/paper.toml").ok());
  const auto missing = RoutingPolicy::FromFile("/no/such/policy.toml");
  EXPECT_EQ(missing.status().code(), StatusCode::kNotFound);
  EXPECT_THAT(missing.status().message(), HasSubstr("/no/such/policy.toml: cannot be opened"));
  const auto folder = RoutingPolicy::FromFile(AIO_SOURCE_DIR "/policy");
  EXPECT_THAT(folder.status().message(), HasSubstr("cannot be read"));
}

// --- the distribution ------------------------------------------------------------------

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

}  // namespace
}  // namespace aio
