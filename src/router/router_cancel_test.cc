// Router: Cancel() at every stage of a request.
#include <gtest/gtest.h>

#include "router/router_test_fixture.h"

namespace aio {
namespace {

using Delivery = FakeBackend::Delivery;

class CancelTest : public ::testing::Test {
 protected:
  std::shared_ptr<Ticket> Start(const std::string& prompt) {
    return f_.router->Generate(Ask(prompt), sink_).value();
  }
  RecordingSink::Record End() {
    f_.DeliverAll();
    RecordingSink::Record record = sink_->record();
    EXPECT_TRUE(record.in_order);
    EXPECT_EQ(record.finishes.size() + record.errors.size(), 1u);
    EXPECT_EQ(f_.small.held_prompts(), 0);
    return record;
  }

  RouterFixture f_{Delivery::kManual};
  std::shared_ptr<RecordingSink> sink_ = std::make_shared<RecordingSink>();
};

TEST_F(CancelTest, DuringTheProbe) {
  auto generation = Start("code x");
  generation->Cancel();
  generation->Cancel();
  EXPECT_EQ(f_.small.cancel_calls(), 2) << "the probe is cancelled too";
  const RecordingSink::Record record = End();
  EXPECT_EQ(record.errors.at(0).code(), StatusCode::kCancelled);
  EXPECT_TRUE(f_.small.generations().empty());
}

TEST_F(CancelTest, APauseDuringTheProbeHoldsForTheGeneration) {
  auto generation = Start("qa x");
  generation->SetPaused(true);
  while (f_.large.generations().empty()) f_.small.DeliverOne();
  EXPECT_TRUE(f_.large.is_paused());
  generation->SetPaused(false);
  EXPECT_FALSE(f_.large.is_paused());
  EXPECT_EQ(End().finishes.size(), 1u);
}

TEST_F(CancelTest, DuringAProbeThatFails) {
  f_.small.Update(kSmall, [](FakeModel& m) { m.probe_fault = Unavailable("gone"); });
  Start("code x")->Cancel();
  EXPECT_EQ(End().errors.at(0).code(), StatusCode::kCancelled);
  EXPECT_TRUE(f_.large.generations().empty());
}

TEST_F(CancelTest, WhileTheChosenModelAcceptsTheRequest) {
  std::shared_ptr<Ticket> generation;
  f_.small.Update(kSmall, [&](FakeModel& m) {
    m.answer = [&](const Request&) {  // runs inside Generate() of the small backend
      generation->Cancel();
      return FakeAnswer{};
    };
  });
  generation = Start("code x");
  EXPECT_EQ(End().finishes.at(0).reason, FinishReason::kCancelled);
  EXPECT_EQ(f_.small.cancel_calls(), 1);
}

TEST_F(CancelTest, BetweenTheProbeAndTheFirstEvent) {
  auto generation = Start("qa x");
  EXPECT_TRUE(f_.small.DeliverOne());
  EXPECT_EQ(f_.large.pending(), 1);
  generation->Cancel();
  EXPECT_EQ(End().finishes.at(0).reason, FinishReason::kCancelled);
}

TEST_F(CancelTest, InMidStream) {
  auto generation = Start("qa x");
  f_.small.DeliverOne();
  f_.large.DeliverOne();  // start
  f_.large.DeliverOne();  // a token
  generation->Cancel();
  const RecordingSink::Record record = End();
  EXPECT_EQ(record.tokens.size(), 1u);
  EXPECT_EQ(record.finishes.at(0).reason, FinishReason::kCancelled);
}

TEST_F(CancelTest, AfterTheEndHasNoEffect) {
  auto generation = Start("qa x");
  EXPECT_EQ(End().finishes.at(0).reason, FinishReason::kStop);
  generation->Cancel();
  EXPECT_EQ(End().finishes.at(0).reason, FinishReason::kStop);
}

TEST_F(CancelTest, FromInsideTheSink) {
  std::shared_ptr<Ticket> generation;
  sink_->on_start = [&] { generation->Cancel(); };
  generation = Start("qa x");
  EXPECT_EQ(End().finishes.at(0).reason, FinishReason::kCancelled);
}

// The probe comes later, the large model answers at once from inside its callback: the
// handle of the chosen model is not known yet when the sink cancels.
TEST(Cancel, FromInsideTheSinkOfABackendThatAnswersAtOnce) {
  RouterFixture later(Delivery::kManual);
  FakeBackend at_once({Model(kLarge, "large", 8000)}, Delivery::kImmediate);
  RouterOptions options = later.Options();
  options.large.backend = &at_once;
  auto router = Router::Create(options, later.clock).value();
  auto sink = std::make_shared<RecordingSink>();
  std::shared_ptr<Ticket> generation;
  sink->on_start = [&] { generation->Cancel(); };
  generation = router->Generate(Ask("qa x"), sink).value();
  later.DeliverAll();
  const RecordingSink::Record record = sink->record();
  EXPECT_TRUE(record.in_order);
  EXPECT_EQ(record.finishes.size() + record.errors.size(), 1u);
  EXPECT_EQ(at_once.cancel_calls(), 1);
}

TEST(Cancel, WithoutAProbe) {
  RouterFixture f(Delivery::kManual);
  auto sink = std::make_shared<RecordingSink>();
  auto generation = f.router->Generate(Ask("code x", "small"), sink).value();
  generation->Cancel();
  f.DeliverAll();
  EXPECT_EQ(sink->record().finishes.at(0).reason, FinishReason::kCancelled);
}

// The ticket may go before the probe is over; that is no cancellation.
TEST_F(CancelTest, DestroyingTheTicketIsNotCancelling) {
  Start("code x").reset();
  EXPECT_EQ(End().text(), "I am pocket-small");
}

}  // namespace
}  // namespace aio
