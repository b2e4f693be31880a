#include "access/shared_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>

#include "access/postgres_limit_store.h"
#include "access/token_bucket.h"
#include "postgres/connection.h"
#include "postgres/testing/postgres_server.h"
#include "postgres/testing/silent_server.h"

namespace aio {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const TimePoint kStart{};

// --- SharedBucket ----------------------------------------------------------------------

TEST(SharedBucketTest, BeforeItLearnsItIsAllOurs) {
  SharedBucket bucket(60, minutes(1), kStart);
  EXPECT_EQ(bucket.Until(60, kStart), Duration::zero());
  bucket.Take(60, kStart);
  EXPECT_EQ(bucket.Until(1, kStart), seconds(1));
  EXPECT_EQ(bucket.Remaining(kStart + seconds(10)), 10);
}

TEST(SharedBucketTest, GivesNoMoreThanItsShareOfWhatIsLeft) {
  SharedBucket bucket(60, minutes(1), kStart);
  bucket.Learn(40, 4, kStart);
  EXPECT_EQ(bucket.Remaining(kStart), 40) << "a client is told of what is left for it anywhere";
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(bucket.Until(1, kStart), Duration::zero());
    bucket.Take(1, kStart);
  }
  EXPECT_EQ(bucket.Until(1, kStart), seconds(1)) << "there is more, and it will be known";
  EXPECT_EQ(bucket.Remaining(kStart), 0);
  EXPECT_EQ(bucket.Until(1, kStart + seconds(4)), Duration::zero()) << "a quarter of the refill";
}

TEST(SharedBucketTest, ReportsWhatWasTakenOnce) {
  SharedBucket bucket(100, hours(24), kStart);
  bucket.Learn(100, 2, kStart);
  bucket.Take(30, kStart);
  EXPECT_DOUBLE_EQ(bucket.BeginReport(kStart), 30);
  bucket.Take(5, kStart);  // while the report is on its way
  EXPECT_DOUBLE_EQ(bucket.BeginReport(kStart), 35) << "the first was not answered";
  bucket.Take(2, kStart);
  bucket.Learn(60, 2, kStart);
  EXPECT_DOUBLE_EQ(bucket.Remaining(kStart), 58);
  EXPECT_DOUBLE_EQ(bucket.BeginReport(kStart), 2);
  bucket.Learn(58, 2, kStart);
  bucket.Give(20, kStart);
  EXPECT_DOUBLE_EQ(bucket.BeginReport(kStart), -20);
}

TEST(SharedBucketTest, WhatIsLargerThanAShareIsTakenFromTheWhole) {
  SharedBucket bucket(100, hours(24), kStart);
  bucket.Learn(80, 4, kStart);
  EXPECT_EQ(bucket.Until(80, kStart), Duration::zero()) << "else it could never run";
  EXPECT_GT(bucket.Until(90, kStart), Duration::zero());
  bucket.Take(80, kStart);
  EXPECT_GT(bucket.Until(1, kStart), Duration::zero());
  SharedBucket small(2, minutes(1), kStart);
  small.Learn(2, 3, kStart);
  EXPECT_EQ(small.Until(1, kStart), Duration::zero());
  EXPECT_EQ(small.Remaining(kStart), 2);
}

TEST(SharedBucketTest, WhoDoesNotLearnGivesLargeOnesAtTheRateOfItsShareToo) {
  SharedBucket bucket(60, minutes(1), kStart);
  bucket.Learn(60, 4, kStart);
  int taken = 0;
  TimePoint now = kStart;
  constexpr int kMinutes = 60;
  for (int second = 0; second < kMinutes * 60; ++second) {
    if (bucket.Until(40, now) == Duration::zero()) {
      bucket.Take(40, now);
      taken += 40;
    }
    now += seconds(1);
  }
  EXPECT_LE(taken, kMinutes * 60 / 4 + 60) << "four of them keep the limit";
  EXPECT_GE(taken, kMinutes * 60 / 4 - 60);
  EXPECT_GT(bucket.Until(60, now), Duration::zero());
  (void)bucket.BeginReport(now);
  bucket.Learn(60, 4, now);
  EXPECT_EQ(bucket.Until(60, now), Duration::zero()) << "what there is, is known again";
}

