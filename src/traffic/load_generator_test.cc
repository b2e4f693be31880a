#include "traffic/load_generator.h"

#include <gtest/gtest.h>

#include <thread>

#include "backend/testing/fake_backend.h"
#include "traffic/testing/timed_backend.h"

namespace aio {
namespace {

using std::chrono::milliseconds;

LoadRequest Ask(int n, Duration arrival = {}) {
  LoadRequest planned;
  planned.request.id = "r" + std::to_string(n);
  planned.request.model = "m";
  planned.request.prompt = std::string("one two three");
  planned.arrival = arrival;
  return planned;
}

// One every `gap`.
std::vector<LoadRequest> Every(Duration gap, int requests) {
  std::vector<LoadRequest> planned;
  planned.reserve(static_cast<size_t>(requests));
  for (int i = 0; i < requests; ++i) planned.push_back(Ask(i, gap * i));
  return planned;
}

class LoadTest : public testing::Test {
 protected:
  std::vector<LoadRecord> Run(const std::vector<LoadRequest>& requests, LoopOptions options) {
    return RunLoad(backend_, requests, options, backend_, clock_);
  }

  ManualClock clock_;
  TimedBackend backend_{clock_};  // 140 ms a request: the first token after 100
};

TEST_F(LoadTest, ClosedLoopHasOnlySoManyAtOnce) {
  const auto records = Run(Every({}, 7), {.concurrency = 3, .on_done = {}});
  EXPECT_EQ(backend_.most_at_once(), 3);
  ASSERT_EQ(records.size(), 7u);
  EXPECT_EQ(records[6].id, "r6");
  EXPECT_EQ(records[0].to_first_token(), milliseconds(100));
  EXPECT_EQ(records[0].to_end(), milliseconds(140));
  // It went out when the first was answered, and then two were before it.
  EXPECT_EQ(records[3].sent, milliseconds(140));
  EXPECT_EQ(records[3].to_end(), milliseconds(3 * 140));
  EXPECT_EQ(records[3].lateness(), Duration{});
}

TEST_F(LoadTest, OpenLoopSendsWhateverBecameOfThoseBefore) {
  const auto records = Run(Every(milliseconds(50), 4), {.concurrency = 0, .on_done = {}});
  ASSERT_EQ(records.size(), 4u);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(records[i].sent, milliseconds(50 * i));
    EXPECT_EQ(records[i].lateness(), Duration{});
    // Each waits for those before it.
    EXPECT_EQ(records[i].to_end(), milliseconds(140 * (i + 1) - 50 * i));
  }
}

// The stall is one request's in the closed loop and everybody's in the open one.
TEST_F(LoadTest, OpenLoopShowsAStallToAllWhoCameMeanwhile) {
  backend_.script = [](const Request&, int n) {
    TimedAnswer answer{.to_first_token = milliseconds(10), .tokens = 1};
    if (n == 10) answer.to_first_token = milliseconds(1010);
    return answer;
  };
  const auto planned = Every(milliseconds(100), 21);
  int late = 0;
  for (const LoadRecord& record : Run(planned, {.concurrency = 0, .on_done = {}})) {
    if (record.to_first_token() > milliseconds(50)) ++late;
  }
  EXPECT_EQ(late, 11);  // the stalled one and the ten that came while it stalled

  backend_.script = [n = 0](const Request&, int) mutable {
    TimedAnswer answer{.to_first_token = milliseconds(10), .tokens = 1};
    if (n++ == 10) answer.to_first_token = milliseconds(1010);
    return answer;
  };
  late = 0;
  for (const LoadRecord& record : Run(planned, {.concurrency = 1, .on_done = {}})) {
    if (record.to_first_token() > milliseconds(50)) ++late;
  }
  EXPECT_EQ(late, 1);
}

// Coordinated omission: a backend that holds the sender up makes it late, and the time counts.
TEST_F(LoadTest, LatenciesCountFromTheIntendedArrivalThoughTheSenderWasHeldUp) {
  backend_.script = [](const Request&, int n) {
    TimedAnswer answer{.to_first_token = milliseconds(10), .tokens = 1};
    if (n == 0) answer.blocks_sender = milliseconds(1000);
    return answer;
  };
  const auto records = Run(Every(milliseconds(100), 5), {.concurrency = 0, .on_done = {}});
  EXPECT_EQ(records[1].sent, milliseconds(1000));
  EXPECT_EQ(records[1].lateness(), milliseconds(900));
  // Each answer takes 10 ms of work; the rest is what users waited.
  EXPECT_EQ(records[1].to_first_token(), milliseconds(920));
  EXPECT_EQ(records[4].to_first_token(), milliseconds(1050 - 400));
}

TEST_F(LoadTest, FaultsAreRecordedAndTheRestGoesOn) {
  backend_.script = [](const Request&, int n) {
    TimedAnswer answer;
    if (n == 0) answer.error = ResourceExhausted("the queue is full");
    if (n == 0) answer.refused = true;
    if (n == 1) answer.error = Unavailable("gone");
    return answer;
  };
  const auto records = Run(Every({}, 3), {.concurrency = 1, .on_done = {}});
  EXPECT_EQ(records[0].error.code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(records[0].model.empty());
  EXPECT_EQ(records[1].error.code(), StatusCode::kUnavailable);
  EXPECT_TRUE(records[2].error.ok());
  EXPECT_EQ(records[2].output_tokens(), 5);
  EXPECT_EQ(records[2].finish.usage.prompt_tokens, 3);
  EXPECT_EQ(records[2].text, "xxxxx");
  EXPECT_EQ(records[2].decoding(), milliseconds(40));
  EXPECT_NEAR(records[2].tokens_per_second(), 5 / 0.14, 1e-9);
}

TEST_F(LoadTest, TellsHowManyHaveEnded) {
  std::vector<int64_t> told;
  Run(Every({}, 3), {.concurrency = 1, .on_done = [&](int64_t done) { told.push_back(done); }});
  EXPECT_EQ(told, (std::vector<int64_t>{1, 2, 3}));
}

TEST_F(LoadTest, NoRequestsIsNoWork) {
  EXPECT_TRUE(Run({}, {.concurrency = 2, .on_done = {}}).empty());
}

// With real threads and the machine's clock: events come from elsewhere.
TEST(RunLoad, WaitsForABackendWithAThreadOfItsOwn) {
  FakeBackend backend({FakeModel::Named("m", "small")}, FakeBackend::Delivery::kThread);
  const SystemClock clock;
  SystemWaiter waiter;
  for (const int concurrency : {0, 4}) {
    const auto records = RunLoad(backend, Every(milliseconds(1), 20),
                                 {.concurrency = concurrency, .on_done = {}}, waiter, clock);
    ASSERT_EQ(records.size(), 20u);
    for (const LoadRecord& record : records) {
      EXPECT_TRUE(record.error.ok());
      EXPECT_EQ(record.text, "Hello world");
      EXPECT_GE(record.sent, record.intended);
      EXPECT_GE(record.end, record.arrivals.back().at);
    }
  }
}

}  // namespace
}  // namespace aio
