// Router: many requests at once.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "router/router_test_fixture.h"

namespace aio {
namespace {

using Delivery = FakeBackend::Delivery;

// Requests of all kinds from several threads over backends with threads of their own, every
// third cancelled at some moment. Each ends exactly once. (For the thread sanitizer above
// all.)
TEST(RouterStress, EveryRequestEndsOnce) {
  constexpr int kThreads = 4;
  constexpr int kRequests = 150;
  ManualClock clock;
  FakeBackend small({Model(kSmall, "small", 4000)}, Delivery::kThread);
  FakeBackend large({Model(kLarge, "large", 8000)}, Delivery::kThread);
  RouterOptions options;
  options.small = {.backend = &small, .model = kSmall};
  options.large = {.backend = &large, .model = kLarge};
  options.labels = Labels();
  options.policy = RoutingPolicy::Paper();
  auto router = Router::Create(options, clock).value();

  const std::vector<std::string> prompts = {"code x", "qa x", "math x", "unsure-code x", "nan x"};
  const std::vector<std::string> models = {"auto", "auto-0.2", "small", "auto", "large"};
  std::atomic<int> finished{0}, cancelled{0}, wrong{0};
  const auto client = [&](int thread) {
    for (int i = 0; i < kRequests; ++i) {
      const size_t n = static_cast<size_t>(thread * kRequests + i);
      auto sink = std::make_shared<RecordingSink>();
      auto generation =
          router->Generate(Ask(prompts[n % prompts.size()], models[n / 5 % models.size()]), sink);
      if (!generation.ok()) {
        ++wrong;
        continue;
      }
      if (n % 3 == 0) {
        for (size_t spin = 0; spin < n % 7; ++spin) std::this_thread::yield();
        (*generation)->Cancel();
      }
      if (n % 4 == 0) generation = std::shared_ptr<Ticket>();
      sink->Wait();
      const RecordingSink::Record record = sink->record();
      if (!record.in_order || record.finishes.size() + record.errors.size() != 1) ++wrong;
      const bool stopped =
          !record.errors.empty() || record.finishes.at(0).reason == FinishReason::kCancelled;
      ++(stopped ? cancelled : finished);
      if (stopped && n % 3 != 0) ++wrong;
    }
  };
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) threads.emplace_back(client, t);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(finished + cancelled, kThreads * kRequests);
}

TEST(RouterStress, DecideFromManyThreads) {
  std::atomic<int> right{0}, done{0};  // outlive the backend's thread
  RouterFixture f(Delivery::kThread);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        const Status status = f.router->Decide(Ask("code x"), [&](Result<Decision> d) {
          if (d.ok() && d->model == kSmall) ++right;
          if (++done == 200) done.notify_all();
        });
        EXPECT_TRUE(status.ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int seen = done; seen < 200; seen = done) done.wait(seen);
  EXPECT_EQ(right, 200);
}

}  // namespace
}  // namespace aio