TEST(SharedBucketTest, WhatTimeRepaidWhileNobodyCouldBeToldIsRepaid) {
  SharedBucket bucket(60, minutes(1), kStart);
  bucket.Learn(60, 2, kStart);
  TimePoint now = kStart;
  for (int i = 0; i < 1000; ++i) {  // at the rate of its share
    bucket.Take(1, now);
    now += seconds(2);
  }
  EXPECT_LE(bucket.BeginReport(now), 30) << "not the thousand of half an hour";
}

// --- programs over a store -------------------------------------------------------------

// What a database would be; its time is the clock's.
struct FakeDatabase {
  explicit FakeDatabase(const Clock& use_clock) : clock(use_clock) {}
  const Clock& clock;
  bool away = false;
  std::map<std::string, TokenBucket> buckets;
  std::set<const void*> members;
};

class FakeStore final : public LimitStore {
 public:
  explicit FakeStore(FakeDatabase& database) : database_(database) {}
  Status Open() override { return database_.away ? Unavailable("away") : Status::Ok(); }
  Result<SharedLevels> Exchange(const std::vector<BucketUse>& uses) override {
    AIO_RETURN_IF_ERROR(Open());
    database_.members.insert(this);
    SharedLevels shared;
    const TimePoint now = database_.clock.Now();
    for (const BucketUse& use : uses) {
      TokenBucket& bucket =
          database_.buckets.try_emplace(use.bucket, use.capacity, use.period, now).first->second;
      bucket.Give(-use.used, now);
      shared.levels.push_back(bucket.Level(now));
    }
    shared.members = static_cast<int>(database_.members.size());
    return shared;
  }
  void Leave() override { database_.members.erase(this); }

 private:
  FakeDatabase& database_;
};

std::shared_ptr<AccessControl> OneKey(const KeyLimits& limits, TimePoint now) {
  ApiKey key;
  key.name = "alice";
  key.hash = HashSecret("secret");
  key.limits = limits;
  return std::make_shared<AccessControl>(std::vector<ApiKey>{key}, true, now);
}

// As it serves, without its thread.
struct Program {
  Program(std::unique_ptr<LimitStore> store, const KeyLimits& limits, const Clock& use_clock,
          SharedLimitsOptions options = {})
      : clock(use_clock),
        access(OneKey(limits, clock.Now())),
        shared(std::move(store), access, std::move(options), clock) {}

  KeyBudgets& key() const { return *access->Find("secret")->budgets; }
  bool Request() const { return !key().TakeRequest(clock.Now()); }
  bool Tokens(int64_t tokens) const { return !key().Reserve(tokens, clock.Now()); }

  const Clock& clock;
  const std::shared_ptr<AccessControl> access;
  SharedLimits shared;
};

class SharedLimitsTest : public testing::Test {
 protected:
  std::vector<std::unique_ptr<Program>> Programs(int count, const KeyLimits& limits) {
    std::vector<std::unique_ptr<Program>> programs;
    for (int i = 0; i < count; ++i) {
      programs.push_back(
          std::make_unique<Program>(std::make_unique<FakeStore>(database_), limits, clock_));
    }
    // Of each other they know after the second time.
    for (int round = 0; round < 2; ++round) {
      for (const auto& program : programs) EXPECT_TRUE(program->shared.Exchange().ok());
    }
    return programs;
  }

  ManualClock clock_;
  FakeDatabase database_{clock_};
};

TEST_F(SharedLimitsTest, TogetherTheyKeepTheLimitAndUseIt) {
  constexpr int kPrograms = 3;
  constexpr int kLimit = 60;
  const auto programs = Programs(kPrograms, {.requests_per_minute = kLimit});
  std::mt19937 random(1);
  int admitted = 0;
  constexpr int kMinutes = 20;
  for (int tick = 0; tick < kMinutes * 600; ++tick) {  // of a tenth of a second
    // Demand is several times the limit, and most of it comes to one of them for a while.
    for (int i = 0; i < 4; ++i) {
      const size_t favourite = static_cast<size_t>(tick / 600) % kPrograms;
      const size_t which = random() % 4 != 0 ? favourite : random() % kPrograms;
      admitted += programs[which]->Request() ? 1 : 0;
    }
    for (const auto& program : programs) ASSERT_TRUE(program->shared.Exchange().ok());
    clock_.Advance(milliseconds(100));
    ASSERT_LE(admitted, 2 * kLimit + kLimit * tick / 600 + 1) << "in " << tick << " ticks";
  }
  EXPECT_GT(admitted, kLimit * kMinutes * 95 / 100) << "what was allowed was given";
  EXPECT_LT(admitted, kLimit * (kMinutes + 2));
}

