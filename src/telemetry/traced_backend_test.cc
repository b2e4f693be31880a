#include "telemetry/traced_backend.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "backend/testing/fake_backend.h"

namespace aio {
namespace {

using std::chrono::milliseconds;

constexpr int64_t kUnixNs = 1'796'000'000'000'000'000;

class KeptTraces final : public TraceSink {
 public:
  void Add(std::unique_ptr<const RequestRecord> record) override {
    records.push_back(std::move(record));
  }
  std::vector<std::unique_ptr<const RequestRecord>> records;
};

// Events wait until they are delivered; every script takes some time.
class TracedBackendTest : public testing::Test {
 protected:
  TracedBackendTest() {
    FakeModel model = FakeModel::Named("small", "small");
    model.logits = [](const Request&, const LabelQuery&) { return std::vector<float>{1, 0}; };
    models_ = std::make_unique<FakeBackend>(std::vector<FakeModel>{model},
                                            FakeBackend::Delivery::kManual);
    traced_ = std::make_unique<TracedBackend>(*models_, tracer_, TracedPlace::kModels);
  }

  TracedRequest Begin(const std::string& id) {
    TracedRequest traced = tracer_.Start(std::nullopt, clock_.Now());
    tracer_.Follow(id, traced.trace);
    return traced;
  }

  static Request Ask(const std::string& id, const std::string& model = "small") {
    Request request;
    request.id = id;
    request.model = model;
    request.prompt = std::string("two words");
    return request;
  }

  const RequestRecord& End(const TracedRequest& traced) {
    tracer_.End(*traced.trace, RequestFacts{.id = "done"});
    return *traces_.records.back();
  }

  void Tick(int ms) { clock_.Advance(milliseconds(ms)); }
  int SinceArrival(const RequestRecord& record, TimePoint at) {
    return static_cast<int>((at - record.arrival) / milliseconds(1));
  }

