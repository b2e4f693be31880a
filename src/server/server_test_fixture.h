// What the tests of server/ share: a server over a scripted backend on a free port.
#ifndef AIO_SERVER_SERVER_TEST_FIXTURE_H_
#define AIO_SERVER_SERVER_TEST_FIXTURE_H_

#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "backend/testing/fake_backend.h"
#include "http/test_client.h"
#include "server/server.h"
#include "telemetry/json_log.h"

namespace aio {

using Json = nlohmann::json;

inline Decision CodeDecision() {
  Decision decision;
  decision.model = "pocket-small";
  decision.role = "small";
  decision.strategy = {.kind = StrategyKind::kPromptLookup};
  decision.reason = "code, entropy 0.03 \xE2\x89\xA4 0.45\r\nx-evil: 1";
  decision.rule = "small-code";
  decision.probed = true;
  decision.intent = "code";
  decision.probabilities = {{"code", 0.75}, {"qa", 0.25}};
  decision.entropy = 0.5;
  decision.prompt_tokens = 2;
  decision.probe_ms = 1.5;
  return decision;
}

inline std::string ChatBody(const std::string& members = "", const std::string& text = "Hi there",
                            const std::string& model = "auto") {
  return R"({"model": ")" + model + R"(", "messages": [{"role": "user", "content": ")" + text +
         R"("}])" + (members.empty() ? "" : ", " + members) + "}";
}

class ServerTest : public testing::Test {
 protected:
  // "auto" routes, "pocket-small" is asked for by name.
  void Start(ServerOptions options = {},
             FakeBackend::Delivery delivery = FakeBackend::Delivery::kThread) {
    FakeModel routed = FakeModel::Named("auto", "router");
    routed.decision = CodeDecision();
    backend_ = std::make_unique<FakeBackend>(
        std::vector<FakeModel>{routed, FakeModel::Named("pocket-small", "small")}, delivery);
    options.port = 0;
    const bool logs_json = options.log_format == LogFormat::kJson;
    if (logs_json) sink_->set_formatter(MakeJsonLogFormatter());
    options.logger =
        std::make_shared<spdlog::logger>(logs_json ? std::string(kMembersLogger) : "test", sink_);
    Result<std::unique_ptr<Server>> server = Server::Create(*backend_, options, clock_);
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    server_ = std::move(*server);
    const Status status = server_->Start();
    ASSERT_TRUE(status.ok()) << status.ToString();
  }

  int port() const { return server_->port(); }

  TestClient::Response Post(const std::string& path, const std::string& body,
                            const std::string& headers = "") {
    TestClient client(port());
    client.Request("POST", path, body, headers);
    return client.Read();
  }

  TestClient::Response Get(const std::string& path, const std::string& headers = "") {
    TestClient client(port());
    client.Request("GET", path, "", headers);
    return client.Read();
  }

  // Expects an OpenAI error object with these values; `param` "" stands for null.
  void ExpectError(const TestClient::Response& response, int status, const std::string& type,
                   const std::string& param) {
    EXPECT_EQ(response.status, status) << response.body;
    EXPECT_EQ(response.headers.Get("content-type"), "application/json");
    const Json json = Json::parse(response.body, nullptr, false);
    ASSERT_TRUE(json.contains("error")) << response.body;
    const Json& error = json["error"];
    EXPECT_EQ(error.at("type"), type);
    EXPECT_EQ(error.at("param"), param.empty() ? Json(nullptr) : Json(param));
    EXPECT_TRUE(error.contains("code"));
    EXPECT_FALSE(error.at("message").get<std::string>().empty());
  }

  void ExpectServes() {
    const TestClient::Response response = Post("/v1/chat/completions", ChatBody());
    EXPECT_EQ(response.status, 200) << response.body;
  }

  // The data of a stream's events, the final [DONE] included.
  static std::vector<std::string> Events(const std::string& body) {
    std::vector<std::string> events;
    size_t at = 0;
    while (at < body.size()) {
      const size_t end = body.find("\n\n", at);
      EXPECT_NE(end, std::string::npos);
      if (end == std::string::npos) break;
      EXPECT_EQ(body.substr(at, 6), "data: ");
      events.push_back(body.substr(at + 6, end - at - 6));
      at = end + 2;
    }
    return events;
  }

  // The line of a metric, such as `aio_requests_total{code="200",...}`; its value.
  static std::string MetricValue(const std::string& text, const std::string& line) {
    const size_t at = text.find("\n" + line + " ");
    if (at == std::string::npos) return "(none)";
    const size_t start = at + line.size() + 2;
    return text.substr(start, text.find('\n', start) - start);
  }

  // Waits for something that another thread is about to bring about.
  template <typename Condition>
  static bool Eventually(const Condition& condition) {
    const auto deadline = std::chrono::steady_clock::now() + TestClient::kPatience;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::yield();
    }
    return true;
  }

  ManualClock clock_;
  std::ostringstream log_;  // to be read once the server has stopped
  std::shared_ptr<spdlog::sinks::ostream_sink_mt> sink_ =
      std::make_shared<spdlog::sinks::ostream_sink_mt>(log_);
  std::unique_ptr<FakeBackend> backend_;
  std::unique_ptr<Server> server_;
};

}  // namespace aio

#endif  // AIO_SERVER_SERVER_TEST_FIXTURE_H_