TEST_F(SharedLimitsTest, AtTheWorstOneBucketIsGivenTooMuchAndRepaid) {
  constexpr int kPrograms = 4;
  constexpr int kLimit = 1000;
  const auto programs = Programs(kPrograms, {.tokens_per_minute = kLimit});
  int admitted = 0;
  const auto drain = [&](Program& program) {
    while (program.Tokens(1)) ++admitted;
  };
  // One learns all the time, and the others not at all, until they have given their shares of what
  // is gone.
  for (int i = 0; i < 100; ++i) {
    drain(*programs[0]);
    ASSERT_TRUE(programs[0]->shared.Exchange().ok());
  }
  for (int i = 1; i < kPrograms; ++i) drain(*programs[static_cast<size_t>(i)]);
  EXPECT_GT(admitted, kLimit);
  EXPECT_LE(admitted, kLimit + kLimit * (kPrograms - 1) / kPrograms) << "the documented bound";
  // The debt is everybody's.
  for (int round = 0; round < 2; ++round) {
    for (const auto& program : programs) ASSERT_TRUE(program->shared.Exchange().ok());
  }
  clock_.Advance(seconds(40));  // of the 45 that the debt takes
  for (const auto& program : programs) ASSERT_TRUE(program->shared.Exchange().ok());
  for (const auto& program : programs) EXPECT_FALSE(program->Tokens(1));
}

TEST_F(SharedLimitsTest, AnAnswersTokensAreSettledForAll) {
  const auto programs = Programs(2, {.tokens_per_day = 1000});
  EXPECT_TRUE(programs[0]->Tokens(400));
  ASSERT_TRUE(programs[0]->shared.Exchange().ok());
  programs[0]->key().Settle(400, 100, clock_.Now());
  ASSERT_TRUE(programs[0]->shared.Exchange().ok());
  ASSERT_TRUE(programs[1]->shared.Exchange().ok());
  const LimitReadings readings = programs[1]->key().Read(clock_.Now());
  EXPECT_EQ(readings.tokens->limit, 1000) << "the client sees the whole limit";
  EXPECT_EQ(readings.tokens->remaining, 900);
}

TEST_F(SharedLimitsTest, WhileTheStoreIsAwayEachKeepsToItsShare) {
  std::vector<std::string> health;
  constexpr int kLimit = 60;
  SharedLimitsOptions options;
  options.on_health = [&](const Status& status) { health.push_back(status.message()); };
  Program told(std::make_unique<FakeStore>(database_), {.requests_per_minute = kLimit}, clock_,
               options);
  const auto others = Programs(2, {.requests_per_minute = kLimit});
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(told.shared.Exchange().ok());
    for (const auto& other : others) ASSERT_TRUE(other->shared.Exchange().ok());
  }
  EXPECT_EQ(told.shared.counts().members, 3);
  database_.away = true;
  int admitted = 0;
  constexpr int kMinutes = 10;
  for (int second = 0; second < kMinutes * 60; ++second) {
    for (const Program* program : {&told, others[0].get(), others[1].get()}) {
      while (program->Request()) ++admitted;
    }
    EXPECT_FALSE(told.shared.Exchange().ok());
    clock_.Advance(seconds(1));
  }
  EXPECT_LE(admitted, kLimit * (kMinutes + 1)) << "the limit holds";
  EXPECT_GT(admitted, kLimit * kMinutes * 95 / 100) << "and is given";
  EXPECT_FALSE(told.shared.counts().up);
  EXPECT_EQ(told.shared.counts().errors, kMinutes * 60);

  // What was given meanwhile is not counted anew: nobody is locked out.
  database_.away = false;
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(told.shared.Exchange().ok());
    for (const auto& other : others) ASSERT_TRUE(other->shared.Exchange().ok());
  }
  clock_.Advance(seconds(4));
  ASSERT_TRUE(told.shared.Exchange().ok());
  EXPECT_TRUE(told.Request());
  EXPECT_THAT(health, ElementsAre("away", "")) << "told once of either";
}

