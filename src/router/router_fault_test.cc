// Router: probes, models and prompts that fail.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "router/router_test_fixture.h"

namespace aio {
namespace {

using ::testing::HasSubstr;

TEST_P(RouterTest, AFailedProbeFallsToTheLargeModel) {
  f_.small.Update(kSmall, [](FakeModel& m) { m.probe_fault = Unavailable("gone\nfor good"); });
  Decision decision = f_.DecisionFor(Ask("code x"));
  EXPECT_EQ(decision.model, kLarge);
  EXPECT_FALSE(decision.probed);
  EXPECT_EQ(decision.reason,
            "probe failed (unavailable: gone?for good): large model answers (rule otherwise)");

  f_.small.Update(kSmall, [](FakeModel& m) { m.probe_refusal = ResourceExhausted("queue full"); });
  decision = f_.DecisionFor(Ask("code x"));
  EXPECT_EQ(decision.model, kLarge);
  EXPECT_THAT(decision.reason, HasSubstr("resource_exhausted: queue full"));
}

TEST_P(RouterTest, ScoresThatAreNoNumbersFallToTheLargeModel) {
  for (const char* prompt : {"nan x", "inf x"}) {
    const Decision decision = f_.DecisionFor(Ask(prompt));
    EXPECT_EQ(decision.model, kLarge);
    EXPECT_THAT(decision.reason, HasSubstr("probe failed (internal: score of label 'code' is"));
  }
}

TEST_P(RouterTest, TheWrongNumberOfScoresFallsToTheLargeModel) {
  f_.small.Update(kSmall, [](FakeModel& m) {
    m.logits = [](const Request&, const LabelQuery&) { return std::vector<float>{1}; };
  });
  EXPECT_THAT(f_.DecisionFor(Ask("code x")).reason, HasSubstr("1 scores for 3 labels"));
}

TEST_P(RouterTest, ARequestThatIsOverDuringTheProbeFails) {
  for (const Status& fault : {DeadlineExceeded("too late"), Cancelled("went away")}) {
    f_.small.Update(kSmall, [&](FakeModel& m) { m.probe_fault = fault; });
    const RecordingSink::Record record = f_.Run(Ask("code x"));
    ASSERT_EQ(record.errors.size(), 1u);
    EXPECT_EQ(record.errors[0].code(), fault.code());
    Status decided;
    ASSERT_TRUE(
        f_.router->Decide(Ask("code x"), [&](Result<Decision> d) { decided = d.status(); }).ok());
    f_.DeliverAll();
    EXPECT_EQ(decided.code(), fault.code());

    f_.small.Update(kSmall, [&](FakeModel& m) { m.probe_refusal = fault; });
    EXPECT_EQ(f_.RunToRefusal(Ask("code x")).code(), fault.code());
    EXPECT_EQ(f_.router->Decide(Ask("code x"), nullptr).code(), fault.code());
    f_.small.Update(kSmall, [&](FakeModel& m) { m.probe_refusal = Status::Ok(); });
  }
  EXPECT_TRUE(f_.large.generations().empty());
}

TEST_P(RouterTest, AWrongPromptIsRefused) {
  f_.small.Update(kSmall, [](FakeModel& m) {
    m.count_fault = InvalidArgument("no such role").WithParam("messages[0].role");
  });
  const Status status = f_.RunToRefusal(Ask("code x"));
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(status.param(), "messages[0].role");
}

TEST_P(RouterTest, ASmallModelThatCannotCountIsNotProbed) {
  f_.small.Update(kSmall, [](FakeModel& m) { m.count_fault = Unavailable("gone"); });
  const Decision decision = f_.DecisionFor(Ask("code x y"));
  EXPECT_EQ(decision.model, kLarge);
  EXPECT_EQ(decision.prompt_tokens, 3);
  EXPECT_THAT(decision.reason, HasSubstr("probe failed (unavailable: gone)"));
  EXPECT_TRUE(f_.small.probes().empty());

  f_.large.Update(kLarge, [](FakeModel& m) { m.count_fault = Unavailable("gone too"); });
  EXPECT_EQ(f_.RunToRefusal(Ask("code x")).message(), "gone too");
}

TEST_P(RouterTest, ARefusalByTheChosenModelIsReported) {
  f_.small.Update(kSmall, [](FakeModel& m) { m.generate_refusal = ResourceExhausted("full"); });
  // Known only after the probe: through the sink.
  const RecordingSink::Record record = f_.Run(Ask("code x"));
  EXPECT_TRUE(record.starts.empty());
  EXPECT_EQ(record.errors.at(0).code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(f_.small.held_prompts(), 0);
  // Without a probe: at once.
  EXPECT_EQ(f_.RunToRefusal(Ask("code x", "small")).code(), StatusCode::kResourceExhausted);
  f_.large.Update(kLarge, [](FakeModel& m) { m.generate_refusal = ResourceExhausted("full"); });
  EXPECT_EQ(f_.RunToRefusal(Ask(Words("code", 3000))).code(), StatusCode::kResourceExhausted);
}

TEST_P(RouterTest, WhatGenerateRefusesIsRefusedBeforeTheProbeAndByDecide) {
  const Status bad = InvalidArgument("no such token").WithParam("logit_bias");
  const auto refuse = [&](FakeModel& m) { m.probe_refusal = m.generate_refusal = bad; };
  f_.small.Update(kSmall, refuse);
  f_.large.Update(kLarge, refuse);
  for (const Request& request :
       {Ask("code x"), Ask(Words("code", 3000)), Ask("code x", "small"), Ask("code x", "large")}) {
    EXPECT_EQ(f_.RunToRefusal(request).param(), "logit_bias");
    EXPECT_EQ(f_.router->Decide(request, nullptr).param(), "logit_bias");
  }
}

TEST_P(RouterTest, AFaultInMidStreamComesThrough) {
  f_.small.Update(kSmall, [](FakeModel& m) {
    m.answer = [](const Request&) {
      FakeAnswer answer;
      answer.tokens = {"a"};
      answer.error = Internal("boom");
      return answer;
    };
  });
  const RecordingSink::Record record = f_.Run(Ask("code x"));
  EXPECT_EQ(record.text(), "a");
  EXPECT_EQ(record.errors.at(0).message(), "boom");
}

TEST_P(RouterTest, TokenIdsNeedANamedModelWhenTheVocabulariesDiffer) {
  Request ids = Ask("");
  ids.prompt = std::vector<int32_t>{1, 2, 3};
  Request bias = Ask("code x");
  bias.sampling.logit_bias = {{1, 2.0f}};
  EXPECT_EQ(f_.DecisionFor(ids).model, kLarge);
  EXPECT_EQ(f_.DecisionFor(bias).model, kSmall);

  for (uint64_t other : {0, 2}) {  // unknown, and known to be different
    f_.large.Update(kLarge, [&](FakeModel& m) { m.info.vocabulary_fingerprint = other; });
    f_.router = Router::Create(f_.Options(), f_.clock).value();
    EXPECT_EQ(f_.RunToRefusal(ids).param(), "prompt");
    EXPECT_EQ(f_.router->Decide(bias, nullptr).param(), "logit_bias");
    EXPECT_THAT(
        f_.RunToRefusal(bias).message(),
        HasSubstr("'pocket-small' and 'pocket-large', whose vocabularies differ; name one"));
    Request named = ids;
    named.model = "large";
    EXPECT_EQ(f_.DecisionFor(named).model, kLarge);
    EXPECT_EQ(f_.DecisionFor(Ask("code x")).model, kSmall) << "text has no ids";
  }
}

}  // namespace
}  // namespace aio
