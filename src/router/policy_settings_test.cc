#include "router/policy_settings.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "router/routing_policy.h"

namespace aio {
namespace {

using ::testing::HasSubstr;

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
       "p.toml:1: colour: unknown key; the keys here are: arm, calibration, cascade, drift, "
       "evidence, kind, name, probe_prompt_tokens_max, random, rule, session, utility, version"},
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
       "one with role = \"large\""},
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

// --- what a policy is worth, and for which models ----------------------------------------

TEST(PolicyToml, CalibrationAndEvidence) {
  const auto settings = ReadPolicySettings(std::string(kHead) + kLast + R"(
[calibration]
labels = ["code", "qa", "math"]
bias = [0.1, -0.2, 0.1]
temperature = 1.31
[evidence]
date = "2026-11-29"
probe = "template"
small = "0123abcd"
large = ""
data = [{ name = "gsm8k-test", rows = 1319, used = 100, sha256 = ")" +
                                               std::string(64, 'a') + R"(" }]
accuracy = 0.97
ece = 0.02
loss_upper_bound = 1.4
loss_confidence = 0.95
[session]
change_confidence = 0.9
[drift]
label_shares = { code = 0.3, qa = 0.3, math = 0.4 }
entropy_mean = 0.1
entropy_sd = 0.2
window = 100
confidence = 0.99
fallback = "large"
)",
                                           "p.toml");
  ASSERT_TRUE(settings.ok()) << settings.status().ToString();
  const ProbeCalibration calibration{
      .labels = {"code", "qa", "math"}, .bias = {0.1, -0.2, 0.1}, .temperature = 1.31};
  EXPECT_EQ(settings->calibration, calibration);
  ASSERT_TRUE(settings->evidence.has_value());
  const PolicyEvidence& evidence = *settings->evidence;
  EXPECT_EQ(evidence.date, "2026-11-29");
  EXPECT_EQ(evidence.probe, "template");
  EXPECT_EQ(evidence.small, "0123abcd");
  EXPECT_EQ(evidence.large, "");
  ASSERT_EQ(evidence.data.size(), 1u);
  EXPECT_EQ(evidence.data[0].name, "gsm8k-test");
  EXPECT_EQ(evidence.data[0].rows, 1319);
  EXPECT_EQ(evidence.data[0].used, 100);
  EXPECT_EQ(evidence.accuracy, 0.97);
  EXPECT_EQ(evidence.ece, 0.02);
  EXPECT_EQ(evidence.loss_upper_bound, 1.4);
  EXPECT_EQ(evidence.loss_confidence, 0.95);
  ASSERT_TRUE(settings->session && settings->drift);
  EXPECT_EQ(settings->session->change_confidence, 0.9);
  EXPECT_EQ(settings->drift->label_shares.size(), 3u);
  EXPECT_EQ(settings->drift->window, 100);
  EXPECT_TRUE(settings->drift->fall_back);
}

constexpr char kArms[] = R"(
[[arm]]
role = "small"
strategy = "plain"
accuracy = { code = 67.68, qa = 30.0 }
accuracy_long = { code = 20, qa = 10 }
long_tokens = 1000
tokens_per_second = 21.58
prompt_tokens_per_second = 300
bytes_per_token = 2.3e9
[[arm]]
role = "large"
strategy = "prompt_lookup"
weights = "w8a16"
accuracy = { code = 62.80, qa = 60.0 }
tokens_per_second = 7
tokens_per_step = 1.5
bytes_per_token = 14e9
)";

TEST(PolicyToml, EveryKind) {
  const auto read = [](const std::string& text) {
    auto settings = ReadPolicySettings("version = 1\nname = \"p\"\n" + text, "p.toml");
    EXPECT_TRUE(settings.ok()) << settings.status().ToString();
    return settings.ok() ? *std::move(settings) : PolicySettings{};
  };
  EXPECT_EQ(read("kind = \"static-small\"\n").kind, PolicyKind::kStaticSmall);
  EXPECT_EQ(read("kind = \"static-large\"\n").kind, PolicyKind::kStaticLarge);
  EXPECT_EQ(read(std::string("kind = \"oracle\"\n") + kArms).kind, PolicyKind::kOracle);

  const PolicySettings random = read("kind = \"random\"\n[random]\np_small = 0.25\nseed = 7\n");
  EXPECT_EQ(random.kind, PolicyKind::kRandom);
  EXPECT_EQ(random.random.p_small, 0.25);
  EXPECT_EQ(random.random.seed, 7u);

  const PolicySettings cascade =
      read("kind = \"cascade\"\n[cascade]\ntokens = 8\nentropy_max = 0.9\n");
  EXPECT_EQ(cascade.cascade.tokens, 8);
  EXPECT_EQ(cascade.cascade.entropy_max, 0.9);

  const PolicySettings utility =
      read(std::string("kind = \"utility\"\nprobe_prompt_tokens_max = 9\n[utility]\nlambda = 0.1\n"
                       "lambda_per_gb = 0.2\nanswer_tokens = 64\n") +
           kArms);
  EXPECT_EQ(utility.utility.lambda, 0.1);
  EXPECT_EQ(utility.utility.lambda_per_gb, 0.2);
  EXPECT_EQ(utility.utility.answer_tokens, 64);
  ASSERT_EQ(utility.arms.size(), 2u);
  EXPECT_EQ(utility.arms[0].accuracy, (LabelAccuracies{{"code", 67.68}, {"qa", 30.0}}));
  EXPECT_EQ(utility.arms[0].accuracy_long, (LabelAccuracies{{"code", 20}, {"qa", 10}}));
  EXPECT_EQ(utility.arms[0].long_tokens, 1000);
  EXPECT_EQ(utility.arms[0].prompt_tokens_per_second, 300);
  EXPECT_EQ(utility.arms[1].strategy.kind, StrategyKind::kPromptLookup);
  EXPECT_EQ(utility.arms[1].weights, kW8A16);
  EXPECT_EQ(utility.arms[1].tokens_per_step, 1.5);
  EXPECT_EQ(utility.arms[1].bytes_per_token, 14e9);
}

