// The kinds of policy beside rules, what sessions and drift make of a decision, and the policies
// that come with the program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <set>
#include <string>

#include "router/routing_policy.h"

namespace aio {
namespace {

using ::testing::HasSubstr;

RoutingPolicy Policy(const std::string& text) {
  auto policy = RoutingPolicy::FromToml("version = 1\nname = \"p\"\n" + text, "p.toml");
  EXPECT_TRUE(policy.ok()) << policy.status().ToString();
  return policy.ok() ? *std::move(policy) : RoutingPolicy();
}

RoutingPolicy Shipped(const std::string& name) {
  auto policy = RoutingPolicy::FromFile(AIO_SOURCE_DIR "/policy/" + name);
  EXPECT_TRUE(policy.ok()) << policy.status().ToString();
  return policy.ok() ? *std::move(policy) : RoutingPolicy();
}

// Logits whose softmax is (code, qa, math).
Signals Probed(double code, double qa, double math, int prompt_tokens = 50) {
  Signals signals;
  for (const double p : {code, qa, math}) {
    signals.label_logits.push_back(static_cast<float>(std::log(p)));
  }
  signals.intent =
      IntentDistribution::FromLogits({"code", "qa", "math"}, signals.label_logits).value();
  signals.prompt_tokens = prompt_tokens;
  return signals;
}

// --- static and random -----------------------------------------------------------------

TEST(StaticPolicy, OneModelAnswersEverythingUnprobed) {
  for (const std::string role : {"small", "large"}) {
    const RoutingPolicy policy = Shipped("static-" + role + ".toml");
    EXPECT_FALSE(policy.wants_probe());
    const PolicyOutcome outcome = policy.Decide(Signals{});
    EXPECT_EQ(outcome.role, role);
    EXPECT_EQ(outcome.strategy, Strategy{});
    EXPECT_EQ(outcome.reason, "always: " + role + " model answers (rule static-" + role + ")");
  }
}

TEST(StaticPolicy, AnArmSaysHow) {
  const RoutingPolicy policy = Policy(R"(
    kind = "static-large"
    arm = [{ role = "large", strategy = "prompt_lookup", weights = "w8a16" }])");
  Signals signals;
  signals.large.variants = {"w8a16"};
  EXPECT_EQ(policy.Decide(signals).strategy.kind, StrategyKind::kPromptLookup);
  EXPECT_EQ(policy.Decide(signals).weights, "w8a16");
}

TEST(StaticPolicy, WhatDoesNotFitGoesToTheOther) {
  Signals signals;
  signals.small.context = {.prompt_tokens = 50, .answer_tokens = 10, .context_length = 55};
  EXPECT_EQ(Shipped("static-small.toml").Decide(signals).role, "large");
}

RoutingPolicy Random(const std::string& p_small, int seed) {
  return Policy("kind = \"random\"\n[random]\np_small = " + p_small +
                "\nseed = " + std::to_string(seed) + "\n");
}

int SmallOf(const RoutingPolicy& policy, int requests) {
  int small = 0;
  for (int i = 0; i < requests; ++i) {
    Signals signals;
    signals.request_hash = static_cast<uint64_t>(i);
    small += policy.Decide(signals).role == kSmallRole;
  }
  return small;
}

TEST(RandomPolicy, DrawsTheShareThatItSays) {
  constexpr int kRequests = 10000;
  EXPECT_EQ(SmallOf(Random("0.0", 1), kRequests), 0);
  EXPECT_EQ(SmallOf(Random("1.0", 1), kRequests), kRequests);
  // Five standard deviations are 217.
  EXPECT_NEAR(SmallOf(Random("0.25", 1), kRequests), 2500, 217);
}

TEST(RandomPolicy, IsAFunctionOfRequestAndSeed) {
  Signals signals;
  signals.request_hash = 17;
  EXPECT_EQ(Random("0.5", 1).Decide(signals).reason, Random("0.5", 1).Decide(signals).reason);
  EXPECT_NE(Random("0.5", 1).Decide(signals).reason, Random("0.5", 2).Decide(signals).reason);
  EXPECT_THAT(Shipped("random.toml").Decide(signals).reason,
              ::testing::MatchesRegex("drew 0\\.[0-9]+ (<|>=) 0\\.[0-9]+: .* \\(rule random\\)"));
}

// --- utility and oracle ----------------------------------------------------------------

std::string Utility(const std::string& lambdas) {
  return "kind = \"utility\"\nprobe_prompt_tokens_max = 100\n[utility]\nanswer_tokens = 100\n" +
         lambdas + R"(
[[arm]]
role = "small"
strategy = "plain"
accuracy = { code = 70, qa = 40, math = 40 }
tokens_per_second = 100
bytes_per_token = 1e9
[[arm]]
role = "large"
strategy = "prompt_lookup"
accuracy = { code = 60, qa = 80, math = 80 }
accuracy_long = { code = 90, qa = 80, math = 80 }
long_tokens = 60
tokens_per_second = 10
bytes_per_token = 10e9
)";
}

TEST(UtilityPolicy, WithoutCostsTheMostAccurateArmIsChosen) {
  const RoutingPolicy policy = Policy(Utility("lambda = 0"));
  // 70 p + 40 (1 - p) against 60 p + 80 (1 - p): even at p = 0.8.
  EXPECT_EQ(policy.Decide(Probed(0.81, 0.10, 0.09)).role, "small");
  const PolicyOutcome outcome = policy.Decide(Probed(0.79, 0.11, 0.10));
  EXPECT_EQ(outcome.role, "large");
  EXPECT_EQ(outcome.strategy.kind, StrategyKind::kPromptLookup);
  EXPECT_EQ(outcome.reason,
            "code, large 64.2 % (worth 64.20) beats small 63.7 % (63.70): large model answers "
            "with prompt_lookup (rule utility)");
  EXPECT_NEAR(outcome.confidence, 0.21, 1e-6);  // qa and math lead to it, code does not
}

TEST(UtilityPolicy, LongPromptsHaveTheirOwnAccuracy) {
  const RoutingPolicy policy = Policy(Utility("lambda = 0"));
  EXPECT_EQ(policy.Decide(Probed(0.98, 0.01, 0.01, 60)).role, "small");
  EXPECT_EQ(policy.Decide(Probed(0.98, 0.01, 0.01, 61)).role, "large");
}

TEST(UtilityPolicy, TimeCosts) {
  // qa: 40 points for 100 tokens, 1 s against 10 s: even at 40 / 9 points a second.
  EXPECT_EQ(Policy(Utility("lambda = 4.4")).Decide(Probed(0.001, 0.998, 0.001)).role, "large");
  const RoutingPolicy hasty = Policy(Utility("lambda = 4.5"));
  Signals signals = Probed(0.001, 0.998, 0.001);
  EXPECT_EQ(hasty.Decide(signals).role, "small");
  EXPECT_THAT(hasty.Decide(signals).reason,
              HasSubstr("qa, small 40.0 % in 1.00 s (worth 35.53) beats large 80.0 % in 10.00 s"));
  signals.answer_tokens_max = 10;  // a tenth of the time
  EXPECT_EQ(hasty.Decide(signals).role, "large");
}

TEST(UtilityPolicy, BytesCost) {
  // 100 GB against 1000 GB: even at 40 / 900 points a GB.
  EXPECT_EQ(
      Policy(Utility("lambda = 0\nlambda_per_gb = 0.044")).Decide(Probed(.001, .998, .001)).role,
      "large");
  EXPECT_EQ(
      Policy(Utility("lambda = 0\nlambda_per_gb = 0.045")).Decide(Probed(.001, .998, .001)).role,
      "small");
}

TEST(UtilityPolicy, LiveLoadCounts) {
  const RoutingPolicy policy = Policy(Utility("lambda = 3"));
  const Signals idle = Probed(0.001, 0.998, 0.001);
  EXPECT_EQ(policy.Decide(idle).role, "large");
  Signals slow = idle;
  slow.large.load.step_ms = 200;  // 5 tokens a second, not 10
  EXPECT_EQ(policy.Decide(slow).role, "small");
  Signals queued = idle;
  queued.large.load.running = 2;
  queued.large.load.waiting = 2;  // an answer to wait for, though the small model gets slower
  EXPECT_EQ(policy.Decide(queued).role, "small");
  Signals quick = slow;
  quick.large.load.step_ms = 50;
  EXPECT_EQ(policy.Decide(quick).role, "large");
}

TEST(UtilityPolicy, UnprobedAllLabelsCountAlike) {
  Signals signals;
  signals.prompt_tokens = 101;
  const PolicyOutcome outcome = Policy(Utility("lambda = 0")).Decide(signals);
  EXPECT_EQ(outcome.role, "large");
  EXPECT_EQ(outcome.confidence, 1);
  EXPECT_THAT(outcome.reason, HasSubstr("not probed, 101 tokens > 100, large 83.3 %"));
}

TEST(OraclePolicy, KnowsWhatIsBest) {
  const RoutingPolicy policy = Shipped("oracle.toml");
  EXPECT_FALSE(policy.wants_probe());
  const auto decide = [&](const std::string& label, int tokens) {
    Signals signals;
    signals.true_label = label;
    signals.prompt_tokens = tokens;
    return policy.Decide(signals);
  };
  EXPECT_EQ(decide("code", 100).role, "small");
  EXPECT_EQ(decide("code", 3000).role, "large");
  EXPECT_EQ(decide("qa", 100).strategy.kind, StrategyKind::kPlain);
  EXPECT_EQ(decide("math", 100).strategy.kind, StrategyKind::kPromptLookup);
  EXPECT_EQ(decide("math", 100).reason,
            "truly math, 83.32 % right: large model answers with prompt_lookup (rule oracle)");
  EXPECT_EQ(decide("", 100).reason,
            "the true label is not known: large model answers (rule oracle)");
}

// --- calibration and second labels -----------------------------------------------------

constexpr char kRules[] = R"(
probe_prompt_tokens_max = 100
[[rule]]
name = "code"
intents = ["code"]
entropy_max = 0.9
second_max = 0.25
role = "small"
strategy = "plain"
[[rule]]
name = "rest"
role = "large"
strategy = "plain"
)";

