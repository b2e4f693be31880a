#include "sim/simulation.h"

#include <gtest/gtest.h>

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

SimulatedRole Role(const char* shape, int kv_tokens) {
  SimulatedRole role;
  role.shape = *FindShape(shape);
  role.kv_tokens = kv_tokens;
  role.scheduler = {
      .max_running = 64, .prefill_chunk_tokens = 2048, .max_draft_tokens = 64};
  return role;
}

SimulationSetup PairOn(int devices) {
  SimulatedPool pool;
  pool.device.title = "a device";
  pool.device.memory_gb.value = 64;
  pool.device.read_gb_per_s.value = 1600;
  pool.device.read_share.value = 0.8;
  pool.device.f16_tflops.value = 300;
  pool.device.compute_share.value = 0.5;
  pool.devices = devices;
  SimulationSetup setup;
  setup.pools = {pool};
  setup.roles = {Role("openpangu-1b", 65536), Role("openpangu-7b", 65536)};
  setup.policy = RoutingPolicy::Paper();
  return setup;
}

TEST(SimulationTest, EveryRequestIsAnsweredByTheModelThatThePolicyChooses) {
  const auto result = Simulate(PairOn(1), MakeWorkload(90, 10));
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
  const auto one = Simulate(PairOn(4), workload);
  const auto other = Simulate(PairOn(4), workload);
  ASSERT_TRUE(one.ok() && other.ok());
  for (size_t i = 0; i < workload.requests.size(); ++i) {
    EXPECT_EQ(one->answers[i].end, other->answers[i].end);
  }
  EXPECT_EQ(one->events, other->events);
}

TEST(SimulationTest, WhatDoesNotFitIsRefused) {
  SimulationSetup setup = PairOn(1);
  setup.pools[0].device.memory_gb.value = 16;
  const Status status = Simulate(setup, MakeWorkload(1, 1)).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("has 16.0 GB of memory, and the models with their KV need 3"),
            std::string::npos)
      << status.message();
}

TEST(SimulationTest, MoreDevicesAnswerSooner) {
  const SimWorkload workload = MakeWorkload(600, 200);
  const auto few = Simulate(PairOn(1), workload);
  const auto many = Simulate(PairOn(8), workload);
  ASSERT_TRUE(few.ok() && many.ok());
  EXPECT_LT(many->length * 2, few->length);
}

}  // namespace
}  // namespace aio
