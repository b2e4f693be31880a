// The decision log in a PostgreSQL database, of a server that the tests start, kill and start
// again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "decisions/replay.h"
#include "decisions/signals_json.h"
#include "decisions/testing/log_fixture.h"
#include "postgres/connection.h"
#include "postgres/testing/postgres_server.h"
#include "postgres/testing/silent_server.h"

namespace aio {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Status GiveFeedback(DecisionLog& log, Feedback feedback) {
  std::promise<Status> answer;
  log.AddFeedback(std::move(feedback), [&](Status status) { answer.set_value(status); });
  return answer.get_future().get();
}

class PostgresLogTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = PostgresServer::Start(); }
  static void TearDownTestSuite() { server_.reset(); }

  void SetUp() override {
    if (server_ == nullptr) GTEST_SKIP() << PostgresServer::kNotInstalled;
    url_ = server_->NewDatabase();
  }

  std::unique_ptr<DecisionLog> OpenLog(DecisionLogOptions options = {}) {
    options.url = url_;
    options.retry_interval = std::chrono::milliseconds(1);
    options.retry_interval_max = std::chrono::milliseconds(20);
    Result<std::unique_ptr<DecisionLog>> log = DecisionLog::Create(std::move(options), clock_);
    EXPECT_TRUE(log.ok()) << log.status().ToString();
    return log.ok() ? *std::move(log) : nullptr;
  }

  // A server that was just started may be asked before it can answer.
  static void FlushAtLast(DecisionLog& log) {
    Status flushed = log.Flush();
    for (int i = 0; i < 1000 && !flushed.ok(); ++i) flushed = log.Flush();
    EXPECT_TRUE(flushed.ok()) << flushed.ToString();
  }

  static inline std::unique_ptr<PostgresServer> server_;
  std::string url_;
  ManualClock clock_;
};

TEST_F(PostgresLogTest, RowsArriveAndAReplayDecidesThemAgain) {
  auto log = OpenLog();
  log->AddPolicy(RoutingPolicy::Paper());
  const DecisionRecord record = Record("r1");
  log->Ended(log->Decided(record), Finished(20, 0.1 + 0.2));
  log->Decided(Record("r2"));
  ASSERT_TRUE(log->Flush().ok());
  EXPECT_EQ(log->counts().rows, 2);

  const auto requests = ReadLog(url_);
  ASSERT_EQ(requests.size(), 2u);
  const LoggedRequest& request = requests[0];
  EXPECT_EQ(request.request_id, "r1");
  EXPECT_EQ(request.unix_seconds, 1'000'000);
  EXPECT_EQ(request.prompt_hash, record.prompt_hash);
  EXPECT_EQ(SignalsToJson(*request.signals), SignalsToJson(FullSignals()));
  EXPECT_EQ(request.decided.reason, record.decision.reason);
  EXPECT_EQ(request.intent, "math");
  ASSERT_TRUE(request.outcome.has_value());
  EXPECT_EQ(request.outcome->finish, "stop");
  EXPECT_EQ(request.outcome->completion_tokens, 20);
  EXPECT_EQ(request.outcome->timings.predicted_ms, 0.1 + 0.2) << "every bit of it";
  EXPECT_EQ(request.outcome->traffic.weight_bytes, 20000);
  EXPECT_FALSE(requests[1].outcome.has_value()) << "it still runs";

  Result<LogReader> reader = LogReader::Open(url_);
  Replay replay(reader->ReadPolicies(), {});
  EXPECT_EQ(reader->CountRows(), 2);
  ASSERT_TRUE(reader->ReadAll([&](const LoggedRequest& r) { replay.Add(r); }).ok());
  const ReplayReport report = replay.Finish();
  ASSERT_EQ(report.checks.size(), 1u);
  EXPECT_EQ(report.checks[0].fault, "");
  EXPECT_EQ(report.checks[0].same, 2);
}

TEST_F(PostgresLogTest, ManyRowsAreReadInTheirOrder) {
  auto log = OpenLog();
  constexpr int kRows = 1300;  // more than are written, or read, at once
  for (int i = 0; i < kRows; ++i) log->Decided(Record("r" + std::to_string(i)));
  ASSERT_TRUE(log->Flush().ok());
  const auto requests = ReadLog(url_);
  ASSERT_EQ(requests.size(), static_cast<size_t>(kRows));
  for (size_t i = 0; i < kRows; ++i) ASSERT_EQ(requests[i].request_id, "r" + std::to_string(i));
}

