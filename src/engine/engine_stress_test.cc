// Many clients at once, each doing whatever a client may do; made for ThreadSanitizer and
// for the accounts, which must be level at the end.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "engine/embedded_backend.h"
#include "engine/testing/collecting_sink.h"
#include "engine/testing/tiny_model.h"

namespace aio {
namespace {

constexpr int kClients = 4;
constexpr int kRequests = 40;  // a client

const LabelQuery kLabels{"", "\n<|im_start|>", {{"first", "x"}, {"second", "y"}}};

// One client: generates, cancels, probes, goes on from probes, and looks at the load.
class Client {
 public:
  Client(EmbeddedBackend& backend, const Clock& clock, uint32_t seed)
      : backend_(backend), clock_(clock), random_(seed) {}

  void Run() {
    for (int i = 0; i < kRequests; ++i) {
      Request request = RandomRequest();
      if (Chance(3)) Probe(request);
      Generate(request);
      for (const ModelLoad& load : backend_.Load()) {
        EXPECT_LE(load.kv_blocks_used, load.kv_blocks_total);
      }
    }
    for (const auto& sink : sinks_) {
      const CollectedAnswer answer = sink->Wait();
      EXPECT_EQ(answer.num_ends, 1);
      EXPECT_FALSE(answer.is_out_of_order);
    }
  }

 private:
  bool Chance(int one_in) { return random_() % one_in == 0; }

  Request RandomRequest() {
    Request request;
    request.model = Chance(2) ? "small" : "large";
    request.prompt = std::string(1 + random_() % 120, static_cast<char>('a' + random_() % 26));
    request.sampling.seed = random_();
    request.sampling.max_tokens = 1 + static_cast<int>(random_() % 40);
    request.sampling.top_logprobs = Chance(2) ? 2 : -1;
    if (Chance(2)) request.strategy = Strategy{StrategyKind::kPromptLookup};
    if (Chance(10)) request.deadline = clock_.Now() + std::chrono::milliseconds(1);
    return request;
  }

  void Probe(Request& request) {
    const Result<LabelScores> scores = ScoreLabelsAndWait(backend_, request, kLabels);
    if (!scores.ok()) {
      EXPECT_TRUE(scores.status().code() == StatusCode::kDeadlineExceeded ||
                  scores.status().reason() == "queue_full")
          << scores.status().ToString();
    } else if (!Chance(3)) {
      request.held_prompt = scores->held_prompt;
    }
  }

  void Generate(const Request& request) {
    auto sink = std::make_shared<CollectingSink>();
    const auto generation = backend_.Generate(request, sink);
    if (!generation.ok()) {
      EXPECT_EQ(generation.status().reason(), "queue_full");
      return;
    }
    sinks_.push_back(sink);
    if (Chance(4)) (*generation)->Cancel();
    if (Chance(2)) sink->Wait();
  }

  EmbeddedBackend& backend_;
  const Clock& clock_;
  std::mt19937 random_;
  std::vector<std::shared_ptr<CollectingSink>> sinks_;
};

TEST(EngineStressTest, TheAccountsAreLevelAfterwards) {
  const SystemClock clock;
  EngineOptions options;
  options.num_threads = 2;
  options.max_running = 4;
  options.max_waiting = 16;
  options.prefill_chunk_tokens = 32;
  options.kv_cache_tokens = 512;
  TestModelSpec large;
  large.seed = 2;
  const auto backend =
      EmbeddedBackend::Create({MakeTinyModel("a", "small"), MakeTinyModel("b", "large", large)},
                              options, clock)
          .value();
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < kClients; ++i) {
    threads.emplace_back([&, i] { Client(*backend, clock, i).Run(); });
  }
  for (std::thread& thread : threads) thread.join();

  std::promise<void> handled;
  Request request;
  request.model = "small";
  request.prompt = std::string("x");
  ASSERT_TRUE(backend->Decide(request, [&](const Result<Decision>&) { handled.set_value(); }).ok());
  handled.get_future().wait();
  for (const ModelLoad& load : backend->Load()) {
    EXPECT_EQ(load.running, 0);
    EXPECT_EQ(load.waiting, 0);
    EXPECT_EQ(load.kv_blocks_used, 0);
  }
}

}  // namespace
}  // namespace aio
