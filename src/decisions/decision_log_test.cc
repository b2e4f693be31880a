#include "decisions/decision_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "decisions/signals_json.h"
#include "decisions/sqlite.h"
#include "decisions/testing/log_fixture.h"

namespace aio {
namespace {

using ::testing::HasSubstr;

Status GiveFeedback(DecisionLog& log, Feedback feedback) {
  std::promise<Status> answer;
  log.AddFeedback(std::move(feedback), [&](Status status) { answer.set_value(status); });
  return answer.get_future().get();
}

TEST_F(DecisionLogTest, KeepsWhatWasDecidedFromWhatAndHowItEnded) {
  auto log = OpenLog();
  const DecisionRecord record = Record("r1");
  const uint64_t number = log->Decided(record);
  log->Ended(number, Finished(20, 400));
  ASSERT_TRUE(log->Flush().ok());
  EXPECT_EQ(log->counts().rows, 1);

  const auto requests = ReadLog(path_);
  ASSERT_EQ(requests.size(), 1u);
  const LoggedRequest& request = requests[0];
  EXPECT_EQ(request.request_id, "r1");
  EXPECT_EQ(request.unix_seconds, 1'000'000);
  EXPECT_EQ(request.prompt_hash, record.prompt_hash);
  EXPECT_EQ(request.policy_hash, RoutingPolicy::Paper().hash());
  EXPECT_EQ(SignalsToJson(*request.signals), SignalsToJson(FullSignals()));
  EXPECT_EQ(request.model, record.decision.model);
  EXPECT_EQ(request.decided.role, record.decision.role);
  EXPECT_EQ(request.decided.weights, record.decision.weights);
  EXPECT_EQ(request.decided.strategy, record.decision.strategy);
  EXPECT_EQ(request.decided.rule, record.decision.rule);
  EXPECT_EQ(request.decided.reason, record.decision.reason);
  EXPECT_EQ(request.intent, "math");
  ASSERT_TRUE(request.outcome.has_value());
  EXPECT_EQ(request.outcome->finish, "stop");
  EXPECT_EQ(request.outcome->answered_by, "pocket-small");
  EXPECT_EQ(request.outcome->completion_tokens, 20);
  EXPECT_EQ(request.outcome->timings.predicted_ms, 400);
  EXPECT_EQ(request.outcome->traffic.weight_bytes, 20000);
  EXPECT_FALSE(request.score.has_value());
}

TEST_F(DecisionLogTest, ADecisionIsThereBeforeItsEnd) {
  auto log = OpenLog();
  const uint64_t number = log->Decided(Record("slow"));
  ASSERT_TRUE(log->Flush().ok());
  EXPECT_FALSE(ReadLog(path_)[0].outcome.has_value());
  RequestOutcome failed;
  failed.error = Unavailable("gone");
  log->Ended(number, failed);
  ASSERT_TRUE(log->Flush().ok());
  const auto requests = ReadLog(path_);
  ASSERT_EQ(requests.size(), 1u) << "one row a request";
  EXPECT_EQ(requests[0].outcome->finish, "error");
  EXPECT_FALSE(requests[0].outcome->complete());
}

TEST_F(DecisionLogTest, IsWrittenWithoutBeingAsked) {
  auto log = OpenLog();
  log->Decided(Record("r1"));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (log->counts().rows == 0 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_EQ(log->counts().rows, 1);
  EXPECT_EQ(log->counts().waiting, 0);
}

TEST_F(DecisionLogTest, GoesOnWithAnOldLog) {
  OpenLog()->Decided(Record("r1"));
  OpenLog()->Decided(Record("r2"));
  EXPECT_EQ(ReadLog(path_).size(), 2u);
}

TEST_F(DecisionLogTest, KeepsPoliciesToReplayWith) {
  auto log = OpenLog();
  log->AddPolicy(RoutingPolicy::Paper());
  log->Decided(Record("r1"));
  ASSERT_TRUE(log->Flush().ok());
  auto policies = LogReader::Open(path_)->ReadPolicies();
  ASSERT_EQ(policies.size(), 1u);
  EXPECT_EQ(policies.at(RoutingPolicy::Paper().hash()), RoutingPolicy::Paper().text());
}

TEST_F(DecisionLogTest, TakesFeedback) {
  auto log = OpenLog();
  log->Decided(Record("r1"));
  log->Decided(Record("twice"));
  log->Decided(Record("twice"));
  clock_.Advance(std::chrono::seconds(5));
  EXPECT_TRUE(GiveFeedback(*log, {.request_id = "r1", .score = 0.5, .comment = "fine"}).ok())
      << "although its row may not have been written before";
  EXPECT_TRUE(GiveFeedback(*log, {.request_id = "r1", .score = -1, .comment = {}}).ok());
  EXPECT_TRUE(GiveFeedback(*log, {.request_id = "twice", .score = 1, .comment = {}}).ok());
  const Status unknown = GiveFeedback(*log, {.request_id = "nobody", .score = 1, .comment = {}});
  EXPECT_EQ(unknown.code(), StatusCode::kNotFound);
  EXPECT_EQ(unknown.param(), "id");
  const auto requests = ReadLog(path_);
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_EQ(requests[0].score, -1) << "the latest counts";
  EXPECT_FALSE(requests[1].score.has_value());
  EXPECT_EQ(requests[2].score, 1) << "the latest of the rows with that id";
}

TEST_F(DecisionLogTest, TextIsKeptOnlyIfAskedForAndWithoutWhatIsRedacted) {
  EXPECT_FALSE(OpenLog()->wants_prompts());
  DecisionLogOptions options;
  options.text = true;
  options.redact = {"s3cret"};
  auto log = OpenLog(options);
  EXPECT_TRUE(log->wants_prompts());
  DecisionRecord record = Record("r1");
  record.prompt = std::vector<ChatMessage>{{"user", "my s3cret \"word\""}};
  log->Decided(record);
  EXPECT_TRUE(GiveFeedback(*log, {.request_id = "r1", .score = 1, .comment = "s3cret!"}).ok());
  EXPECT_EQ(ReadLog(path_)[0].prompt, R"([{"role":"user","content":"my [redacted] \"word\""}])");
  log.reset();
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "")) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(bytes.find("s3cret"), std::string::npos) << entry.path();
  }
}

