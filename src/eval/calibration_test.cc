#include "eval/calibration.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "eval/calibration_output.h"
#include "router/routing_policy.h"

namespace aio {
namespace {

using ::testing::HasSubstr;

const std::vector<std::string> kLabels = {"code", "qa", "math"};

constexpr const char* kArms = R"(
version = 1
[[arm]]
role = "small"
strategy = "plain"
accuracy = { code = 68, qa = 70, math = 74 }
tokens_per_second = 21.5
[[arm]]
role = "large"
strategy = "prompt_lookup"
accuracy = { code = 63, qa = 90, math = 83 }
tokens_per_second = 17.5
)";

// A probe that is `temperature` times too sure: `per_label` queries of each label and split.
CalibrationInput Input(int per_label, double temperature, uint64_t seed = 7) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal(0, 1);
  CalibrationInput input;
  input.set.labels = kLabels;
  input.set.data_sets = {
      {.name = "made \"up\"", .rows = 9 * per_label, .used = {}, .sha256 = std::string(64, 'a')}};
  for (const Split split : kSplits) {
    for (int i = 0; i < 3 * per_label; ++i) {
      const int label = i % 3;
      // Gaussian evidence around the label: the log-odds it gives are calibrated.
      std::vector<float> logits;
      for (int j = 0; j < 3; ++j) {
        const double evidence = 2.5 * normal(random) + (j == label ? 6.25 : 0);
        logits.push_back(static_cast<float>(temperature * evidence));
      }
      input.set.queries.push_back({.messages = {{"user", "q"}},
                                   .intent = kLabels[static_cast<size_t>(label)],
                                   .task = "",
                                   .hash = fmt::format("{}", input.set.queries.size()),
                                   .data_set = 0,
                                   .split = split});
      input.probed.push_back({.logits = logits, .prompt_tokens = 50, .fault = ""});
    }
  }
  input.content_free = {{0.5f, 0, 0}};
  return input;
}

CalibrationInput WithArms(CalibrationInput input) {
  input.arms = ParseArmTable(kArms, "arms.toml").value();
  return input;
}

CalibrationSubject Subject() {
  return {.date = "2026-11-29",
          .probe = "template",
          .small_model = "tiny",
          .large_model = "big",
          .small_fingerprint = "0abc",
          .large_fingerprint = "0def"};
}

TEST(CalibrationTest, FindsThatAProbeIsThreeTimesTooSureAndMendsIt) {
  const auto report = Calibrate(Input(2000, 3), {});
  ASSERT_TRUE(report.ok()) << report.status().ToString();
  EXPECT_NEAR(report->scaling().scaling.temperature, 3, 0.3);
  EXPECT_GT(report->before.ece, 0.03);
  EXPECT_LT(report->after.ece, 0.015);
  EXPECT_LT(report->after.nll, report->before.nll);
  EXPECT_GT(report->after.mean_entropy, report->before.mean_entropy);
}

TEST(CalibrationTest, NothingIsFittedOrChosenOnTheHeldOut) {
  CalibrationInput input = WithArms(Input(300, 2));
  const auto report = Calibrate(input, {});
  ASSERT_TRUE(report.ok()) << report.status().ToString();
  for (size_t i = 0; i < input.set.queries.size(); ++i) {
    if (input.set.queries[i].split == Split::kHeldOut) input.probed[i].logits = {1, 2, 3};
  }
  const auto other = Calibrate(input, {});
  ASSERT_TRUE(other.ok());
  EXPECT_NE(other->after.accuracy, report->after.accuracy);
  EXPECT_EQ(other->chosen_scaling, report->chosen_scaling);
  EXPECT_EQ(other->scaling().scaling.temperature, report->scaling().scaling.temperature);
  EXPECT_EQ(other->routing->grid.entropy_max, report->routing->grid.entropy_max);
}

TEST(CalibrationTest, QueriesThatWouldNotBeProbedAreLeftOutAndCounted) {
  CalibrationInput input = Input(50, 1);
  input.probed[0].prompt_tokens = 5000;
  input.probed[1] = {.logits = {}, .prompt_tokens = 0, .fault = "too long for the context"};
  const auto report = Calibrate(input, {});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->not_probed, 2);
  EXPECT_EQ(report->not_probed_example, "too long for the context");
}

