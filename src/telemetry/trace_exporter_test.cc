#include "telemetry/trace_exporter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace aio {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using Json = nlohmann::json;

OtlpReply Answered(int status) { return {.fault = {}, .http_status = status}; }

// A collector that answers as told, 200 when nothing is left of that, and can be made to hold its
// answers back.
class FakeCollector {
 public:
  class Transport final : public OtlpTransport {
   public:
    explicit Transport(FakeCollector& collector) : collector_(collector) {}
    OtlpReply Post(const std::string& body, Duration,
                   const std::function<bool()>& goes_on) override {
      return collector_.Take(body, goes_on);
    }

   private:
    FakeCollector& collector_;
  };

  std::unique_ptr<OtlpTransport> Connect() { return std::make_unique<Transport>(*this); }

  void Answer(std::vector<OtlpReply> replies) {
    const std::lock_guard lock(mutex_);
    replies_.assign(replies.begin(), replies.end());
  }
  void Hold() {
    const std::lock_guard lock(mutex_);
    held_ = true;
  }
  void Release() {
    {
      const std::lock_guard lock(mutex_);
      held_ = false;
    }
    changed_.notify_all();
  }
  // Waits for so many messages; false if they do not come.
  bool WaitForPosts(size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, seconds(30), [&] { return bodies_.size() >= count; });
  }
  std::vector<std::string> bodies() const {
    const std::lock_guard lock(mutex_);
    return bodies_;
  }

 private:
  OtlpReply Take(const std::string& body, const std::function<bool()>& goes_on) {
    std::unique_lock lock(mutex_);
    bodies_.push_back(body);
    changed_.notify_all();
    while (held_) {
      lock.unlock();
      const bool gave_up = !goes_on();
      lock.lock();
      if (gave_up) return {.fault = Unavailable("interrupted")};
      changed_.wait_for(lock, milliseconds(1));
    }
    if (replies_.empty()) return Answered(200);
    OtlpReply reply = replies_.front();
    replies_.pop_front();
    return reply;
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> bodies_;
  std::deque<OtlpReply> replies_;
  bool held_ = false;
};

class TraceExporterTest : public testing::Test {
 protected:
  TraceExporterTest() {
    options_.batch_interval = Duration::zero();
    options_.retry_initial = milliseconds(1);
    options_.on_health = [this](const Status& status) {
      const std::lock_guard lock(mutex_);
      health_.push_back(status.ok());
    };
  }
  ~TraceExporterTest() override { collector_.Release(); }

  void Start() {
    exporter_ = std::make_unique<TraceExporter>(collector_.Connect(), options_, clock_);
  }

  void Add(const std::string& id) {
    auto record = std::make_unique<RequestRecord>();
    record->context.trace_id.fill(1);
    record->facts.id = id;
    record->facts.method = "POST";
    record->facts.route = "/r";
    exporter_->Add(std::move(record));
  }

  // The request ids in a message.
  static std::vector<std::string> IdsIn(const std::string& body) {
    std::vector<std::string> ids;
    const Json json = Json::parse(body);
    for (const Json& span : json.at("resourceSpans")[0].at("scopeSpans")[0].at("spans")) {
      for (const Json& attribute : span.at("attributes")) {
        if (attribute.at("key") == "aio.request_id") {
          ids.push_back(attribute.at("value").at("stringValue"));
        }
      }
    }
    return ids;
  }

  std::vector<bool> health() const {
    const std::lock_guard lock(mutex_);
    return health_;
  }

  SystemClock clock_;
  FakeCollector collector_;
  TraceExporterOptions options_;
  mutable std::mutex mutex_;
  std::vector<bool> health_;  // guarded by mutex_
  std::unique_ptr<TraceExporter> exporter_;
};

TEST_F(TraceExporterTest, SendsWhatEndedInBatches) {
  options_.batch_max = 2;
  collector_.Hold();
  Start();
  Add("first");
  ASSERT_TRUE(collector_.WaitForPosts(1));
  for (const char* id : {"a", "b", "c"}) Add(id);
  EXPECT_EQ(exporter_->counts().waiting, 4);
  collector_.Release();
  exporter_->Shutdown(seconds(30));
  const auto bodies = collector_.bodies();
  ASSERT_EQ(bodies.size(), 3u);
  EXPECT_THAT(IdsIn(bodies[0]), ElementsAre("first"));
  EXPECT_THAT(IdsIn(bodies[1]), ElementsAre("a", "b"));
  EXPECT_THAT(IdsIn(bodies[2]), ElementsAre("c"));
  EXPECT_EQ(exporter_->counts().exported, 4);
  EXPECT_EQ(exporter_->counts().dropped, 0);
  EXPECT_EQ(exporter_->counts().waiting, 0);
}