TEST(RulesPolicy, TwoProbableLabelsAreTwoIntents) {
  const RoutingPolicy policy = Policy(kRules);
  EXPECT_EQ(policy.Decide(Probed(0.76, 0.20, 0.04)).reason,
            "code, entropy 0.66 <= 0.90, second label 0.20 <= 0.25: small model answers "
            "(rule code)");
  const PolicyOutcome outcome = policy.Decide(Probed(0.70, 0.29, 0.01));
  EXPECT_EQ(outcome.reason, "code, second label 0.29 > 0.25: large model answers (rule rest)");
  EXPECT_NEAR(outcome.confidence, 0.30, 1e-6);
}

TEST(RulesPolicy, CalibratesBeforeItCompares) {
  const RoutingPolicy policy = Policy(std::string(kRules) + R"(
[calibration]
labels = ["code", "qa", "math"]
bias = [2.0, 0.0, 0.0]
)");
  // Without the bias code is 0.6, with it 0.6 / e^2 : 0.3 : 0.1.
  Signals signals = Probed(0.6, 0.3, 0.1);
  const PolicyOutcome outcome = policy.Decide(signals);
  ASSERT_TRUE(outcome.intent.has_value());
  const double code = 0.6 / std::exp(2.0);
  EXPECT_NEAR(outcome.intent->ProbabilityOf("code"), code / (code + 0.4), 1e-6);
  EXPECT_EQ(outcome.intent->labels[outcome.intent->top()], "qa");
  EXPECT_THAT(outcome.reason, ::testing::StartsWith("qa: large"));
  signals.label_logits.clear();  // a log without scores: as it is
  EXPECT_EQ(policy.Decide(signals).intent, signals.intent);
}