TEST_F(SharedLimitsTest, OneThatNeverReachedTheStoreServesByItself) {
  database_.away = true;
  Program program(std::make_unique<FakeStore>(database_), {.requests_per_minute = 5}, clock_);
  EXPECT_TRUE(program.shared.Start().ok()) << "that it is away is no reason not to serve";
  int admitted = 0;
  while (program.Request()) ++admitted;
  EXPECT_EQ(admitted, 5);
}

TEST_F(SharedLimitsTest, WhoLeavesTellsWhatItUsed) {
  auto programs = Programs(2, {.tokens_per_day = 1000});
  EXPECT_TRUE(programs[0]->Tokens(300));
  programs.erase(programs.begin());
  ASSERT_TRUE(programs[0]->shared.Exchange().ok());
  EXPECT_EQ(programs[0]->shared.counts().members, 1);
  ASSERT_TRUE(programs[0]->shared.Exchange().ok());
  EXPECT_EQ(programs[0]->key().Read(clock_.Now()).tokens->remaining, 700);
  EXPECT_TRUE(programs[0]->Tokens(700)) << "its share is the whole again";
}

// --- PostgreSQL ------------------------------------------------------------------------

class PostgresLimitsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = PostgresServer::Start(); }
  static void TearDownTestSuite() { server_.reset(); }
  void SetUp() override {
    if (server_ == nullptr) GTEST_SKIP() << PostgresServer::kNotInstalled;
    url_ = server_->NewDatabase();
  }
  std::unique_ptr<Program> NewProgram(const KeyLimits& limits) {
    return std::make_unique<Program>(std::make_unique<PostgresLimitStore>(url_), limits, clock_);
  }

  static inline std::unique_ptr<PostgresServer> server_;
  std::string url_;
  SystemClock clock_;
};

// The limits are a day's, so that no time that a test takes refills them.
TEST_F(PostgresLimitsTest, TwoProgramsKeepOneLimit) {
  constexpr int kLimit = 1000;
  const auto one = NewProgram({.tokens_per_day = kLimit});
  const auto other = NewProgram({.tokens_per_day = kLimit});
  ASSERT_TRUE(one->shared.Exchange().ok());
  ASSERT_TRUE(other->shared.Exchange().ok());
  EXPECT_EQ(other->shared.counts().members, 2);
  int64_t admitted = 0;
  for (int round = 0; round < 200; ++round) {
    for (const auto& program : {one.get(), other.get()}) {
      for (int i = 0; i < 7; ++i) admitted += program->Tokens(5) ? 5 : 0;
      ASSERT_TRUE(program->shared.Exchange().ok());
    }
  }
  EXPECT_GE(admitted, kLimit * 97 / 100);
  EXPECT_LE(admitted, kLimit + kLimit / 2) << "the documented bound";
  const LimitReadings readings = one->key().Read(clock_.Now());
  EXPECT_EQ(readings.tokens->limit, kLimit);
  EXPECT_LE(readings.tokens->remaining, kLimit - std::min<int64_t>(admitted, kLimit) + 1);

  // One that comes later has nothing to give either.
  const auto late = NewProgram({.tokens_per_day = kLimit});
  ASSERT_TRUE(late->shared.Start().ok());
  EXPECT_FALSE(late->Tokens(50));
}

TEST_F(PostgresLimitsTest, TheirThreadsExchangeByThemselves) {
  const auto one = NewProgram({.tokens_per_day = 1000});
  const auto other = NewProgram({.tokens_per_day = 1000});
  ASSERT_TRUE(one->shared.Start().ok());
  ASSERT_TRUE(other->shared.Start().ok());
  EXPECT_TRUE(one->Tokens(300));
  for (int i = 0; i < 60'000; ++i) {
    if (other->key().Read(clock_.Now()).tokens->remaining <= 701) break;
    poll(nullptr, 0, 1);
  }
  EXPECT_LE(other->key().Read(clock_.Now()).tokens->remaining, 701);
}

TEST_F(PostgresLimitsTest, AProgramThatEndsDoesNotWaitForASilentDatabase) {
  url_ += "&connect_timeout=36000";  // or the test takes hours
  auto program = NewProgram({.tokens_per_day = 1000});
  ASSERT_TRUE(program->shared.Start().ok());
  server_->Kill();
  {
    const SilentServer silent(url_);
    program.reset();
  }
  server_->Restart();
}