TEST_F(TraceExporterTest, DropsWhatTheQueueCannotHoldAndCountsIt) {
  options_.queue_max = 2;
  collector_.Hold();
  Start();
  Add("sent");
  ASSERT_TRUE(collector_.WaitForPosts(1));
  for (const char* id : {"a", "b", "c", "d"}) Add(id);  // returns at once, whatever the collector
  EXPECT_EQ(exporter_->counts().dropped, 2);
  collector_.Release();
  exporter_->Shutdown(seconds(30));
  EXPECT_EQ(exporter_->counts().exported, 3);
  EXPECT_EQ(exporter_->counts().dropped, 2);
}

TEST_F(TraceExporterTest, TriesAgainWhatTheCollectorCannotTakeNow) {
  collector_.Answer({Answered(503), Answered(429), {.fault = Unavailable("no route")}});
  Start();
  Add("a");
  ASSERT_TRUE(collector_.WaitForPosts(4));
  exporter_->Shutdown(seconds(30));
  const auto bodies = collector_.bodies();
  ASSERT_EQ(bodies.size(), 4u);
  EXPECT_EQ(bodies[0], bodies[3]) << "the same spans, with the same ids";
  EXPECT_EQ(exporter_->counts().exported, 1);
  EXPECT_EQ(exporter_->counts().errors, 3);
  EXPECT_THAT(health(), ElementsAre(false, true)) << "told when it begins and when it is over";
}

TEST_F(TraceExporterTest, DropsWhatTheCollectorRefuses) {
  collector_.Answer({Answered(400)});
  Start();
  Add("a");
  ASSERT_TRUE(collector_.WaitForPosts(1));
  Add("b");
  ASSERT_TRUE(collector_.WaitForPosts(2));
  exporter_->Shutdown(seconds(30));
  EXPECT_EQ(collector_.bodies().size(), 2u) << "a refused batch is not sent again";
  EXPECT_EQ(exporter_->counts().dropped, 1);
  EXPECT_EQ(exporter_->counts().exported, 1);
}

TEST_F(TraceExporterTest, GivesUpABatchAfterAWhile) {
  options_.retry_for = milliseconds(20);
  collector_.Answer({Answered(503), {.fault = {}, .http_status = 503, .retry_after = seconds(60)}});
  Start();
  Add("a");
  ASSERT_TRUE(collector_.WaitForPosts(2));
  while (exporter_->counts().dropped == 0) std::this_thread::yield();
  Add("b");
  ASSERT_TRUE(collector_.WaitForPosts(3));
  exporter_->Shutdown(seconds(30));
  EXPECT_EQ(exporter_->counts().exported, 1);
}

TEST_F(TraceExporterTest, CountsSpansThatWereRejected) {
  OtlpReply partial = Answered(200);
  partial.body = R"({"partialSuccess": {"rejectedSpans": "5"}})";
  collector_.Answer({partial});
  Start();
  Add("a");
  exporter_->Shutdown(seconds(30));
  EXPECT_EQ(exporter_->counts().rejected_spans, 5);
  EXPECT_EQ(exporter_->counts().exported, 1);
}

TEST_F(TraceExporterTest, EndsInTimeThoughTheCollectorIsSilent) {
  collector_.Hold();
  Start();
  Add("a");
  ASSERT_TRUE(collector_.WaitForPosts(1));
  Add("b");
  exporter_->Shutdown(milliseconds(10));  // the test hangs here if that is not so
  EXPECT_EQ(exporter_->counts().dropped, 2);
  Add("late");
  EXPECT_EQ(exporter_->counts().dropped, 3);
}

TEST_F(TraceExporterTest, ALongWaitIsCutShortByTheEnd) {
  options_.retry_initial = seconds(3600);
  options_.retry_interval_max = seconds(3600);
  options_.retry_for = std::chrono::hours(24);
  collector_.Answer({Answered(503)});
  Start();
  Add("a");
  ASSERT_TRUE(collector_.WaitForPosts(1));
  exporter_->Shutdown(seconds(30));
  EXPECT_EQ(exporter_->counts().exported, 1) << "tried once more at the end";
}

TEST(RetryTest, IsForWhatMayPass) {
  for (const int status : {429, 502, 503, 504}) EXPECT_TRUE(IsRetryable(Answered(status)));
  for (const int status : {301, 400, 401, 404, 413, 500, 501}) {
    EXPECT_FALSE(IsRetryable(Answered(status))) << status;
  }
  EXPECT_TRUE(IsRetryable({.fault = Unavailable("refused")}));
}

TEST(RetryTest, DelaysDoubleUpToALimitWithJitter) {
  const TraceExporterOptions options{.retry_initial = seconds(1), .retry_interval_max = seconds(5)};
  EXPECT_EQ(RetryDelay(options, 0, 1, {}), seconds(1));
  EXPECT_EQ(RetryDelay(options, 1, 1, {}), seconds(2));
  EXPECT_EQ(RetryDelay(options, 2, 0, {}), seconds(2)) << "half of 4 at least";
  EXPECT_EQ(RetryDelay(options, 100, 1, {}), seconds(5));
  EXPECT_EQ(RetryDelay(options, 0, 1, seconds(9)), seconds(9)) << "as long as it is told to";
}

}  // namespace
}  // namespace aio