TEST(CalibrationTest, ChoosesTheFastestPolicyWithinTheLoss) {
  const auto careful = Calibrate(WithArms(Input(2000, 2)), {.loss_max = 0.6});
  const auto loose = Calibrate(WithArms(Input(2000, 2)), {.loss_max = 3.5});
  ASSERT_TRUE(careful.ok() && loose.ok());
  const auto chosen = [](const CalibrationReport& report) -> const FrontPoint& {
    return report.routing->points[report.routing->chosen.value()];
  };
  EXPECT_LE(chosen(*careful).held_out.loss_upper, 0.6);
  EXPECT_LE(chosen(*loose).held_out.loss_upper, 3.5);
  EXPECT_GT(chosen(*loose).held_out.tokens_per_second, chosen(*careful).held_out.tokens_per_second);
  EXPECT_GT(chosen(*loose).held_out.loss, chosen(*careful).held_out.loss);
  EXPECT_LT(chosen(*careful).held_out.loss, chosen(*careful).held_out.loss_upper);
}

TEST(CalibrationTest, NoPointOfTheFrontIsBeatenInBoth) {
  const auto report = Calibrate(WithArms(Input(500, 2)), {});
  ASSERT_TRUE(report.ok());
  int on_front = 0;
  for (const FrontPoint& point : report->routing->points) {
    if (!point.on_front) continue;
    ++on_front;
    for (const FrontPoint& other : report->routing->points) {
      if (other.group == "oracle") continue;
      EXPECT_FALSE(other.held_out.accuracy > point.held_out.accuracy + 1e-6 &&
                   other.held_out.tokens_per_second > point.held_out.tokens_per_second + 1e-6)
          << other.name << " beats " << point.name;
    }
  }
  EXPECT_GE(on_front, 3);
}

// The arm that the file's policy takes for a query's raw scores.
void ExpectRoutesAsMeasured(const CalibrationInput& input, const CalibrationReport& report) {
  const auto text = CalibratedPolicyToml(input, report, Subject());
  ASSERT_TRUE(text.ok()) << text.status().ToString();
  const auto policy = RoutingPolicy::FromToml(*text, "written.toml");
  ASSERT_TRUE(policy.ok()) << policy.status().ToString() << *text;
  const RoutingReport& routing = *report.routing;
  int on_small = 0;
  int held_out = 0;
  for (size_t i = 0; i < input.set.queries.size(); ++i) {
    if (input.set.queries[i].split != Split::kHeldOut) continue;
    Signals signals;
    signals.intent = IntentDistribution::FromLogits(kLabels, input.probed[i].logits).value();
    signals.label_logits = input.probed[i].logits;
    signals.prompt_tokens = input.probed[i].prompt_tokens;
    on_small += policy->Decide(signals).role == "small" ? 1 : 0;
    ++held_out;
  }
  const double share = routing.points[routing.chosen.value()].held_out.small_share;
  EXPECT_EQ(on_small, std::lround(share * held_out));  // labels are alike in number and mix
  EXPECT_GT(on_small, 0);
}

TEST(CalibrationTest, TheWrittenPolicyRoutesAsWasMeasured) {
  const CalibrationInput input = WithArms(Input(400, 2));
  for (const auto kind : {RoutingCandidate::Kind::kRules, RoutingCandidate::Kind::kUtility}) {
    for (const double loss : {1.0, 4.0}) {
      const auto report = Calibrate(input, {.loss_max = loss, .kind = kind});
      ASSERT_TRUE(report.ok()) << report.status().ToString();
      ExpectRoutesAsMeasured(input, *report);
    }
  }
}

TEST(CalibrationTest, TheWrittenPolicyCarriesItsEvidence) {
  CalibrationInput input = WithArms(Input(400, 2));
  input.set.data_sets[0].used = {400, 400, 1200};
  CalibrationSubject subject = Subject();
  subject.mix_is_known = true;
  const auto report = Calibrate(input, {});
  const auto text = CalibratedPolicyToml(input, *report, subject);
  ASSERT_TRUE(text.ok());
  EXPECT_THAT(*text, HasSubstr("{ name = \"made \\\"up\\\"\", rows = 3600, used = 1200"));
  EXPECT_THAT(*text, HasSubstr("small = \"0abc\""));
  EXPECT_THAT(*text, HasSubstr("loss_confidence = 0.95"));
  EXPECT_THAT(*text, HasSubstr("strategy = \"prompt_lookup\""));
  EXPECT_THAT(*text, HasSubstr("label_shares"));
  EXPECT_TRUE(RoutingPolicy::FromToml(*text, "written.toml").ok())
      << RoutingPolicy::FromToml(*text, "written.toml").status().ToString();
}

