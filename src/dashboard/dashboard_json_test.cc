#include "dashboard/dashboard_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "backend/testing/fake_backend.h"

namespace aio {
namespace {

using Json = nlohmann::json;

class DashboardJsonTest : public testing::Test {
 protected:
  DashboardJsonTest() {
    backend_.Update("s", [](FakeModel& model) {
      model.info.bytes = 10;
      model.load.running = 2;
      model.load.kv_blocks_total = 8;
      model.load.kv_blocks_used = 3;
    });
    backend_.Update("l", [](FakeModel& model) { model.info.bytes = 70; });
  }

  // One that the paper's policy decided: code of this entropy, on whatever model it says.
  uint64_t Decide(double entropy, const std::string& id = "r") {
    DecisionRecord record;
    record.request_id = id;
    Signals signals;
    signals.prompt_tokens = 20;
    signals.intent = IntentDistribution{{"code", "qa", "math"}, {0.8, 0.1, 0.1}, entropy};
    const PolicyOutcome outcome = policy_.Decide(signals);
    record.signals = std::move(signals);
    record.decision.model = outcome.role == "small" ? "s" : "l";
    record.decision.role = outcome.role;
    record.decision.probed = true;
    record.decision.intent = "code";
    record.decision.entropy = entropy;
    record.decision.probabilities = {{"code", 0.8}, {"qa", 0.1}, {"math", 0.1}};
    record.decision.reason = outcome.reason;
    return recent_.Decided(std::move(record));
  }

  void End(uint64_t number, int tokens) {
    RequestOutcome outcome{.model = "s", .finish = FinishEvent{}, .error = {}};
    outcome.finish->usage.completion_tokens = tokens;
    outcome.finish->timings.predicted_ms = 100;
    outcome.finish->traffic.weight_bytes = 10 * tokens;
    outcome.finish->traffic.static_large_bytes = 70 * tokens;
    recent_.Ended(number, outcome);
  }

  LiveView View() const {
    return {.backend = backend_,
            .policy = policy_,
            .decisions = recent_,
            .read_bytes_per_second = 5e9,
            .now = clock_.Now()};
  }

  SystemClock clock_;
  FakeBackend backend_{{FakeModel::Named("auto", "router"), FakeModel::Named("s", "small"),
                        FakeModel::Named("l", "large")}};
  RoutingPolicy policy_ = RoutingPolicy::Paper();
  RecentDecisions recent_{nullptr, clock_};
};

TEST_F(DashboardJsonTest, TellsModelsPolicyAndDecisions) {
  End(Decide(0.2), 11);
  Decide(0.3, "\xff id");  // as a client may send it
  const Json live = Json::parse(LiveJson(View(), 0));
  ASSERT_EQ(live["models"].size(), 2u) << "names that route are no models";
  EXPECT_EQ(live["models"][0]["running"], 2);
  EXPECT_EQ(live["models"][0]["kv_blocks"]["used"], 3);
  EXPECT_EQ(live["policy"]["name"], "paper");
  EXPECT_EQ(live["policy"]["thresholds"][0]["entropy_max"], 0.45);
  ASSERT_EQ(live["decisions"].size(), 2u);
  const Json& ended = live["decisions"][0];
  EXPECT_EQ(ended["role"], "small");
  EXPECT_EQ(ended["probabilities"]["code"], 0.8);
  EXPECT_EQ(ended["outcome"]["completion_tokens"], 11);
  EXPECT_DOUBLE_EQ(ended["outcome"]["tokens_per_second"], 100);
  EXPECT_EQ(ended["outcome"]["static_large_bytes"], 770);
  EXPECT_FALSE(live["decisions"][1].contains("outcome"));

  const uint64_t version = live["version"];
  const Json nothing = Json::parse(LiveJson(View(), version));
  EXPECT_EQ(nothing["version"], version);
  EXPECT_TRUE(nothing["decisions"].empty());
}

TEST_F(DashboardJsonTest, AFailureHasItsReason) {
  recent_.Ended(Decide(0.2), {.model = "s", .finish = std::nullopt, .error = Unavailable("gone")});
  const Json live = Json::parse(LiveJson(View(), 0));
  EXPECT_EQ(live["decisions"][0]["outcome"]["error"], "gone");
}

TEST_F(DashboardJsonTest, AnotherThresholdIsTheSamePolicyOnTheSameSignals) {
  End(Decide(0.2), 10);
  End(Decide(0.4), 10);
  recent_.Decided({});  // asked for by name: no threshold changes it
  const Json strict = Json::parse(WhatIfJson(View(), 0.3));
  EXPECT_EQ(strict["requests"], 2);
  EXPECT_EQ(strict["on_small"]["now"], 2);
  EXPECT_EQ(strict["on_small"]["then"], 1);
  EXPECT_EQ(strict["bytes"]["now"], 200);
  EXPECT_EQ(strict["bytes"]["then"], 100 + 700);
  ASSERT_EQ(strict["changed"].size(), 1u);
  EXPECT_EQ(strict["changed"][0]["number"], 2);
  EXPECT_EQ(strict["changed"][0]["to"], "large");
  EXPECT_TRUE(Json::parse(WhatIfJson(View(), 0.45))["changed"].empty());
}

}  // namespace
}  // namespace aio
