// What the log and the headers say of a request and its trace.
#include <gmock/gmock.h>

#include "server/server_test_fixture.h"
#include "telemetry/tracer.h"

namespace aio {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kParent[] =
    "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n";
constexpr char kTraceId[] = "0af7651916cd43dd8448eb211c80319c";

class KeptTraces final : public TraceSink {
 public:
  void Add(std::unique_ptr<const RequestRecord> record) override {
    const std::lock_guard lock(mutex_);
    records_.push_back(std::move(record));
  }
  size_t size() const {
    const std::lock_guard lock(mutex_);
    return records_.size();
  }
  // Once the server has stopped.
  const RequestRecord& at(size_t i) const { return *records_.at(i); }

 private:
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<const RequestRecord>> records_;  // guarded by mutex_
};

class ServerTraceTest : public ServerTest {
 protected:
  static ServerOptions JsonLog() {
    ServerOptions options;
    options.log_format = LogFormat::kJson;
    return options;
  }
  ServerOptions Traced() {
    ServerOptions options;
    options.tracer = std::make_shared<Tracer>(
        1, clock_, [] { return int64_t{1'796'000'000'000'000'000}; }, traces_);
    return options;
  }

  // The log's objects, once the server has stopped.
  std::vector<Json> LogLines() {
    server_->Stop();
    std::vector<Json> lines;
    std::istringstream log(log_.str());
    for (std::string line; std::getline(log, line);) lines.push_back(Json::parse(line));
    return lines;
  }

  KeptTraces traces_;
};

TEST_F(ServerTraceTest, TheJsonLogHasAnObjectARequest) {
  Start(JsonLog());
  Post("/v1/chat/completions", ChatBody("", "my secret"),
       std::string("X-Request-Id: id-1\r\n") + kParent);
  const std::vector<Json> lines = LogLines();
  ASSERT_EQ(lines.size(), 1u);
  const Json& line = lines[0];
  EXPECT_EQ(line.at("level"), "info");
  EXPECT_EQ(line.at("message"), "request");
  EXPECT_EQ(line.at("request_id"), "id-1");
  EXPECT_EQ(line.at("trace_id"), kTraceId) << "though the server itself traces nothing";
  EXPECT_EQ(line.at("method"), "POST");
  EXPECT_EQ(line.at("path"), "/v1/chat/completions");
  EXPECT_EQ(line.at("route"), "/v1/chat/completions");
  EXPECT_EQ(line.at("status"), 200);
  EXPECT_EQ(line.at("duration_ms"), 0);
  EXPECT_EQ(line.at("requested_model"), "auto");
  EXPECT_EQ(line.at("model"), "auto");
  EXPECT_EQ(line.at("role"), "small");
  EXPECT_EQ(line.at("strategy"), "prompt_lookup");
  EXPECT_EQ(line.at("rule"), "small-code");
  EXPECT_EQ(line.at("reason"), CodeDecision().reason) << "whatever bytes are in it";
  EXPECT_EQ(line.at("intent"), "code");
  EXPECT_EQ(line.at("entropy"), 0.5);
  EXPECT_EQ(line.at("prompt_tokens"), 2);
  EXPECT_EQ(line.at("completion_tokens"), 3);
  EXPECT_EQ(line.at("finish_reason"), "stop");
  EXPECT_EQ(line.at("first_token_ms"), 0);
  EXPECT_EQ(line.at("queue_ms"), 0);
  EXPECT_THAT(log_.str(), Not(HasSubstr("secret")));
  EXPECT_THAT(log_.str(), Not(HasSubstr("Hello")));
}

TEST_F(ServerTraceTest, FailuresAndRefusalsAreObjectsToo) {
  Start(JsonLog());
  backend_->Update(
      "auto", [](FakeModel& model) { model.generate_refusal = Internal("boom \"quoted\"\n"); });
  Post("/v1/chat/completions", ChatBody());
  Get("/no\"where");
  {
    TestClient client(port());
    client.Send("no HTTP\r\n\r\n");
    client.Read();
  }
  const std::vector<Json> lines = LogLines();
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0].at("level"), "warning");
  EXPECT_EQ(lines[0].at("message"), "request failed");
  EXPECT_EQ(lines[0].at("error"), "internal");
  EXPECT_THAT(lines[0].at("reason").get<std::string>(), HasSubstr("boom \"quoted\""));
  EXPECT_EQ(lines[1].at("status"), 500);
  EXPECT_EQ(lines[1].at("error"), "internal");
  EXPECT_EQ(lines[1].at("request_id"), lines[0].at("request_id"));
  EXPECT_EQ(lines[2].at("path"), "/no\"where");
  EXPECT_EQ(lines[2].at("route"), "other");
  EXPECT_EQ(lines[3].at("message"), "refused");
  EXPECT_EQ(lines[3].at("status"), 400);
  EXPECT_TRUE(lines[3].contains("remote"));
}

