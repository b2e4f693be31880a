// What an observer is told, which is what the decision log keeps.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "router/prompt_hash.h"
#include "router/router_test_fixture.h"

namespace aio {
namespace {

using ::testing::HasSubstr;

class RecordingObserver final : public DecisionObserver {
 public:
  struct End {
    uint64_t number;
    RequestOutcome outcome;
  };

  bool wants_prompts() const override { return wants_prompts_; }
  uint64_t Decided(DecisionRecord record) override {
    records.push_back(std::move(record));
    return records.size();
  }
  void Ended(uint64_t number, const RequestOutcome& outcome) override {
    ends.push_back({number, outcome});
  }

  std::vector<DecisionRecord> records;
  std::vector<End> ends;
  bool wants_prompts_ = false;
};

class RouterObserverTest : public RouterTest {
 protected:
  void SetUp() override {
    f_.small.Update(kSmall, [](FakeModel& model) { model.info.fingerprint = "f00d"; });
    RouterOptions options = f_.Options();
    options.observer = &observer_;
    auto router = Router::Create(std::move(options), f_.clock);
    ASSERT_TRUE(router.ok()) << router.status().ToString();
    f_.router = *std::move(router);
  }

  RecordingObserver observer_;
};

TEST_P(RouterObserverTest, IsToldWhatWasDecidedFromWhat) {
  f_.clock.Advance(std::chrono::seconds(77));
  const auto record = f_.Run(Ask("code please"));
  ASSERT_EQ(observer_.records.size(), 1u);
  const DecisionRecord& told = observer_.records[0];
  EXPECT_EQ(told.request_id, "r1");
  EXPECT_EQ(told.unix_seconds, 77);
  EXPECT_EQ(told.prompt_hash, PromptHash(std::string("code please")));
  EXPECT_FALSE(told.prompt.has_value()) << "the text was not asked for";
  EXPECT_EQ(told.small_model, kSmall);
  EXPECT_EQ(told.large_model, kLarge);
  EXPECT_EQ(told.small_fingerprint, "f00d");
  EXPECT_EQ(told.large_fingerprint, "");
  EXPECT_EQ(told.policy_hash, RoutingPolicy::Paper().hash());
  EXPECT_EQ(told.decision.reason, record.starts[0].decision->reason);

  ASSERT_TRUE(told.signals.has_value());
  const PolicyOutcome anew = RoutingPolicy::Paper().Decide(*told.signals);
  EXPECT_EQ(anew.reason, told.decision.reason) << "the signals are all that it took";
  EXPECT_EQ(anew.role, told.decision.role);
}

TEST_P(RouterObserverTest, IsToldHowItEnded) {
  f_.small.Update(kSmall, [](FakeModel& model) {
    model.probe_traffic = {.weight_bytes = 100};
    model.answer = [](const Request&) {
      FakeAnswer answer;
      answer.finish = FinishReason::kLength;
      answer.traffic.weight_bytes = 10;
      return answer;
    };
  });
  f_.Run(Ask("code please"));
  ASSERT_EQ(observer_.ends.size(), 1u);
  const auto& [number, outcome] = observer_.ends[0];
  EXPECT_EQ(number, 1u);
  EXPECT_EQ(outcome.model, kSmall);
  ASSERT_TRUE(outcome.finish.has_value());
  EXPECT_EQ(outcome.finish->reason, FinishReason::kLength);
  EXPECT_EQ(outcome.finish->usage.completion_tokens, 3);
  EXPECT_EQ(outcome.finish->traffic.weight_bytes, 110) << "the probe's included";
}

TEST_P(RouterObserverTest, ToldOfRequestsByNameWithoutSignals) {
  f_.Run(Ask("anything", "large"));
  ASSERT_EQ(observer_.records.size(), 1u);
  EXPECT_EQ(observer_.records[0].decision.rule, "override");
  EXPECT_FALSE(observer_.records[0].signals.has_value());
  EXPECT_EQ(observer_.records[0].policy_hash, "");
  EXPECT_EQ(observer_.records[0].prompt_hash, PromptHash(std::string("anything")));
  EXPECT_EQ(observer_.ends.size(), 1u);
}

TEST_P(RouterObserverTest, IsToldOfFailuresOnce) {
  f_.large.Update(kLarge, [](FakeModel& model) {
    model.answer = [](const Request&) {
      FakeAnswer answer;
      answer.error = Internal("it broke");
      return answer;
    };
  });
  f_.Run(Ask("qa please"));
  f_.large.Update(kLarge, [](FakeModel& model) { model.generate_refusal = Unavailable("full"); });
  f_.Run(Ask("qa please"));
  EXPECT_FALSE(f_.RunToRefusal(Ask("anything", "large")).ok());
  ASSERT_EQ(observer_.ends.size(), 3u);
  EXPECT_EQ(observer_.ends[0].outcome.model, kLarge);
  EXPECT_THAT(observer_.ends[0].outcome.error.message(), HasSubstr("it broke"));
  for (size_t i : {1u, 2u}) {
    EXPECT_EQ(observer_.ends[i].number, i + 1);
    EXPECT_EQ(observer_.ends[i].outcome.model, "");
    EXPECT_FALSE(observer_.ends[i].outcome.finish.has_value());
    EXPECT_THAT(observer_.ends[i].outcome.error.message(), HasSubstr("full"));
  }
}

TEST_P(RouterObserverTest, GetsThePromptIfItAsks) {
  observer_.wants_prompts_ = true;
  f_.Run(Ask("code please"));
  ASSERT_EQ(observer_.records.size(), 1u);
  EXPECT_EQ(observer_.records[0].prompt, Prompt(std::string("code please")));
}

TEST_P(RouterObserverTest, AskingWhatWouldBeDecidedIsNotTold) {
  EXPECT_TRUE(f_.router->Decide(Ask("code please"), [](const auto&) {}).ok());
  f_.DeliverAll();
  EXPECT_TRUE(observer_.records.empty());
}

INSTANTIATE_TEST_SUITE_P(Deliveries, RouterObserverTest,
                         ::testing::Values(FakeBackend::Delivery::kImmediate,
                                           FakeBackend::Delivery::kManual));

}  // namespace
}  // namespace aio
