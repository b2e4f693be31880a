// The whole way: HTTP, router, decision log, feedback, metrics.
#include "app/log_decisions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/null_sink.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "backend/testing/fake_backend.h"
#include "decisions/log_reader.h"
#include "http/test_client.h"
#include "router/router.h"

namespace aio {
namespace {

using ::testing::HasSubstr;

class LogDecisionsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "aio-serve-log-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    config_.decision_log.path = folder_ + "/decisions.db";
    config_.policy = RoutingPolicy::Paper();
    auto log = LogDecisions(config_, logger_, clock_);
    ASSERT_TRUE(log.ok()) << log.status().ToString();
    log_ = *std::move(log);
    RouterOptions routing;
    routing.small = {.backend = &backend_, .model = "pocket-small"};
    routing.large = {.backend = &backend_, .model = "pocket-large"};
    routing.labels = {
        .prefix = "", .suffix = "?", .labels = {{"code", "code"}, {"qa", "qa"}, {"math", "math"}}};
    routing.policy = config_.policy;
    routing.observer = log_.get();
    auto router = Router::Create(std::move(routing), clock_);
    ASSERT_TRUE(router.ok()) << router.status().ToString();
    router_ = *std::move(router);
    ServerOptions options;
    options.port = 0;
    ConnectLog(*log_, options);
    server_ = *Server::Create(*router_, options, clock_);
    ASSERT_TRUE(server_->Start().ok());
  }
  void TearDown() override {
    server_.reset();
    log_.reset();
    std::filesystem::remove_all(folder_);
  }

  TestClient::Response Post(const std::string& path, const std::string& body,
                            const std::string& headers = "") {
    TestClient client(server_->port());
    client.Request("POST", path, body, headers);
    return client.Read();
  }

  std::string folder_;
  AppConfig config_;
  SystemClock clock_;
  std::shared_ptr<spdlog::logger> logger_ =
      std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::null_sink_mt>());
  FakeBackend backend_{
      {FakeModel::Named("pocket-small", "small"), FakeModel::Named("pocket-large", "large")},
      FakeBackend::Delivery::kThread};
  std::unique_ptr<DecisionLog> log_;
  std::unique_ptr<Router> router_;
  std::unique_ptr<Server> server_;
};

TEST_F(LogDecisionsTest, AnAnswerIsLoggedAndCanBeJudged) {
  const auto answer = Post("/v1/chat/completions",
                           R"({"model": "auto", "messages": [{"role": "user", "content": "Hi"}]})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  const std::string id(answer.headers.Get("x-request-id"));

  const auto judged = Post("/v1/feedback", R"({"id": ")" + id + R"(", "score": 1})");
  EXPECT_EQ(judged.status, 200) << judged.body;
  EXPECT_THAT(judged.body, HasSubstr(id));
  const auto unknown = Post("/v1/feedback", R"({"id": "nobody", "score": 1})");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_THAT(unknown.body, HasSubstr(R"("param":"id")"));
  const auto wrong = Post("/v1/feedback", R"({"id": ")" + id + R"(", "score": 3})");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_THAT(wrong.body, HasSubstr(R"("param":"score")"));

  const std::string metrics = server_->Metrics();
  EXPECT_THAT(metrics, HasSubstr("\naio_decision_log_rows_total 1"));
  EXPECT_THAT(metrics, HasSubstr("\naio_decision_log_dropped_total 0"));
  EXPECT_THAT(metrics, HasSubstr("\naio_decision_log_errors_total 0"));
  EXPECT_THAT(metrics, HasSubstr("# TYPE aio_decision_log_rows_total counter"));

  ASSERT_TRUE(log_->Flush().ok());
  std::vector<LoggedRequest> requests;
  auto reader = LogReader::Open(config_.decision_log.path);
  ASSERT_TRUE(reader.ok()) << reader.status().ToString();
  ASSERT_TRUE(reader->ReadAll([&](LoggedRequest r) { requests.push_back(std::move(r)); }).ok());
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0].request_id, id);
  EXPECT_EQ(requests[0].score, 1);
  EXPECT_EQ(requests[0].outcome->finish, "stop");
  EXPECT_EQ(requests[0].outcome->completion_tokens, 3);
  EXPECT_EQ(requests[0].prompt, "") << "the text is not kept unasked";
  EXPECT_EQ(reader->ReadPolicies().count(config_.policy.hash()), 1u);
}

}  // namespace
}  // namespace aio