TEST_F(DecisionLogTest, IsForItsOwnerOnly) {
  DecisionLogOptions options;
  auto log = OpenLog(options);
  log->Decided(Record("r1"));
  ASSERT_TRUE(log->Flush().ok());
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "")) {
    struct stat status {};
    ASSERT_EQ(stat(entry.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u) << entry.path();
  }
}

TEST_F(DecisionLogTest, DeletesWhatIsOlderThanItMayKeep) {
  DecisionLogOptions options;
  options.retention_days = 2;
  clock_.Advance(std::chrono::hours(24 * 100));
  auto log = OpenLog(options);
  const auto log_at = [&](int64_t unix_seconds, const std::string& id) {
    DecisionRecord record = Record(id);
    record.unix_seconds = unix_seconds;
    log->Decided(record);
  };
  const int64_t now = clock_.UnixSeconds();
  for (int i = 0; i < 1500; ++i) log_at(now, "old");  // more than are deleted at once
  log_at(now + 3600, "young");
  ASSERT_TRUE(log->Flush().ok());
  EXPECT_EQ(ReadLog(path_).size(), 1501u);

  clock_.Advance(std::chrono::hours(48) + std::chrono::minutes(30));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(log->Flush().ok());
  const auto requests = ReadLog(path_);
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0].request_id, "young");

  clock_.Advance(std::chrono::hours(1));
  ASSERT_TRUE(log->Flush().ok());
  EXPECT_TRUE(ReadLog(path_).empty()) << "also while nothing comes";
}

TEST_F(DecisionLogTest, RefusesWhatIsNoLogOfItsOwn) {
  const auto refusal = [&](const std::string& path) {
    DecisionLogOptions options;
    options.path = path;
    return DecisionLog::Create(options, clock_).status();
  };
  std::ofstream(folder_ / "text") << std::string(5000, 'x');
  EXPECT_THAT(refusal(folder_ / "text").message(), HasSubstr("move the file away"));
  EXPECT_THAT(refusal(folder_ / "").message(), HasSubstr("is not a file"));
  EXPECT_THAT(refusal("/nowhere/at/all.db").message(), HasSubstr("there is no folder"));
  {
    auto other = SqliteDatabase::Open(folder_ / "other.db", SqliteDatabase::Mode::kWrite);
    ASSERT_TRUE((*other)->Execute("CREATE TABLE t (x)").ok());
  }
  EXPECT_THAT(refusal(folder_ / "other.db").message(), HasSubstr("no decision log"));
  OpenLog().reset();
  {
    auto newer = SqliteDatabase::Open(path_, SqliteDatabase::Mode::kWrite);
    ASSERT_TRUE((*newer)->Execute("PRAGMA user_version = 9").ok());
  }
  EXPECT_THAT(refusal(path_).message(), HasSubstr("of version 9, this program knows version 1"));
}

TEST_F(DecisionLogTest, RefusesOptionsThatWillNotDo) {
  const auto refusal = [&](DecisionLogOptions options) {
    options.path = path_;
    return DecisionLog::Create(options, clock_).status().message();
  };
  DecisionLogOptions options;
  options.queue_max = 0;
  EXPECT_THAT(refusal(options), HasSubstr("queue_max"));
  options = {};
  options.redact = {"("};
  EXPECT_THAT(refusal(options), HasSubstr("redact: pattern 1"));
}

}  // namespace
}  // namespace aio