TEST(RoutingPolicy, ChecksThatTheProbeHasItsLabels) {
  const std::vector<std::string> labels = {"code", "qa", "math"};
  EXPECT_TRUE(Shipped("utility.toml").CheckLabels(labels).ok());
  EXPECT_EQ(Shipped("utility.toml").CheckLabels({"code", "qa"}).message(),
            "policy 'utility', arm: no label 'math' in the probe; it has: code, qa");
  EXPECT_EQ(Shipped("utility.toml").CheckLabels({"code", "qa", "math", "chat"}).message(),
            "policy 'utility': no arm says its accuracy for 'chat', a label of the probe");
  const RoutingPolicy calibrated =
      Policy(std::string(kRules) + "[calibration]\nlabels = [\"code\", \"qa\"]\n");
  EXPECT_THAT(calibrated.CheckLabels(labels).message(),
              HasSubstr("calibration: has 2 labels, the probe 3"));
}

// --- sessions and drift ----------------------------------------------------------------

TEST(Sessions, AnUnsureTurnStaysWhereTheConversationIs) {
  const RoutingPolicy policy = Policy(std::string(kRules) + "[session]\nchange_confidence = 0.7\n");
  Signals signals = Probed(0.6, 0.3, 0.1);  // by itself: large, which is 0.4 sure
  EXPECT_EQ(policy.Decide(signals).role, "large");
  signals.session = {.role = "small", .weights = "", .turns = 2, .confidence = 0.9};
  EXPECT_EQ(
      policy.Decide(signals).reason,
      "code, second label 0.30 > 0.25, session stays (0.40 sure of large < 0.70): small model "
      "answers (rule rest, session)");
  signals.session.role = "large";
  EXPECT_EQ(policy.Decide(signals).reason,
            "code, second label 0.30 > 0.25: large model answers (rule rest)");
}