TEST_F(ServerTraceTest, TheTextLogNamesTheTrace) {
  Start();
  Post("/v1/chat/completions", ChatBody(), std::string("X-Request-Id: id-1\r\n") + kParent);
  server_->Stop();
  EXPECT_THAT(log_.str(), HasSubstr(std::string("id=id-1 trace=") + kTraceId));
}

TEST_F(ServerTraceTest, TheResponseNamesTheTraceThatItIsPartOf) {
  Start(Traced());
  const auto plain = Post("/v1/chat/completions", ChatBody(), kParent);
  const auto stream = Post("/v1/chat/completions", ChatBody(R"("stream": true)"), kParent);
  const auto refused = Post("/v1/chat/completions", "{}", kParent);
  for (const auto& response : {plain, stream, refused}) {
    EXPECT_THAT(std::string(response.headers.Get("traceresponse")),
                HasSubstr(std::string("00-") + kTraceId + "-"));
  }
  server_->Stop();
  ASSERT_EQ(traces_.size(), 3u);
  EXPECT_EQ(traces_.at(0).facts.status, 200);
  EXPECT_EQ(traces_.at(0).facts.question.operation, "chat");
  EXPECT_TRUE(traces_.at(1).facts.question.stream);
  EXPECT_EQ(traces_.at(1).facts.completion_tokens, 3);
  EXPECT_EQ(traces_.at(2).facts.status, 400);
  EXPECT_FALSE(traces_.at(2).asked) << "the backend never heard of it";
}

TEST_F(ServerTraceTest, AClientThatLeavesEndsItsTrace) {
  Start(Traced(), FakeBackend::Delivery::kManual);
  {
    TestClient client(port());
    client.Request("POST", "/v1/chat/completions", ChatBody(R"("stream": true)"));
    ASSERT_TRUE(Eventually([&] { return backend_->pending() > 0; }));
  }
  ASSERT_TRUE(Eventually([&] { return backend_->cancel_calls() > 0; }));
  backend_->DeliverAll();
  ASSERT_EQ(traces_.size(), 1u);
  server_->Stop();
  EXPECT_EQ(traces_.at(0).facts.status, 499);
}

TEST_F(ServerTraceTest, EveryProtocolIsTracedByItsOperation) {
  Start(Traced());
  Post("/v1/completions", R"({"model": "auto", "prompt": "Hi"})");
  Post("/v1/messages",
       R"({"model": "auto", "max_tokens": 4, "messages": [{"role": "user", "content": "Hi"}]})");
  Post("/v1/responses", R"({"model": "auto", "input": "Hi"})");
  Post("/v1/embeddings", R"({"model": "pocket-small", "input": "Hi"})");
  server_->Stop();
  ASSERT_EQ(traces_.size(), 4u);
  const char* operations[] = {"text_completion", "chat", "chat", "embeddings"};
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(traces_.at(i).facts.question.operation, operations[i]);
    EXPECT_EQ(traces_.at(i).facts.status, 200);
  }
}

}  // namespace
}  // namespace aio
