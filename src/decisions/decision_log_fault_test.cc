// What the log does when it cannot write: nothing that a request would notice.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <future>
#include <mutex>

#include "decisions/sqlite.h"
#include "decisions/testing/log_fixture.h"

namespace aio {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Fails and works again at once, and says so.
DecisionLogOptions Impatient(std::vector<std::string>* health = nullptr) {
  DecisionLogOptions options;
  options.retry_interval = std::chrono::milliseconds(1);
  if (health == nullptr) return options;
  options.on_health = [health](const Status& status) { health->push_back(status.reason()); };
  return options;
}

Status GiveFeedback(DecisionLog& log, const std::string& id) {
  std::promise<Status> answer;
  log.AddFeedback({.request_id = id, .score = 1, .comment = {}},
                  [&](Status status) { answer.set_value(status); });
  return answer.get_future().get();
}

TEST_F(DecisionLogTest, ALockedFileIsWaitedForAndNothingIsLost) {
  std::vector<std::string> health;
  auto log = OpenLog(Impatient(&health));
  auto other = SqliteDatabase::Open(path_, SqliteDatabase::Mode::kWrite);
  ASSERT_TRUE((*other)->Execute("BEGIN EXCLUSIVE").ok());
  const uint64_t number = log->Decided(Record("r1"));
  EXPECT_NE(number, 0u);
  EXPECT_FALSE(log->Flush().ok());
  log->Ended(number, Finished(3, 1));
  EXPECT_EQ(GiveFeedback(*log, "r1").code(), StatusCode::kUnavailable);
  EXPECT_GE(log->counts().errors, 1);
  EXPECT_EQ(log->counts().rows, 0);
  EXPECT_EQ(log->counts().waiting, 1);

  ASSERT_TRUE((*other)->Execute("ROLLBACK").ok());
  ASSERT_TRUE(log->Flush().ok());
  EXPECT_EQ(log->counts().rows, 1);
  EXPECT_EQ(log->counts().dropped, 0);
  const auto requests = ReadLog(path_);
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0].outcome->completion_tokens, 3);
  log.reset();
  EXPECT_THAT(health, ElementsAre("locked", "")) << "told once of either";
}

TEST_F(DecisionLogTest, BeginsWithALockedFile) {
  auto other = SqliteDatabase::Open(path_, SqliteDatabase::Mode::kWrite);
  ASSERT_TRUE((*other)->Execute("BEGIN EXCLUSIVE").ok());
  auto log = OpenLog(Impatient());
  ASSERT_NE(log, nullptr);
  log->Decided(Record("r1"));
  ASSERT_TRUE((*other)->Execute("ROLLBACK").ok());
  ASSERT_TRUE(log->Flush().ok());
  EXPECT_EQ(ReadLog(path_).size(), 1u);
}

TEST_F(DecisionLogTest, WhatIsTooMuchIsDroppedAndCounted) {
  DecisionLogOptions options = Impatient();
  options.queue_max = 3;
  auto log = OpenLog(options);
  auto other = SqliteDatabase::Open(path_, SqliteDatabase::Mode::kWrite);
  ASSERT_TRUE((*other)->Execute("BEGIN EXCLUSIVE").ok());
  std::vector<uint64_t> numbers;
  for (int i = 0; i < 5; ++i) numbers.push_back(log->Decided(Record("r" + std::to_string(i))));
  for (const uint64_t number : numbers) log->Ended(number, Finished(1, 1));
  EXPECT_EQ(log->counts().dropped, 2);
  EXPECT_EQ(log->counts().waiting, 3);
  ASSERT_TRUE((*other)->Execute("ROLLBACK").ok());
  ASSERT_TRUE(log->Flush().ok());
  EXPECT_EQ(log->counts().rows, 3);
  EXPECT_NE(log->Decided(Record("after")), 0u) << "there is room again";
  ASSERT_TRUE(log->Flush().ok());
  const auto requests = ReadLog(path_);
  ASSERT_EQ(requests.size(), 4u);
  EXPECT_EQ(requests[2].request_id, "r2") << "the first to come are kept";
}

