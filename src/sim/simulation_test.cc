#include "sim/simulation.h"

#include <gtest/gtest.h>

#include "sim/sim_test_setup.h"
#include "traffic/arrivals.h"

namespace aio {
namespace {

// `requests` a second apart on average by `rate`, of 200 tokens and answers of 50, a third each
// about code, qa and math, as the probe sees clearly.
SimWorkload MakeWorkload(int64_t requests, double rate) {
  SimWorkload workload{.source = "", .labels = {"code", "qa", "math"}, .requests = {}};
  const std::vector<Duration> arrivals = PoissonArrivals(requests, rate, /*seed=*/7);
  for (size_t i = 0; i < arrivals.size(); ++i) {
    SimRequest request{.arrival = arrivals[i], .prompt_tokens = 200, .answer_tokens = 50};
    request.intent = static_cast<int>(i % 3);
    request.label_logits = {0, 0, 0};
    request.label_logits[i % 3] = 8;
    workload.requests.push_back(std::move(request));
  }
  return workload;
}

TEST(SimulationTest, EveryRequestIsAnsweredByTheModelThatThePolicyChooses) {
  const auto result = Simulate(TestSetup(1), MakeWorkload(90, 10));
  ASSERT_TRUE(result.ok()) << result.status().ToString();
  ASSERT_EQ(result->answers.size(), 90u);
  for (size_t i = 0; i < result->answers.size(); ++i) {
    const SimulatedAnswer& answer = result->answers[i];
    ASSERT_TRUE(answer.answered) << i << ": " << answer.fault;
    EXPECT_EQ(answer.large, i % 3 != 0) << "code is the small model's";
    EXPECT_EQ(answer.answer_tokens, 50);
    EXPECT_LT(answer.arrival, answer.first_token);
    EXPECT_LT(answer.first_token, answer.end);
  }
  EXPECT_EQ(result->models[kSimSmall].answer_tokens, 30 * 50);
  EXPECT_EQ(result->models[kSimLarge].answer_tokens, 60 * 50);
}

TEST(SimulationTest, TheSameSeedGivesTheSameRun) {
  const SimWorkload workload = MakeWorkload(300, 30);
  const auto one = Simulate(TestSetup(4), workload);
  const auto other = Simulate(TestSetup(4), workload);
  ASSERT_TRUE(one.ok() && other.ok());
  for (size_t i = 0; i < workload.requests.size(); ++i) {
    EXPECT_EQ(one->answers[i].end, other->answers[i].end);
  }
  EXPECT_EQ(one->events, other->events);
}

TEST(SimulationTest, WhatDoesNotFitIsRefused) {
  SimulationSetup setup = TestSetup(1);
  setup.pools[0].device.memory_gb.value = 16;
  const Status status = Simulate(setup, MakeWorkload(1, 1)).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("has 16.0 GB of memory, and the models with their KV need 3"),
            std::string::npos)
      << status.message();
}

TEST(SimulationTest, MoreDevicesAnswerSooner) {
  const SimWorkload workload = MakeWorkload(600, 200);
  const auto few = Simulate(TestSetup(1), workload);
  const auto many = Simulate(TestSetup(8), workload);
  ASSERT_TRUE(few.ok() && many.ok());
  EXPECT_LT(many->length * 2, few->length);
}

TEST(SimulationTest, EqualBeginningsOfPromptsAreComputedOnce) {
  SimWorkload workload = MakeWorkload(60, 2);
  for (SimRequest& request : workload.requests) {
    request.prompt_tokens = 1024;
    request.label_logits = {0, 8, 0};  // the large model's
  }
  const auto apart = Simulate(TestSetup(1), workload);
  for (SimRequest& request : workload.requests) {
    request.blocks = {3, 4};
    request.block_tokens = 448;
  }
  const auto alike = Simulate(TestSetup(1), workload);
  ASSERT_TRUE(apart.ok() && alike.ok());
  EXPECT_LT(alike->models[kSimLarge].prefill_tokens, apart->models[kSimLarge].prefill_tokens / 4);
  EXPECT_EQ(alike->models[kSimLarge].answer_tokens, apart->models[kSimLarge].answer_tokens);
}

TEST(SimulationTest, WhatTheProbeReadIsNotReadAgain) {
  SimWorkload workload = MakeWorkload(30, 2);
  for (SimRequest& request : workload.requests) request.label_logits = {8, 0, 0};
  const auto result = Simulate(TestSetup(4), workload);
  ASSERT_TRUE(result.ok());
  // A prompt of 200 tokens: the probe reads it and its question, the answer begins from its KV.
  EXPECT_LT(result->models[kSimSmall].prefill_tokens, 30 * 210);
  SimulationSetup asks_more = TestSetup(4);
  asks_more.probe_suffix_tokens = 21;
  const auto more = Simulate(asks_more, workload);
  ASSERT_TRUE(more.ok());
  EXPECT_EQ(more->models[kSimSmall].prefill_tokens,
            result->models[kSimSmall].prefill_tokens + 30 * 20);
}

TEST(SimulationTest, ADeviceThatFailsLosesAnswersThatHaveBegunAndNoOthers) {
  SimulationSetup setup = TestSetup(3);
  setup.failures = {
      {.pool = 0, .device = 1, .at = std::chrono::seconds(4), .lasts = std::chrono::seconds(5)}};
  const SimWorkload workload = MakeWorkload(600, 40);
  const auto well = Simulate(TestSetup(3), workload);
  const auto result = Simulate(setup, workload);
  ASSERT_TRUE(well.ok() && result.ok());
  EXPECT_EQ(result->failures, 1);
  int failed = 0;
  for (const SimulatedAnswer& answer : result->answers) {
    if (answer.answered) continue;
    ++failed;
    EXPECT_EQ(answer.fault, "the device failed in the middle of the answer");
    EXPECT_EQ(ToMs(answer.end), 4000);
  }
  EXPECT_GT(failed, 0);
  EXPECT_LT(failed, 60);
  EXPECT_NEAR(result->pools[0].down_share, 5 / (3 * ToMs(result->length) / 1000), 0.01);
  for (const SimulatedAnswer& answer : well->answers) EXPECT_TRUE(answer.answered);
}

TEST(SimulationTest, WithNoDeviceLeftRequestsAreRefused) {
  SimulationSetup setup = TestSetup(1);
  setup.failures = {
      {.pool = 0, .device = 0, .at = std::chrono::seconds(1), .lasts = std::chrono::seconds(2)}};
  const auto result = Simulate(setup, MakeWorkload(200, 40));
  ASSERT_TRUE(result.ok());
  EXPECT_FALSE(result->answers[60].answered) << "1.5 s";
  EXPECT_NE(result->answers[60].fault.find("is up"), std::string::npos)
      << result->answers[60].fault;
  EXPECT_TRUE(result->answers[199].answered) << "5 s: it is back";
}

TEST(SimulationTest, PromptsAndAnswersCanHaveDevicesOfTheirOwn) {
  SimulationSetup setup = TestSetup(2);
  setup.pools = {TestPool(2), TestPool(2)};
  setup.pools[0].phase = PoolPhase::kPrefill;
  setup.pools[1].phase = PoolPhase::kDecode;
  const SimWorkload workload = MakeWorkload(300, 30);
  const auto split = Simulate(setup, workload);
  ASSERT_TRUE(split.ok()) << split.status().ToString();
  const auto together = Simulate(TestSetup(4), workload);
  ASSERT_TRUE(together.ok());
  for (size_t i = 0; i < split->answers.size(); ++i) {
    const SimulatedAnswer& answer = split->answers[i];
    ASSERT_TRUE(answer.answered) << answer.fault;
    EXPECT_EQ(answer.answer_tokens, 50);
    EXPECT_EQ(answer.large, together->answers[i].large);
  }
  EXPECT_GT(split->pools[0].busy_share, 0);
  EXPECT_GT(split->pools[1].busy_share, 0);
  // KV that came over is not computed again, but for a block's rest.
  const double prompts = 300 * 200;
  const double read = static_cast<double>(split->models[kSimLarge].prefill_tokens +
                                          split->models[kSimSmall].prefill_tokens);
  EXPECT_LT(read, prompts * 2);
}

TEST(SimulationTest, PoolsThatCannotServeAreRefused) {
  SimulationSetup setup = TestSetup(1);
  setup.pools[0].holds[kSimSmall] = false;
  EXPECT_NE(Simulate(setup, MakeWorkload(1, 1)).status().message().find("of the small model"),
            std::string::npos);
  setup = TestSetup(1);
  setup.pools[0].phase = PoolPhase::kPrefill;
  EXPECT_NE(Simulate(setup, MakeWorkload(1, 1)).status().message().find("none of the phase decode"),
            std::string::npos);
  setup.pools[0].device.link_gb_per_s.value = 0;
  EXPECT_NE(Simulate(setup, MakeWorkload(1, 1)).status().message().find("link_gb_per_s"),
            std::string::npos);
  setup = TestSetup(1);
  setup.pools[0].graph = true;
  EXPECT_NE(Simulate(setup, MakeWorkload(1, 1)).status().message().find("no [graph]"),
            std::string::npos);
}

}  // namespace
}  // namespace aio
