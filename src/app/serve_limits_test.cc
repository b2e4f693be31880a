// Two servers, one database: a key's limit is kept by both together, as its clients see it.
#include "app/serve_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include <sstream>

#include "app/config_access.h"
#include "backend/testing/fake_backend.h"
#include "http/test_client.h"
#include "postgres/testing/postgres_server.h"

namespace aio {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ServeLimitsTest : public testing::Test {
 protected:
  static constexpr int kLimit = 200;

  static void SetUpTestSuite() { database_ = PostgresServer::Start(); }
  static void TearDownTestSuite() { database_.reset(); }
  void SetUp() override {
    if (database_ == nullptr) GTEST_SKIP() << PostgresServer::kNotInstalled;
    ApiKey key;
    key.name = "alice";
    key.hash = HashSecret("secret");
    key.limits.tokens_per_day = kLimit;  // no time that a test takes refills it
    config_.keys = {key};
    config_.keys_file = "keys.toml";
    config_.limits_url = database_->NewDatabase();
  }

  struct Served {
    std::unique_ptr<SharedLimits> limits;
    std::unique_ptr<Server> server;
  };
  Served Serve() {
    Served served;
    const auto access = std::make_shared<AccessControl>(AllKeys(config_), true, clock_.Now());
    auto limits = ShareLimits(config_, access, logger_, clock_);
    EXPECT_TRUE(limits.ok()) << limits.status().ToString();
    if (!limits.ok()) return served;
    served.limits = *std::move(limits);
    ServerOptions options;
    options.port = 0;
    options.access = access;
    ConnectLimits(*served.limits, options);
    served.server = *Server::Create(backend_, options, clock_);
    EXPECT_TRUE(served.server->Start().ok());
    return served;
  }

  static TestClient::Response Ask(const Served& served) {
    TestClient client(served.server->port());
    client.Request("POST", "/v1/completions",
                   R"({"model": "pocket-small", "prompt": "Hi", "max_tokens": 3})",
                   "Authorization: Bearer secret\r\n");
    return client.Read();
  }

  // Until it refuses, with the whole limit for itself.
  int64_t AnswersOfOneAlone() {
    config_.limits_url.clear();
    ServerOptions options;
    options.port = 0;
    options.access = std::make_shared<AccessControl>(AllKeys(config_), true, clock_.Now());
    Served alone = {.limits = nullptr, .server = *Server::Create(backend_, options, clock_)};
    EXPECT_TRUE(alone.server->Start().ok());
    int64_t answers = 0;
    while (Ask(alone).status == 200) ++answers;
    return answers;
  }

  static inline std::unique_ptr<PostgresServer> database_;
  std::ostringstream log_;
  std::shared_ptr<spdlog::logger> logger_ = std::make_shared<spdlog::logger>(
      "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log_));
  AppConfig config_;
  ManualClock clock_;  // no refill, whatever the tests take
  FakeBackend backend_{{FakeModel::Named("pocket-small", "small")}, FakeBackend::Delivery::kThread};
};

TEST_F(ServeLimitsTest, TwoServersKeepOneLimit) {
  Served one = Serve();
  Served other = Serve();
  // The first learns of the second within a second or so.
  for (int i = 0; i < 6000 && one.limits->counts().members < 2; ++i) poll(nullptr, 0, 10);
  EXPECT_THAT(one.server->Metrics(), HasSubstr("\naio_shared_limits_members 2"));
  EXPECT_THAT(one.server->Metrics(), HasSubstr("\naio_shared_limits_up 1"));
  EXPECT_EQ(Ask(one).headers.Get("x-ratelimit-limit-tokens"), "200");
  // As much as comes to an end, whichever of them is asked.
  int64_t used = 0;
  for (int refused = 0; refused < 20;) {
    for (const Served* served : {&one, &other}) {
      const auto answer = Ask(*served);
      refused = answer.status == 200 ? 0 : refused + 1;
      if (answer.status == 200) {
        ++used;
      } else {
        EXPECT_EQ(answer.status, 429);
        EXPECT_EQ(answer.headers.Get("x-ratelimit-limit-tokens"), "200");
      }
    }
  }
  const int64_t alone = AnswersOfOneAlone();
  EXPECT_GE(used, alone * 8 / 10);
  EXPECT_LE(used, alone * 3 / 2 + 1) << "the documented bound; without each other it is twice";
}

TEST_F(ServeLimitsTest, ADatabaseThatDiesIsDoneWithout) {
  const Served served = Serve();
  database_->Kill();
  for (int i = 0; i < 6000 && served.limits->counts().up; ++i) poll(nullptr, 0, 10);
  EXPECT_THAT(served.server->Metrics(), HasSubstr("\naio_shared_limits_up 0"));
  EXPECT_EQ(Ask(served).status, 200);
  database_->Restart();
  for (int i = 0; i < 6000 && !served.limits->counts().up; ++i) poll(nullptr, 0, 10);
  EXPECT_THAT(served.server->Metrics(), HasSubstr("\naio_shared_limits_up 1"));
}

TEST_F(ServeLimitsTest, AnAwayDatabaseIsLoggedAndAWrongOneRefused) {
  config_.limits_url = "postgresql://aio:s3cret@/log?host=/nowhere";
  const Served served = Serve();
  EXPECT_EQ(Ask(served).status, 200);
  EXPECT_THAT(log_.str(), HasSubstr("this server keeps to its share"));
  EXPECT_THAT(log_.str(), Not(HasSubstr("s3cret")));

  config_.limits_url = database_->UrlOf("test1", "aio", "wr0ng");
  const auto access = std::make_shared<AccessControl>(AllKeys(config_), true, clock_.Now());
  EXPECT_THAT(ShareLimits(config_, access, logger_, clock_).status().message(),
              HasSubstr("server.limits_url_env: postgresql://aio@/test1"));
}

}  // namespace
}  // namespace aio
