#include "sim/draw_workload.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "router/intent_distribution.h"

namespace aio {
namespace {

const std::vector<std::string> kLabels = {"code", "qa", "math"};

WorkloadPlan Plan(double rate, int64_t requests) {
  WorkloadPlan plan;
  plan.rate = rate;
  plan.requests = requests;
  plan.probe = ProbeQuality::Of(kLabels, 0.9);
  return plan;
}

TEST(DrawWorkloadTest, AnotherRateIsTheSameRequestsFurtherApart) {
  const auto slow = DrawWorkload(Plan(5, 200));
  const auto fast = DrawWorkload(Plan(10, 200));
  ASSERT_TRUE(slow.ok() && fast.ok());
  for (size_t i = 0; i < 200; ++i) {
    EXPECT_NEAR(ToMs(slow->requests[i].arrival), 2 * ToMs(fast->requests[i].arrival), 1e-3);
    EXPECT_EQ(slow->requests[i].prompt_tokens, fast->requests[i].prompt_tokens);
    EXPECT_EQ(slow->requests[i].label_logits, fast->requests[i].label_logits);
  }
}

TEST(DrawWorkloadTest, LengthsAndRateAreAsAskedOnAverage) {
  WorkloadPlan plan = Plan(20, 20'000);
  plan.prompts = {400, 300};
  plan.answers = {150, 0};
  const auto workload = DrawWorkload(plan);
  ASSERT_TRUE(workload.ok());
  double prompts = 0;
  for (const SimRequest& request : workload->requests) {
    prompts += request.prompt_tokens;
    EXPECT_EQ(request.answer_tokens, 150);
  }
  EXPECT_NEAR(prompts / 20'000, 400, 10);
  EXPECT_NEAR(20'000 / (ToMs(workload->length()) / 1000), 20, 0.5);
}

TEST(DrawWorkloadTest, RequestsBeyondTheContextAreCutAndCounted) {
  WorkloadPlan plan = Plan(20, 10);
  plan.prompts = {900, 0};
  plan.answers = {200, 0};
  plan.context_length = 1100;
  EXPECT_EQ(DrawWorkload(plan)->shortened, 0);
  plan.context_length = 1000;
  const auto answers_cut = DrawWorkload(plan);
  EXPECT_EQ(answers_cut->shortened, 10);
  EXPECT_EQ(answers_cut->requests[0].prompt_tokens, 900);
  EXPECT_EQ(answers_cut->requests[0].answer_tokens, 100);
  plan.context_length = 500;
  const auto prompts_cut = DrawWorkload(plan);
  EXPECT_EQ(prompts_cut->requests[0].prompt_tokens, 499);
  EXPECT_EQ(prompts_cut->requests[0].answer_tokens, 1);
}

TEST(DrawWorkloadTest, BurstsLeaveLongerGapsAndShorterOnes) {
  const auto variation = [](double burstiness) {
    WorkloadPlan plan = Plan(1, 20'000);
    plan.burstiness = burstiness;
    const auto workload = DrawWorkload(plan);
    double sum = 0;
    double squares = 0;
    Duration last{};
    for (const SimRequest& request : workload->requests) {
      const double gap = ToMs(request.arrival - last) / 1000;
      last = request.arrival;
      sum += gap;
      squares += gap * gap;
    }
    const double mean = sum / 20'000;
    return std::sqrt(squares / 20'000 - mean * mean) / mean;
  };
  EXPECT_NEAR(variation(1), 1, 0.05);
  EXPECT_NEAR(variation(0.25), 2, 0.15);
  EXPECT_NEAR(variation(4), 0.5, 0.03);
}

// A probe that says 80 % is right eight times of ten, and its accuracy is what was asked for.
TEST(DrawWorkloadTest, TheProbeIsRightAsOftenAsItSays) {
  const auto workload = DrawWorkload(Plan(1, 30'000));
  ASSERT_TRUE(workload.ok());
  double right = 0;
  double said = 0;
  double right_when_unsure = 0;
  double unsure = 0;
  for (const SimRequest& request : workload->requests) {
    const auto distribution = IntentDistribution::FromLogits(kLabels, request.label_logits);
    ASSERT_TRUE(distribution.ok());
    const bool is_right = static_cast<int>(distribution->top()) == request.intent;
    const double p = distribution->probabilities[distribution->top()];
    right += is_right;
    said += p;
    if (p > 0.7 && p < 0.9) {
      ++unsure;
      right_when_unsure += is_right;
    }
  }
  EXPECT_NEAR(right / 30'000, 0.9, 0.01);
  EXPECT_NEAR(said / 30'000, 0.9, 0.01);
  EXPECT_NEAR(right_when_unsure / unsure, 0.8, 0.03);
}

TEST(DrawWorkloadTest, IntentsComeInTheirShares) {
  WorkloadPlan plan = Plan(1, 10'000);
  plan.intents = {{"code", 7}, {"math", 3}};
  const auto workload = DrawWorkload(plan);
  ASSERT_TRUE(workload.ok());
  const auto code = std::count_if(workload->requests.begin(), workload->requests.end(),
                                  [](const SimRequest& request) { return request.intent == 0; });
  const auto math = std::count_if(workload->requests.begin(), workload->requests.end(),
                                  [](const SimRequest& request) { return request.intent == 2; });
  EXPECT_EQ(code + math, 10'000);
  EXPECT_NEAR(static_cast<double>(code), 7000, 150);
}

TEST(DrawWorkloadTest, ATraceKeepsItsLengthsAndTakesARate) {
  auto trace = std::make_shared<Trace>();
  trace->source = "t.csv";
  for (int i = 0; i < 10; ++i) {
    trace->requests.push_back({.arrival = std::chrono::seconds(i * i),
                               .prompt_tokens = 100 + i,
                               .output_tokens = i,
                               .blocks = {7, i}});
  }
  WorkloadPlan plan = Plan(0, 0);
  plan.trace = trace;
  const auto as_it_was = DrawWorkload(plan);
  ASSERT_TRUE(as_it_was.ok());
  EXPECT_EQ(as_it_was->length(), std::chrono::seconds(81));
  EXPECT_EQ(as_it_was->requests[3].prompt_tokens, 103);
  EXPECT_EQ(as_it_was->requests[0].answer_tokens, 1) << "one that had none has one";
  plan.rate = 10.0 / 8.1;
  const auto faster = DrawWorkload(plan);
  ASSERT_TRUE(faster.ok());
  EXPECT_NEAR(ToMs(faster->length()), 8100, 1);
}

TEST(DrawWorkloadTest, EqualBlocksAreEqualPrompts) {
  SimWorkload workload;
  workload.requests.push_back({.prompt_tokens = 96, .blocks = {5, 6}, .block_tokens = 32});
  workload.requests.push_back({.prompt_tokens = 96, .blocks = {5, 9}, .block_tokens = 32});
  const std::vector<int32_t> one = PromptOf(workload, 0);
  const std::vector<int32_t> other = PromptOf(workload, 1);
  const auto differs = std::mismatch(one.begin(), one.end(), other.begin()).first - one.begin();
  EXPECT_EQ(differs, 32);
  EXPECT_NE(one[80], other[80]) << "what no block covers is each one's own";
}

TEST(DrawWorkloadTest, FaultsAreNamed) {
  WorkloadPlan plan = Plan(1, 10);
  plan.intents = {{"poetry", 1}};
  EXPECT_NE(DrawWorkload(plan).status().message().find("no label 'poetry': it has code, qa, math"),
            std::string::npos);
  EXPECT_FALSE(DrawWorkload(Plan(0, 10)).ok());
}

}  // namespace
}  // namespace aio