TEST_F(PostgresLogTest, TakesFeedback) {
  DecisionLogOptions options;
  options.redact = {"s3cret"};
  auto log = OpenLog(options);
  log->Decided(Record("r1"));
  log->Decided(Record("twice"));
  log->Decided(Record("twice"));
  EXPECT_TRUE(GiveFeedback(*log, {.request_id = "r1", .score = 0.5, .comment = "s3cret!"}).ok())
      << "although its row was not written before";
  EXPECT_TRUE(GiveFeedback(*log, {.request_id = "twice", .score = 1, .comment = {}}).ok());
  // A client's feedback may come to another program than its answer came from.
  auto other = OpenLog();
  EXPECT_TRUE(GiveFeedback(*other, {.request_id = "r1", .score = -1, .comment = {}}).ok());
  const Status unknown = GiveFeedback(*other, {.request_id = "nobody", .score = 1, .comment = {}});
  EXPECT_EQ(unknown.code(), StatusCode::kNotFound);
  EXPECT_EQ(unknown.param(), "id");
  const auto requests = ReadLog(url_);
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_EQ(requests[0].score, -1) << "the latest counts";
  EXPECT_FALSE(requests[1].score.has_value());
  EXPECT_EQ(requests[2].score, 1) << "the latest of the rows with that id";
}

TEST_F(PostgresLogTest, AServerThatDiesIsWaitedForAndNothingIsLost) {
  std::vector<std::string> health;
  DecisionLogOptions options;
  options.on_health = [&](const Status& status) { health.push_back(status.reason()); };
  auto log = OpenLog(options);
  const uint64_t early = log->Decided(Record("early"));
  ASSERT_TRUE(log->Flush().ok());
  server_->Kill();
  log->Ended(early, Finished(3, 1));
  const uint64_t late = log->Decided(Record("late"));
  EXPECT_NE(late, 0u) << "serving goes on";
  EXPECT_FALSE(log->Flush().ok());
  log->Ended(late, Finished(4, 1));
  EXPECT_EQ(GiveFeedback(*log, {.request_id = "late", .score = 1, .comment = {}}).code(),
            StatusCode::kUnavailable);
  EXPECT_GE(log->counts().errors, 1);
  EXPECT_EQ(log->counts().waiting, 1);

  server_->Restart();
  FlushAtLast(*log);
  EXPECT_EQ(log->counts().rows, 2);
  EXPECT_EQ(log->counts().dropped, 0);
  EXPECT_EQ(log->counts().waiting, 0);
  const auto requests = ReadLog(url_);
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(requests[0].outcome->completion_tokens, 3);
  EXPECT_EQ(requests[1].outcome->completion_tokens, 4);
  log.reset();
  EXPECT_THAT(health, ElementsAre("away", "")) << "told once of either";
}

TEST_F(PostgresLogTest, KilledAgainAndAgainEachRowIsThereOnce) {
  auto log = OpenLog();
  constexpr int kRows = 3000;
  std::thread requests([&] {
    for (int i = 0; i < kRows; ++i) {
      const uint64_t number = log->Decided(Record("r" + std::to_string(i)));
      EXPECT_NE(number, 0u);
      log->Ended(number, Finished(i, 1));
      if (i % 50 == 0) (void)log->Flush();  // so that batches meet the kills
    }
  });
  for (int kills = 0; kills < 3; ++kills) {
    const int64_t before = log->counts().rows;
    while (log->counts().rows < before + 100 && log->counts().rows < kRows) {
      std::this_thread::yield();
    }
    server_->Kill();
    server_->Restart();
  }
  requests.join();
  FlushAtLast(*log);
  EXPECT_EQ(log->counts().rows, kRows);
  EXPECT_EQ(log->counts().dropped, 0);
  std::set<std::string> ids;
  for (const LoggedRequest& request : ReadLog(url_)) {
    EXPECT_TRUE(ids.insert(request.request_id).second) << request.request_id << " again";
    ASSERT_TRUE(request.outcome.has_value());
    EXPECT_EQ("r" + std::to_string(request.outcome->completion_tokens), request.request_id);
  }
  EXPECT_EQ(ids.size(), static_cast<size_t>(kRows));
}