std::vector<BadPolicy> BadExtras() {
  const std::string rules = std::string(kHead) + kLast;
  const std::string title = "version = 1\nname = \"p\"\n";
  const std::string utility =
      title + "kind = \"utility\"\nprobe_prompt_tokens_max = 9\n[utility]\nlambda = 0.1\n";
  const std::string small = "[[arm]]\nrole = \"small\"\nstrategy = \"plain\"\n";
  const std::string large = "[[arm]]\nrole = \"large\"\nstrategy = \"plain\"\n";
  const std::string worth = "accuracy = { code = 50 }\n";
  return {
      {"kind = \"rule\"\n" + rules,
       "p.toml:1: kind: no kind \"rule\"; there are \"rules\", \"utility\","},
      {"kind = \"static-small\"\nprobe_prompt_tokens_max = 5\n" + title,
       "probe_prompt_tokens_max: a policy of kind \"static-small\" does not probe"},
      {"kind = \"static-small\"\n" + title + kLast,
       "rule: a policy of kind \"static-small\" has no rules"},
      {rules + "[random]\np_small = 1\n", "random: belongs to kind = \"random\"; remove it"},
      {"kind = \"random\"\n" + title, "random: is missing"},
      {"kind = \"random\"\n" + title + "[random]\np_small = 1.5\n",
       "random.p_small: must be a number from 0 to 1"},
      {"kind = \"cascade\"\n" + title + "[cascade]\ntokens = 0\nentropy_max = 1\n",
       "cascade.tokens: must be a whole number from 1 to 1024"},
      {"kind = \"cascade\"\n" + title + "[cascade]\n", "cascade.entropy_max: is missing"},
      {"kind = \"utility\"\n" + title, "probe_prompt_tokens_max: is missing"},
      {"kind = \"oracle\"\n" + title + small + worth, "add an [[arm]] with role = \"large\""},
      {utility + small + worth + large,
       "arm: kind \"utility\" needs the accuracy of every arm, for the same labels"},
      {utility + small + worth + large + worth, "every arm needs its tokens_per_second"},
      {rules + small + small, "arm[1].role: a second arm of this role, strategy and weights"},
      {rules + small + "accuracy = { code = 101 }\n",
       "p.toml:11: arm[0].accuracy.code: must be a number from 0 to 100, is 101"},
      {rules + small + "accuracy = {}\n", "arm[0].accuracy: names no label"},
      {rules + small + worth + "accuracy_long = { qa = 1 }\n",
       "accuracy_long: must have the labels that 'accuracy' has"},
      {rules + "[calibration]\nbias = [0, 0]\n", "calibration.labels: is missing"},
      {rules + "[calibration]\nlabels = [\"a\", \"b\"]\nbias = [0]\n",
       "p.toml:10: calibration.bias: 1 numbers for 2 labels"},
      {rules + "[calibration]\nlabels = [\"a\", \"a\"]\n", "labels: names 'a' twice"},
      {rules + "[calibration]\nlabels = [\"a\", \"b\"]\ntemperature = 0\n",
       "temperature: must be a number from 0.001"},
      {rules + "[evidence]\ndate = \"today\"\n", "evidence.date: must be a day"},
      {rules + "[evidence]\nprobe = \"guess\"\n", "must be \"template\" or \"head\""},
      {rules + "[evidence]\nsmall = \"XYZ\"\n", "evidence.small: must be a model's fingerprint"},
      {rules + "[evidence]\ndata = [{ name = \"x\", sha256 = \"12\" }]\n",
       "evidence.data[0].sha256: must be 64"},
      {rules + "[drift]\nlabel_shares = { a = 0.5, b = 0.2 }\n",
       "drift.label_shares: add up to 0.700; they must to 1"},
      {rules + "[drift]\nentropy_mean = 0.5\n", "drift.entropy_sd: must be more than 0"},
      {rules + "[drift]\nfallback = \"small\"\n", "drift.fallback: must be \"large\""},
      {rules + "[session]\nchange_confidence = 2\n", "session.change_confidence: must be a number"},
  };
}

TEST(PolicyToml, EveryErrorOfTheOtherTablesToo) {
  for (const BadPolicy& bad : BadExtras()) {
    const auto policy = RoutingPolicy::FromToml(bad.text, "p.toml");
    ASSERT_FALSE(policy.ok()) << bad.error;
    EXPECT_THAT(policy.status().message(), HasSubstr(bad.error));
    EXPECT_THAT(policy.status().message(), ::testing::StartsWith("p.toml:"));
  }
}

}  // namespace
}  // namespace aio