TEST_F(DecisionLogTest, WhatNeverCouldBeWrittenIsCountedAtTheEnd) {
  auto log = OpenLog(Impatient());
  auto other = SqliteDatabase::Open(path_, SqliteDatabase::Mode::kWrite);
  ASSERT_TRUE((*other)->Execute("BEGIN EXCLUSIVE").ok());
  log->Decided(Record("r1"));
  log.reset();  // ends, however long the file stays locked
  ASSERT_TRUE((*other)->Execute("ROLLBACK").ok());
  EXPECT_TRUE(ReadLog(path_).empty());
}

// As a full disk is: writing fails from here on. The program must not die of the signal either.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    previous_handler_ = signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &previous_);
    const rlimit limit = {.rlim_cur = bytes, .rlim_max = previous_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &previous_);
    signal(SIGXFSZ, previous_handler_);
  }

 private:
  rlimit previous_{};
  void (*previous_handler_)(int);
};

TEST_F(DecisionLogTest, AFullDiskIsWaitedForAndNothingIsLost) {
  auto log = OpenLog(Impatient());
  constexpr int kRows = 400;
  {
    const FileSizeLimit full(100'000);
    for (int i = 0; i < kRows; ++i) {
      EXPECT_NE(log->Decided(Record("r" + std::to_string(i))), 0u);
    }
    EXPECT_FALSE(log->Flush().ok());
    EXPECT_GE(log->counts().errors, 1);
    EXPECT_EQ(log->counts().waiting, kRows);
    EXPECT_EQ(GiveFeedback(*log, "r0").code(), StatusCode::kUnavailable);
  }
  ASSERT_TRUE(log->Flush().ok());
  EXPECT_EQ(log->counts().rows, kRows);
  EXPECT_EQ(log->counts().dropped, 0);
  EXPECT_EQ(ReadLog(path_).size(), static_cast<size_t>(kRows));
}

TEST_F(DecisionLogTest, ADeletionThatFailsIsSaidOnceAndHindersNoRow) {
  std::vector<std::string> health, deletion;
  DecisionLogOptions options = Impatient(&health);
  options.retention_days = 1;
  options.on_deletion_health = [&](const Status& status) { deletion.push_back(status.message()); };
  clock_.Advance(std::chrono::hours(24 * 100));
  auto log = OpenLog(options);
  const auto write = [&](const std::string& id) {
    DecisionRecord record = Record(id);
    record.unix_seconds = clock_.UnixSeconds();
    log->Decided(std::move(record));
    ASSERT_TRUE(log->Flush().ok());
  };
  write("old");
  auto other = SqliteDatabase::Open(path_, SqliteDatabase::Mode::kWrite);
  ASSERT_TRUE((*other)
                  ->Execute("CREATE TRIGGER keep BEFORE DELETE ON requests "
                            "BEGIN SELECT RAISE(ABORT, 'nothing is deleted here'); END")
                  .ok());
  clock_.Advance(std::chrono::hours(48));
  for (int i = 0; i < 5; ++i) write("young");
  EXPECT_EQ(log->counts().errors, 1) << "tried again after every row";
  clock_.Advance(std::chrono::seconds(60));
  for (int i = 0; i < 5; ++i) write("young");
  EXPECT_EQ(log->counts().errors, 2) << "once a minute";
  EXPECT_EQ(log->counts().rows, 11);
  EXPECT_EQ(ReadLog(path_).size(), 11u);

  ASSERT_TRUE((*other)->Execute("DROP TRIGGER keep").ok());
  clock_.Advance(std::chrono::seconds(60));
  write("young");
  EXPECT_EQ(ReadLog(path_).front().request_id, "young");
  log.reset();
  EXPECT_THAT(deletion, ElementsAre(HasSubstr("nothing is deleted here"), ""));
  EXPECT_THAT(health, ElementsAre());
}

// --- kill -9 ---------------------------------------------------------------------------

// A child that logs a row for every byte it reads, and answers with a byte; a byte 'f' also
// flushes.
[[noreturn]] void RunChild(const std::string& path, int in, int out) {
  ManualClock clock;
  DecisionLogOptions options;
  options.path = path;
  auto log = DecisionLog::Create(options, clock);
  if (!log.ok()) _exit(1);
  char command = 0;
  for (int row = 0; read(in, &command, 1) == 1; ++row) {
    const uint64_t number = (*log)->Decided(Record("r" + std::to_string(row)));
    if (row % 2 == 0) (*log)->Ended(number, Finished(row, 1));
    if (command == 'f' && !(*log)->Flush().ok()) _exit(2);
    if (write(out, &command, 1) != 1) _exit(3);
  }
  _exit(4);
}

class Child {
 public:
  explicit Child(const std::string& path) {
    int to[2], from[2];
    if (pipe(to) != 0 || pipe(from) != 0) ADD_FAILURE() << "no pipe";
    pid_ = fork();
    if (pid_ == 0) {
      close(to[1]);
      close(from[0]);
      RunChild(path, to[0], from[1]);
    }
    close(to[0]);
    close(from[1]);
    to_ = to[1];
    from_ = from[0];
  }
  ~Child() {
    Kill();
    close(to_);
    close(from_);
  }

  void Log(char command = '.') {
    ASSERT_EQ(write(to_, &command, 1), 1);
    ASSERT_EQ(read(from_, &command, 1), 1);
  }
  void Kill() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  pid_t pid_ = -1;
  int to_ = -1;
  int from_ = -1;
};

// The rows are the first so many, whole, and the database is sound.
void ExpectSoundPrefix(const std::string& path, size_t rows_min, size_t rows_max) {
  const auto requests = ReadLog(path);
  EXPECT_GE(requests.size(), rows_min);
  EXPECT_LE(requests.size(), rows_max);
  for (size_t i = 0; i < requests.size(); ++i) {
    EXPECT_EQ(requests[i].request_id, "r" + std::to_string(i));
    EXPECT_TRUE(requests[i].signals.has_value());
  }
  auto database = SqliteDatabase::Open(path, SqliteDatabase::Mode::kWrite);
  ASSERT_TRUE(database.ok());
  auto check = (*database)->Prepare("PRAGMA integrity_check");
  ASSERT_TRUE(check.ok() && check->Step().ok());
  EXPECT_EQ(check->Text(0), "ok");
}

TEST_F(DecisionLogTest, KilledAtAnyMomentItIsSoundAndGoesOn) {
  for (int round = 0; round < 8; ++round) {
    const std::string path = folder_ / ("round" + std::to_string(round));
    Child child(path);
    const int flushed = 40 * (round + 1);
    for (int i = 0; i < flushed; ++i) child.Log(i == flushed - 1 ? 'f' : '.');
    const int more = 17 * round;
    for (int i = 0; i < more; ++i) child.Log();
    child.Kill();
    ExpectSoundPrefix(path, static_cast<size_t>(flushed), static_cast<size_t>(flushed + more));

    DecisionLogOptions options;
    options.path = path;
    const size_t before = ReadLog(path).size();
    (*DecisionLog::Create(options, clock_))->Decided(Record("next"));
    EXPECT_EQ(ReadLog(path).size(), before + 1);
  }
}

// Rows reach the file without anybody asking for it, at most a second late (decision_log.h), which
// a busy machine may stretch, so it is not measured here.
TEST_F(DecisionLogTest, KilledItKeepsWhatWasWrittenByItself) {
  Child child(path_);
  constexpr size_t kRows = 100;
  for (size_t i = 0; i < kRows; ++i) child.Log();
  for (int i = 0; i < 6000 && ReadLog(path_).size() < kRows; ++i) poll(nullptr, 0, 10);
  constexpr size_t kMore = 20;
  for (size_t i = 0; i < kMore; ++i) child.Log();
  child.Kill();
  ExpectSoundPrefix(path_, kRows, kRows + kMore);
}

}  // namespace
}  // namespace aio