TEST_F(PostgresLogTest, WhatIsTooMuchIsDroppedAndCounted) {
  DecisionLogOptions options;
  options.queue_max = 3;
  auto log = OpenLog(options);
  server_->Kill();
  for (int i = 0; i < 5; ++i) log->Decided(Record("r" + std::to_string(i)));
  EXPECT_EQ(log->counts().dropped, 2);
  EXPECT_EQ(log->counts().waiting, 3);
  server_->Restart();
  FlushAtLast(*log);
  EXPECT_EQ(log->counts().rows, 3);
  EXPECT_EQ(ReadLog(url_).size(), 3u);
}

TEST_F(PostgresLogTest, SeveralProgramsWriteOneLog) {
  constexpr int kWriters = 4;
  constexpr int kRows = 300;
  std::vector<std::thread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] {
      auto log = OpenLog();
      log->AddPolicy(RoutingPolicy::Paper());
      for (int i = 0; i < kRows; ++i) {
        log->Ended(log->Decided(Record(std::to_string(writer))), Finished(i, 1));
        if (i % 40 == 0) {
          EXPECT_TRUE(log->Flush().ok());
        }
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  // In the order of each, with its own ends.
  std::map<std::string, int> seen;
  for (const LoggedRequest& request : ReadLog(url_)) {
    EXPECT_EQ(request.outcome->completion_tokens, seen[request.request_id]++);
  }
  EXPECT_EQ(seen.size(), static_cast<size_t>(kWriters));
  for (const auto& [writer, rows] : seen) EXPECT_EQ(rows, kRows) << writer;
}

TEST_F(PostgresLogTest, BeginsWithAServerThatIsAway) {
  server_->Kill();
  auto log = OpenLog();
  ASSERT_NE(log, nullptr);
  log->Decided(Record("r1"));
  server_->Restart();
  FlushAtLast(*log);
  EXPECT_EQ(ReadLog(url_).size(), 1u);
}

TEST_F(PostgresLogTest, AMistakeInTheUrlIsNamedWithoutThePassword) {
  const auto refusal = [&](const std::string& url) {
    DecisionLogOptions options;
    options.url = url;
    return DecisionLog::Create(options, clock_).status().message();
  };
  EXPECT_THAT(refusal(server_->UrlOf("test1", "aio", "wr0ng")),
              AllOf(HasSubstr("postgresql://aio@/test1?host="), HasSubstr("check user, password"),
                    Not(HasSubstr("wr0ng"))));
  EXPECT_THAT(refusal(server_->UrlOf("absent", "aio", "right")), HasSubstr("absent"));
  EXPECT_THAT(refusal("postgresql://aio:wr@ng@/test1"),
              AllOf(HasSubstr("is not the URL of a PostgreSQL database"), Not(HasSubstr("wr@ng"))));
  DecisionLogOptions both;
  both.url = url_;
  both.path = "decisions.db";
  EXPECT_THAT(DecisionLog::Create(both, clock_).status().message(), HasSubstr("name one"));
}

TEST_F(PostgresLogTest, TablesOfAnotherVersionAreRefused) {
  OpenLog().reset();
  auto connection = PostgresConnection::Open(url_);
  ASSERT_TRUE((*connection)->RunScript("UPDATE aio_log.version SET version = 9;").ok());
  DecisionLogOptions options;
  options.url = url_;
  EXPECT_THAT(DecisionLog::Create(options, clock_).status().message(),
              HasSubstr("schema 'aio_log' is of version 9, this program knows version 1"));
  EXPECT_THAT(LogReader::Open(url_).status().message(), HasSubstr("is of version 9"));
  EXPECT_THAT(LogReader::Open(server_->NewDatabase()).status().message(),
              HasSubstr("there is no schema 'aio_log'"));
}

TEST_F(PostgresLogTest, ARowThatCannotBeStoredTakesNoOtherAlong) {
  auto log = OpenLog();
  std::mt19937 random(1);  // what cannot be compressed, and is too long for an index
  std::string id(9000, 'x');
  for (char& c : id) c = static_cast<char>('!' + random() % 90);
  log->Decided(Record("r1"));
  log->Ended(log->Decided(Record(id)), Finished(1, 1));
  log->Ended(log->Decided(Record("r2")), Finished(2, 1));
  ASSERT_TRUE(log->Flush().ok());
  EXPECT_EQ(log->counts().rows, 2);
  EXPECT_EQ(log->counts().dropped, 1);
  const auto requests = ReadLog(url_);
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(requests[1].outcome->completion_tokens, 2);
}

TEST_F(PostgresLogTest, AnEndThatCannotBeStoredIsNoLostDecision) {
  auto log = OpenLog();
  ASSERT_TRUE((*PostgresConnection::Open(url_))
                  ->RunScript("ALTER TABLE aio_log.requests ADD CHECK (completion_tokens < 5);")
                  .ok());
  log->Ended(log->Decided(Record("r1")), Finished(1, 1));
  log->Ended(log->Decided(Record("r2")), Finished(7, 1));
  ASSERT_TRUE(log->Flush().ok());
  EXPECT_EQ(log->counts().rows, 2);
  EXPECT_EQ(log->counts().dropped, 0);
  const auto requests = ReadLog(url_);
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(requests[0].outcome->completion_tokens, 1);
  EXPECT_FALSE(requests[1].outcome.has_value());
}

// How deep the transaction is, each row's trigger can see.
TEST_F(PostgresLogTest, RowsThatAreWrittenOneByOneAreNotNested) {
  auto log = OpenLog();
  const auto connection = PostgresConnection::Open(url_);
  const Status made = (*connection)->RunScript(R"(
    CREATE TABLE depths (depth int);
    CREATE FUNCTION tell_depth() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO depths SELECT max(level) FROM pg_backend_memory_contexts
        WHERE name = 'CurTransactionContext';
      RETURN NEW;
    END $$;
    CREATE TRIGGER tell BEFORE INSERT ON aio_log.requests FOR EACH ROW
      EXECUTE FUNCTION tell_depth();
    ALTER TABLE aio_log.requests ADD CHECK (request_id NOT LIKE 'wrong%');)");
  ASSERT_TRUE(made.ok()) << made.ToString();
  constexpr int kRows = 40;
  for (int i = 0; i < kRows; ++i) log->Decided(Record((i % 8 == 0 ? "wrong" : "r")));
  ASSERT_TRUE(log->Flush().ok());
  EXPECT_EQ(log->counts().dropped, kRows / 8);
  const auto depths = (*connection)->Run("SELECT count(*), max(depth) - min(depth) FROM depths");
  ASSERT_TRUE(depths.ok()) << depths.status().ToString();
  EXPECT_EQ(depths->Int(0, 0), kRows - kRows / 8);
  EXPECT_EQ(depths->Int(0, 1), 0);
}

TEST_F(PostgresLogTest, AProgramThatEndsDoesNotWaitForASilentServer) {
  url_ += "&connect_timeout=36000";  // or the test takes hours
  auto log = OpenLog();
  server_->Kill();
  {
    const SilentServer silent(url_);
    log->Decided(Record("r1"));
    log.reset();
  }
  server_->Restart();
}

TEST_F(PostgresLogTest, TextThatIsNoneOfPostgresIsKeptAsFarAsItCanBe) {
  auto log = OpenLog();
  const std::string id("a\0b\xFF", 4);
  log->Decided(Record(id));
  EXPECT_TRUE(GiveFeedback(*log, {.request_id = id, .score = 1, .comment = id}).ok());
  const auto requests = ReadLog(url_);
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0].request_id,
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD");
}

TEST_F(PostgresLogTest, DeletesWhatIsOlderThanItMayKeep) {
  DecisionLogOptions options;
  options.retention_days = 2;
  clock_.Advance(std::chrono::hours(24 * 100));
  auto log = OpenLog(options);
  const int64_t now = clock_.UnixSeconds();
  const auto log_at = [&](int64_t unix_seconds, const std::string& id) {
    DecisionRecord record = Record(id);
    record.unix_seconds = unix_seconds;
    log->Decided(record);
  };
  for (int i = 0; i < 1500; ++i) log_at(now, "old");  // more than are deleted at once
  log_at(now + 3600, "young");
  ASSERT_TRUE(log->Flush().ok());
  clock_.Advance(std::chrono::hours(48) + std::chrono::minutes(30));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(log->Flush().ok());
  const auto requests = ReadLog(url_);
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0].request_id, "young");
}

}  // namespace
}  // namespace aio