TEST(CalibrationTest, WhatIsNotProbedGoesToTheBestArmForLongPrompts) {
  CalibrationInput input = Input(400, 2);
  input.arms = ParseArmTable(std::string(kArms) + R"(
[[arm]]
role = "large"
strategy = "plain"
weights = "w8a16"
accuracy = { code = 62, qa = 89, math = 82 }
accuracy_long = { code = 95, qa = 90, math = 83 }
tokens_per_second = 30
)",
                             "arms.toml")
                   .value();
  const auto report = Calibrate(input, {});
  ASSERT_TRUE(report.ok()) << report.status().ToString();
  CalibrationSubject subject = Subject();
  subject.strategy = "auto";
  const auto text = CalibratedPolicyToml(input, *report, subject);
  ASSERT_TRUE(text.ok()) << text.status().ToString();
  const auto policy = RoutingPolicy::FromToml(*text, "written.toml");
  ASSERT_TRUE(policy.ok()) << policy.status().ToString() << *text;
  Signals unprobed;
  unprobed.prompt_tokens = 30000;
  unprobed.large.variants = {"w8a16"};
  const PolicyOutcome outcome = policy->Decide(unprobed);
  EXPECT_EQ(outcome.role, "large");
  EXPECT_EQ(outcome.weights, "w8a16");
  EXPECT_EQ(outcome.strategy.kind, StrategyKind::kAuto);
  Signals probed = unprobed;  // short, and surely a question: the arm best for those
  probed.prompt_tokens = 50;
  probed.label_logits = {0, 60, 0};
  probed.intent = IntentDistribution::FromLogits(kLabels, probed.label_logits).value();
  EXPECT_EQ(policy->Decide(probed).weights, "");
}

TEST(CalibrationTest, WithoutArmsThePolicyKeepsAlmostAllCode) {
  const CalibrationInput input = Input(400, 2);
  const auto report = Calibrate(input, {});
  const auto text = CalibratedPolicyToml(input, *report, Subject());
  ASSERT_TRUE(text.ok()) << text.status().ToString();
  const auto policy = RoutingPolicy::FromToml(*text, "written.toml");
  ASSERT_TRUE(policy.ok()) << policy.status().ToString();
  int code = 0;
  int on_small = 0;
  for (size_t i = 0; i < input.set.queries.size(); ++i) {
    if (input.set.queries[i].intent != "code") continue;
    Signals signals;
    signals.intent = IntentDistribution::FromLogits(kLabels, input.probed[i].logits).value();
    signals.label_logits = input.probed[i].logits;
    on_small += policy->Decide(signals).role == "small" ? 1 : 0;
    ++code;
  }
  EXPECT_GT(on_small, 0.9 * code);
}

TEST(CalibrationTest, TooFewRowsAreSaidWithTheNumberNeeded) {
  const CalibrationInput input = WithArms(Input(15, 2));
  const auto report = Calibrate(input, {.loss_max = 0.5});
  ASSERT_TRUE(report.ok());
  EXPECT_FALSE(report->routing->chosen.has_value());
  const auto text = CalibratedPolicyToml(input, *report, Subject());
  EXPECT_EQ(text.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(text.status().message(), HasSubstr("at most 0.5 points with 95 % confidence"));
  EXPECT_THAT(text.status().message(), HasSubstr("held-out queries a label"));
  ASSERT_TRUE(report->routing->rows_needed->if_never_wrong.has_value());
  EXPECT_GT(*report->routing->rows_needed->if_never_wrong, 15);
}

TEST(CalibrationTest, TheMixSaysWhatLabelsCountFor) {
  const auto even = Calibrate(WithArms(Input(300, 2)), {});
  const auto code = Calibrate(WithArms(Input(300, 2)), {.mix = {0.8, 0.1, 0.1}});
  ASSERT_TRUE(even.ok() && code.ok());
  EXPECT_GT(code->routing->points[*code->routing->chosen].held_out.small_share,
            even->routing->points[*even->routing->chosen].held_out.small_share + 0.2);
}

TEST(CalibrationOutputTest, JsonHasEveryFigure) {
  const CalibrationInput input = WithArms(Input(100, 2));
  const auto report = Calibrate(input, {});
  const auto json =
      nlohmann::json::parse(CalibrationJson(input, *report, Subject()), nullptr, false);
  ASSERT_TRUE(json.is_object());
  EXPECT_EQ(json["after"]["ece"], report->after.ece);
  EXPECT_EQ(json["data"][0]["name"], "made \"up\"");
  EXPECT_EQ(json["routing"]["points"].size(), report->routing->points.size());
}

TEST(CalibrationOutputTest, ThePageNeedsNoNetworkAndIsNotEndedByItsData) {
  CalibrationInput input = WithArms(Input(100, 2));
  input.set.data_sets[0].name = "</script><b>\xff";
  const auto report = Calibrate(input, {});
  const std::string page = CalibrationPage(input, *report, Subject());
  EXPECT_THAT(page, HasSubstr("Chart.js v"));
  EXPECT_EQ(page.find("</script><b>"), std::string::npos);
  EXPECT_EQ(page.find("src=\"http"), std::string::npos);
  EXPECT_THAT(page, HasSubstr("\"after\":{"));
}

}  // namespace
}  // namespace aio