  ManualClock clock_;
  KeptTraces traces_;
  Tracer tracer_{1, clock_, [] { return kUnixNs; }, traces_};
  std::unique_ptr<FakeBackend> models_;
  std::unique_ptr<TracedBackend> traced_;
};

TEST_F(TracedBackendTest, NotesWhenAModelIsAskedAndAnswers) {
  const TracedRequest traced = Begin("r");
  Tick(2);
  const auto sink = std::make_shared<RecordingSink>();
  ASSERT_TRUE(traced_->Generate(Ask("r"), sink).ok());
  Tick(3);
  models_->DeliverOne();  // it starts
  Tick(4);
  models_->DeliverOne();  // a token
  Tick(5);
  models_->DeliverAll();
  const RequestRecord& record = End(traced);
  EXPECT_EQ(sink->record().text(), "Hello world") << "what is traced is the same answer";
  ASSERT_EQ(record.generations.size(), 1u);
  const GenerationRecord& generation = record.generations[0];
  EXPECT_EQ(generation.model, "small");
  EXPECT_EQ(SinceArrival(record, generation.asked), 2);
  EXPECT_EQ(SinceArrival(record, *generation.first_token), 9);
  EXPECT_EQ(SinceArrival(record, *generation.end), 14);
  ASSERT_TRUE(generation.finish);
  EXPECT_EQ(generation.finish->usage.completion_tokens, 3);
  EXPECT_EQ(record.arrival_ns, kUnixNs);
}

TEST_F(TracedBackendTest, NotesEachLookOfTheProbe) {
  const TracedRequest traced = Begin("r");
  LabelQuery labels;
  labels.labels = {{"code", "code"}, {"qa", "qa"}};
  bool done = false;
  ASSERT_TRUE(
      traced_->ScoreLabels(Ask("r"), labels, [&](const auto& scores) { done = scores.ok(); }).ok());
  Tick(7);
  models_->DeliverAll();
  EXPECT_TRUE(done);
  models_->Update("small", [](FakeModel& m) { m.probe_refusal = Unavailable("full"); });
  EXPECT_FALSE(traced_->ScoreLabels(Ask("r"), labels, [](const auto&) {}).ok());
  const RequestRecord& record = End(traced);
  ASSERT_EQ(record.probes.size(), 2u);
  EXPECT_EQ(SinceArrival(record, *record.probes[0].end), 7);
  EXPECT_TRUE(record.probes[0].status.ok());
  EXPECT_EQ(record.probes[1].status.code(), StatusCode::kUnavailable);
}

TEST_F(TracedBackendTest, NotesRefusalsErrorsAndCancellation) {
  const TracedRequest traced = Begin("r");
  EXPECT_FALSE(traced_->Generate(Ask("r", "nobody"), std::make_shared<RecordingSink>()).ok());
  models_->Update("small", [](FakeModel& m) {
    m.answer = [](const Request&) {
      FakeAnswer answer;
      answer.error = Internal("boom");
      return answer;
    };
  });
  const auto sink = std::make_shared<RecordingSink>();
  ASSERT_TRUE(traced_->Generate(Ask("r"), sink).ok());
  models_->DeliverAll();
  EXPECT_EQ(sink->record().errors.size(), 1u);
  auto ticket = traced_->Generate(Ask("r"), std::make_shared<RecordingSink>());
  (*ticket)->Cancel();
  models_->DeliverAll();
  const RequestRecord& record = End(traced);
  ASSERT_EQ(record.generations.size(), 3u);
  EXPECT_EQ(record.generations[0].error.code(), StatusCode::kNotFound);
  EXPECT_EQ(record.generations[1].error.code(), StatusCode::kInternal);
  EXPECT_TRUE(record.generations[1].first_token);
  EXPECT_EQ(record.generations[2].finish->reason, FinishReason::kCancelled);
}

TEST_F(TracedBackendTest, BeforeTheRouterNotesThatTheQueueIsLeft) {
  TracedBackend front(*models_, tracer_, TracedPlace::kRouter);
  const TracedRequest traced = Begin("r");
  Tick(4);
  ASSERT_TRUE(front.Generate(Ask("r"), std::make_shared<RecordingSink>()).ok());
  Tick(4);
  models_->DeliverAll();
  const RequestRecord& record = End(traced);
  EXPECT_EQ(SinceArrival(record, *record.admitted), 4);
  EXPECT_TRUE(record.generations.empty());
}

TEST_F(TracedBackendTest, ChoicesAreTold) {
  const TracedRequest traced = Begin("r");
  tracer_.Follow("r/1", traced.trace, 1);
  ASSERT_TRUE(traced_->Generate(Ask("r/1"), std::make_shared<RecordingSink>()).ok());
  EXPECT_EQ(End(traced).generations.at(0).choice, 1);
}

TEST_F(TracedBackendTest, WhatIsNotSampledPassesThrough) {
  Tracer none(
      0, clock_, [] { return kUnixNs; }, traces_);
  const TracedRequest traced = none.Start(std::nullopt, clock_.Now());
  EXPECT_EQ(traced.trace, nullptr);
  EXPECT_FALSE(traced.context.sampled);
  EXPECT_NE(traced.context.trace_id, TraceId{}) << "logs and traceresponse have one all the same";
  const auto sink = std::make_shared<RecordingSink>();
  ASSERT_TRUE(traced_->Generate(Ask("r"), sink).ok());
  models_->DeliverAll();
  EXPECT_EQ(sink->record().text(), "Hello world");
  EXPECT_TRUE(traces_.records.empty());
}

TEST_F(TracedBackendTest, TheClientsDecisionGoesBeforeTheRatio) {
  Tracer none(
      0, clock_, [] { return kUnixNs; }, traces_);
  const auto sampled =
      ParseTraceContext("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "a=1");
  const TracedRequest traced = none.Start(sampled, clock_.Now());
  ASSERT_NE(traced.trace, nullptr);
  EXPECT_EQ(traced.context.trace_id, sampled->trace_id);
  EXPECT_EQ(traced.context.tracestate, "a=1");
  EXPECT_NE(traced.context.span_id, sampled->span_id);
  none.End(*traced.trace, {});
  EXPECT_EQ(traces_.records.at(0)->parent, sampled->span_id);
  auto unsampled = *sampled;
  unsampled.sampled = false;
  EXPECT_EQ(tracer_.Start(unsampled, clock_.Now()).trace, nullptr) << "though all are, of others";
}

TEST_F(TracedBackendTest, ASecondRequestByTheSameIdIsNotMistakenForTheFirst) {
  const TracedRequest first = Begin("r");
  const TracedRequest second = Begin("r");
  ASSERT_TRUE(traced_->Generate(Ask("r"), std::make_shared<RecordingSink>()).ok());
  models_->DeliverAll();
  const RequestRecord& record = End(second);
  EXPECT_TRUE(record.shares_id);
  EXPECT_TRUE(record.generations.empty());
  EXPECT_EQ(End(first).generations.size(), 1u);
  EXPECT_EQ(tracer_.Find("r").trace, nullptr) << "what is over is not found";
  const TracedRequest third = Begin("r");
  EXPECT_FALSE(End(third).shares_id);
}

TEST_F(TracedBackendTest, WhatHappensAfterTheEndIsLeftOut) {
  const TracedRequest traced = Begin("r");
  ASSERT_TRUE(traced_->Generate(Ask("r"), std::make_shared<RecordingSink>()).ok());
  models_->DeliverOne();
  const RequestRecord& record = End(traced);
  models_->DeliverAll();
  tracer_.Follow("late", traced.trace);
  EXPECT_EQ(tracer_.Find("late").trace, nullptr);
  tracer_.End(*traced.trace, {});
  EXPECT_EQ(traces_.records.size(), 1u) << "it ends once";
  EXPECT_FALSE(record.generations[0].end);
}

}  // namespace
}  // namespace aio