TEST_F(PostgresLimitsTest, GivenBackAndResizedLevelsAreRight) {
  PostgresLimitStore store(url_);
  const auto level = [&](double capacity, double used) {
    const auto shared =
        store.Exchange({{.bucket = "b", .capacity = capacity, .period = hours(24), .used = used},
                        {.bucket = "idle", .capacity = 7, .period = hours(24), .used = 0}});
    EXPECT_TRUE(shared.ok()) << shared.status().ToString();
    EXPECT_EQ(shared->levels[1], 7);
    return shared->levels[0];
  };
  EXPECT_EQ(level(100, 0), 100);
  EXPECT_EQ(level(100, -50), 100) << "never over the capacity";
  EXPECT_NEAR(level(100, 30), 70, 0.1);
  EXPECT_NEAR(level(100, -10), 80, 0.1);
  EXPECT_NEAR(level(200, 0), 180, 0.1) << "what was used stays used";
  EXPECT_NEAR(level(200, 250), -70, 0.5);
  EXPECT_NEAR(level(200, 0), -70, 0.5);
}

TEST_F(PostgresLimitsTest, LevelsRefillWithTheServersTime) {
  PostgresLimitStore store(url_);
  const std::vector<BucketUse> used = {
      {.bucket = "b", .capacity = 60, .period = minutes(1), .used = 100}};
  ASSERT_NEAR(store.Exchange(used)->levels[0], -40, 1);
  auto connection = PostgresConnection::Open(url_);
  ASSERT_TRUE((*connection)
                  ->RunScript("UPDATE aio_limits.buckets SET at = at - interval '10 minutes';")
                  .ok());
  std::vector<BucketUse> asked = used;
  asked[0].used = 0;
  EXPECT_EQ(store.Exchange(asked)->levels[0], 60);
  EXPECT_NEAR(store.Exchange(used)->levels[0], -40, 1);
}

TEST_F(PostgresLimitsTest, AServerThatDiesIsDoneWithoutAndComesBack) {
  const auto one = NewProgram({.tokens_per_day = 1000});
  const auto other = NewProgram({.tokens_per_day = 1000});
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(one->shared.Exchange().ok());
    ASSERT_TRUE(other->shared.Exchange().ok());
  }
  // Of the other, the first knows when it tells next that it is there.
  for (int i = 0; i < 6000 && one->shared.counts().members < 2; ++i) {
    poll(nullptr, 0, 10);
    ASSERT_TRUE(one->shared.Exchange().ok());
  }
  ASSERT_TRUE(one->shared.Exchange().ok());
  server_->Kill();
  EXPECT_EQ(one->shared.Exchange().code(), StatusCode::kUnavailable);
  int64_t admitted = 0;
  for (const auto& program : {one.get(), other.get()}) {
    while (program->Tokens(1)) ++admitted;
  }
  EXPECT_GE(admitted, 1000);
  EXPECT_LE(admitted, 1001) << "each has given its half";
  server_->Restart();
  for (const auto& program : {one.get(), other.get()}) {
    for (int i = 0; i < 1000 && !program->shared.Exchange().ok(); ++i) continue;
    EXPECT_TRUE(program->shared.counts().up);
  }
  ASSERT_TRUE(one->shared.Exchange().ok());
  EXPECT_LE(one->key().Read(clock_.Now()).tokens->remaining, 1);
}

TEST_F(PostgresLimitsTest, WhatIsWrongInTheConfigurationIsTold) {
  url_ = server_->UrlOf("test1", "aio", "wr0ng");
  const Status refused = NewProgram({.tokens_per_day = 10})->shared.Start();
  EXPECT_EQ(refused.code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(refused.message(), HasSubstr("check user, password"));

  url_ = server_->NewDatabase();
  ASSERT_TRUE(NewProgram({})->shared.Start().ok());
  ASSERT_TRUE((*PostgresConnection::Open(url_))
                  ->RunScript("UPDATE aio_limits.version SET version = 4;")
                  .ok());
  EXPECT_THAT(NewProgram({})->shared.Start().message(),
              HasSubstr("schema 'aio_limits' is of version 4"));
}

}  // namespace
}  // namespace aio
