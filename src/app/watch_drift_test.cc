// Drift as an operator sees it: the log and the metrics.
#include "app/watch_drift.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include <sstream>

#include "backend/testing/fake_backend.h"

namespace aio {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kPolicy[] = R"(
version = 1
name = "p"
probe_prompt_tokens_max = 100
rule = [{ name = "all", role = "large", strategy = "plain" }]
[drift]
label_shares = { code = 0.5, qa = 0.5 }
window = 30
)";

class WatchDriftTest : public testing::Test {
 protected:
  std::unique_ptr<Router> MakeRouter(const RoutingPolicy& policy) {
    RouterOptions options;
    options.small = {.backend = &backend_, .model = "small"};
    options.large = {.backend = &backend_, .model = "large"};
    options.labels = {
        .prefix = "", .suffix = "?", .labels = {{"code", "c"}, {"qa", "q"}, {"math", "m"}}};
    options.policy = policy;
    options.on_drift = WarnOfDrift(std::make_shared<spdlog::logger>(
        "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log_)));
    return Router::Create(std::move(options), clock_).value();
  }

  void Ask(Router& router, int requests, std::vector<float> logits) {
    backend_.Update("small", [&](FakeModel& model) {
      model.logits = [logits](const Request&, const LabelQuery&) { return logits; };
    });
    for (int i = 0; i < requests; ++i) {
      Request request;
      request.model = "auto";
      request.prompt = std::string("hello");
      ASSERT_TRUE(router.Generate(request, std::make_shared<RecordingSink>()).ok());
    }
  }

  FakeBackend backend_{{FakeModel::Named("small", "small"), FakeModel::Named("large", "large")}};
  ManualClock clock_;
  std::ostringstream log_;
};

TEST_F(WatchDriftTest, WarnsAndMarksTheMetrics) {
  const auto router = MakeRouter(RoutingPolicy::FromToml(kPolicy, "p.toml").value());
  ServerOptions options;
  ConnectDrift(*router, options);
  const auto server = Server::Create(*router, options, clock_).value();
  EXPECT_THAT(server->Metrics(), HasSubstr("\naio_drift 0"));
  Ask(*router, 30, {9, 0, 0});
  EXPECT_THAT(server->Metrics(), HasSubstr("\naio_drift 1"));
  EXPECT_THAT(server->Metrics(), HasSubstr("\naio_drift_drifted_windows_total 1"));
  EXPECT_THAT(log_.str(), HasSubstr("calibrated on: code 100 %, was 50 %"));
  Ask(*router, 15, {9, 0, 0});
  Ask(*router, 15, {0, 9, 0});
  EXPECT_THAT(server->Metrics(), HasSubstr("\naio_drift 0"));
  EXPECT_THAT(log_.str(), HasSubstr("again like those"));
}

TEST_F(WatchDriftTest, IsSilentAboutPoliciesThatDoNotWatch) {
  const auto router = MakeRouter(RoutingPolicy::Paper());
  ServerOptions options;
  ConnectDrift(*router, options);
  EXPECT_THAT(Server::Create(*router, options, clock_).value()->Metrics(),
              Not(HasSubstr("aio_drift")));
}

}  // namespace
}  // namespace aio
