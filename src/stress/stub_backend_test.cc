#include "stress/stub_backend.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>

#include "backend/testing/fake_backend.h"

namespace aio {
namespace {

Request Ask(const std::string& prompt, int tokens = 3) {
  Request request;
  request.model = "auto";
  request.prompt = prompt;
  request.sampling.max_tokens = tokens;
  return request;
}

class StubBackendTest : public testing::Test {
 protected:
  const SystemClock clock_;
  StubBackend backend_{{}, clock_};
  std::shared_ptr<RecordingSink> sink_ = std::make_shared<RecordingSink>();
};

TEST_F(StubBackendTest, CountsAsFarAsItIsAsked) {
  ASSERT_TRUE(backend_.Generate(Ask("Hi"), sink_).ok());
  sink_->Wait();
  const RecordingSink::Record record = sink_->record();
  EXPECT_TRUE(record.in_order);
  EXPECT_EQ(record.text(), "0 1 2 ");
  ASSERT_EQ(record.finishes.size(), 1u);
  EXPECT_EQ(record.finishes[0].usage.completion_tokens, 3);
  EXPECT_EQ(backend_.counts().running, 0);
  EXPECT_EQ(backend_.counts().finished, 1);
  EXPECT_EQ(backend_.counts().kv_blocks_used, 0);
}

TEST_F(StubBackendTest, FailsWhenAsked) {
  ASSERT_TRUE(backend_.Generate(Ask("fail"), sink_).ok());
  sink_->Wait();
  EXPECT_EQ(sink_->record().text(), "0 ");
  EXPECT_EQ(sink_->record().errors.size(), 1u);
  EXPECT_EQ(backend_.counts().kv_blocks_used, 0);
}

TEST_F(StubBackendTest, StallsUntilCancelled) {
  std::promise<void> begun;
  sink_->on_start = [&] { begun.set_value(); };
  const auto ticket = backend_.Generate(Ask("stall", 1000), sink_);
  ASSERT_TRUE(ticket.ok());
  begun.get_future().wait();
  EXPECT_EQ(backend_.counts().running, 1);
  EXPECT_EQ(backend_.Load()[0].kv_blocks_used, 32);
  (*ticket)->Cancel();
  (*ticket)->Cancel();
  sink_->Wait();
  EXPECT_EQ(sink_->record().finishes.at(0).reason, FinishReason::kCancelled);
  EXPECT_EQ(backend_.counts().cancelled, 1);
  EXPECT_EQ(backend_.counts().kv_blocks_used, 0);
}

TEST_F(StubBackendTest, RefusesAsABackendDoes) {
  Request other = Ask("Hi");
  other.model = "nope";
  EXPECT_EQ(backend_.Generate(other, sink_).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(backend_.Generate(Ask("Hi", 1 << 20), sink_).status().reason(),
            "context_length_exceeded");
}

TEST(StubBackendPaceTest, KeepsItsPace) {
  const SystemClock clock;
  StubBackend backend({.token_interval = std::chrono::milliseconds(1)}, clock);
  const auto sink = std::make_shared<RecordingSink>();
  const TimePoint start = clock.Now();
  ASSERT_TRUE(backend.Generate(Ask("Hi", 5), sink).ok());
  sink->Wait();
  EXPECT_EQ(sink->record().text(), "0 1 2 3 4 ");
  EXPECT_GE(clock.Now() - start, std::chrono::milliseconds(5));  // never faster
}

}  // namespace
}  // namespace aio
