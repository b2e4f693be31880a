// Once an answer runs, its tokens take nothing from the heap: from the step to the sink.
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>

#include "base/testing/allocation_counter.h"
#include "engine/embedded_backend.h"
#include "engine/testing/tiny_model.h"

namespace aio {
namespace {

// Keeps no event; counts allocations between its tokens `kBegin` and `kEnd`.
class CountingSink final : public EventSink {
 public:
  static constexpr int kBegin = 100;  // buffers have their size by then
  static constexpr int kEnd = 280;

  void OnStart(const StartEvent&) override {}
  void OnToken(const TokenEvent& event) override {
    const int before = tokens_;
    tokens_ += static_cast<int>(event.tokens.size());
    if (before < kBegin && tokens_ >= kBegin) at_begin_ = AllocationCount();
    if (before < kEnd && tokens_ >= kEnd) at_end_ = AllocationCount();
  }
  void OnFinish(const FinishEvent&) override { ended_.set_value(); }
  void OnError(const Status&) override { ended_.set_value(); }

  int Wait() {
    ended_.get_future().wait();
    EXPECT_GE(tokens_, kEnd);
    return at_end_ - at_begin_;
  }

 private:
  int tokens_ = 0;
  int at_begin_ = 0;
  int at_end_ = 0;
  std::promise<void> ended_;
};

int AllocationsOfAnAnswer(const Strategy& strategy, float temperature) {
  const SystemClock clock;
  const auto backend =
      EmbeddedBackend::Create({MakeTinyModel("tiny", "small")}, {.num_threads = 2}, clock).value();
  Request request;
  request.model = "tiny";
  request.prompt = std::string("a few words to begin with");
  request.sampling.max_tokens = 300;
  request.sampling.ignore_eos = true;
  request.sampling.temperature = temperature;
  request.strategy = strategy;
  auto sink = std::make_shared<CountingSink>();
  EXPECT_TRUE(backend->Generate(request, sink).ok());
  const int allocations = sink->Wait();
  EXPECT_GT(AllocationCount(), 0);
  return allocations;
}

// A few buffers may still grow in 180 tokens, for a character of four of them, say.
constexpr int kGrowths = 4;

TEST(DecodeAllocationTest, Greedy) { EXPECT_LE(AllocationsOfAnAnswer(Strategy(), 0.0f), kGrowths); }
TEST(DecodeAllocationTest, Sampled) {
  EXPECT_LE(AllocationsOfAnAnswer(Strategy(), 1.0f), kGrowths);
}

}  // namespace
}  // namespace aio