TEST(Sessions, ASureTurnMoves) {
  const RoutingPolicy policy = Policy(kRules);
  Signals signals = Probed(0.05, 0.9, 0.05);
  signals.session = {.role = "small", .weights = "", .turns = 1, .confidence = 0.9};
  EXPECT_EQ(policy.Decide(signals).role, "large");
  EXPECT_EQ(policy.Decide(signals).reason,
            "qa, session moves (0.95 sure >= 0.80): large model answers (rule rest)");
}

TEST(Sessions, WhatTheModelCannotDoMovesAnyway) {
  const RoutingPolicy policy = Policy(kRules);
  Signals signals = Probed(0.6, 0.3, 0.1);
  signals.session = {.role = "small", .weights = "", .turns = 1, .confidence = 0.9};
  signals.small.context = {.prompt_tokens = 50, .answer_tokens = 10, .context_length = 55};
  EXPECT_EQ(policy.Decide(signals).role, "large");
  Signals unprobed;
  unprobed.prompt_tokens = 101;
  unprobed.session = signals.session;
  EXPECT_EQ(policy.Decide(unprobed).role, "large");
}

TEST(Drift, FallsBackToTheLargeModelIfThePolicySaysSo) {
  const std::string drift = "[drift]\nentropy_mean = 0.1\nentropy_sd = 0.1\n";
  Signals signals = Probed(0.98, 0.01, 0.01);
  signals.drift = {.drifted = true, .what = "entropy 0.61, was 0.10"};
  EXPECT_EQ(Policy(kRules + drift).Decide(signals).role, "small");
  const RoutingPolicy policy = Policy(kRules + drift + "fallback = \"large\"\n");
  EXPECT_EQ(policy.Decide(signals).role, "large");
  EXPECT_THAT(
      policy.Decide(signals).reason,
      HasSubstr("but drift (entropy 0.61, was 0.10): large model answers (rule code, drift)"));
  signals.drift = {};
  EXPECT_EQ(policy.Decide(signals).role, "small");
}

// --- cascade -----------------------------------------------------------------------------

TEST(CascadePolicy, BeginsWithTheSmallModelWhileTheLargeOneCouldTakeOver) {
  const RoutingPolicy policy = Shipped("cascade.toml");
  EXPECT_FALSE(policy.wants_probe());
  Signals signals;
  const PolicyOutcome outcome = policy.Decide(signals);
  EXPECT_EQ(outcome.role, "small");
  ASSERT_TRUE(outcome.cascade.has_value());
  EXPECT_EQ(outcome.cascade->tokens, 16);
  EXPECT_EQ(outcome.cascade->entropy_max, 0.9);
  signals.large.context = {.prompt_tokens = 50, .answer_tokens = 10, .context_length = 55};
  EXPECT_FALSE(policy.Decide(signals).cascade.has_value());
  std::swap(signals.small, signals.large);
  EXPECT_EQ(policy.Decide(signals).role, "large");
  EXPECT_FALSE(policy.Decide(signals).cascade.has_value());
}

TEST(CascadePolicy, TheFirstTokensDecide) {
  const RoutingPolicy policy = Shipped("cascade.toml");
  Signals signals;
  signals.first_tokens = FirstTokens{.tokens = 16, .entropy_mean = 0.9};
  EXPECT_EQ(policy.Decide(signals).reason,
            "entropy of the small model's first 16 tokens 0.90 <= 0.90: small model answers (rule "
            "cascade)");
  EXPECT_FALSE(policy.Decide(signals).cascade.has_value());
  signals.first_tokens->entropy_mean = 0.93;
  EXPECT_EQ(policy.Decide(signals).reason,
            "entropy of the small model's first 16 tokens 0.93 > 0.90: large model answers (rule "
            "cascade)");
  signals.first_tokens.reset();
  signals.probe_fault = "unavailable: gone";
  EXPECT_EQ(policy.Decide(signals).reason,
            "small model failed (unavailable: gone): large model answers (rule cascade)");
}

// --- the files ---------------------------------------------------------------------------

TEST(ShippedPolicies, AreAllRead) {
  std::set<std::string> hashes;
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(AIO_SOURCE_DIR "/policy")) {
    const RoutingPolicy policy = Shipped(entry.path().filename().string());
    EXPECT_EQ(policy.name(), entry.path().stem().string());
    EXPECT_EQ(policy.hash().size(), 64u);
    hashes.insert(policy.hash());
    ++files;
  }
  EXPECT_GE(files, 8);
  EXPECT_EQ(hashes.size(), static_cast<size_t>(files));
}

}  // namespace
}  // namespace aio
