// Traces from the HTTP request to the collector: server, queue, router, export over a socket.
#include "app/serve_tracing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "app/tracing_test_setup.h"
#include "http/test_client.h"

namespace aio {
namespace {

using Json = nlohmann::json;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::UnorderedElementsAre;

constexpr char kTraceId[] = "0af7651916cd43dd8448eb211c80319c";
constexpr char kParentId[] = "b7ad6b7169203331";

std::string Traceparent(const std::string& flags) {
  return std::string("traceparent: 00-") + kTraceId + "-" + kParentId + "-" + flags + "\r\n";
}

std::string ChatBody(const std::string& members = "") {
  return R"({"model": "auto", "messages": [{"role": "user", "content": "my secret"}])" +
         (members.empty() ? "" : ", " + members) + "}";
}

class ServeTracingTest : public testing::Test {
 protected:
  void Start(const std::string& endpoint, double sample_ratio = 1) {
    TracingSettings settings;
    settings.endpoint = endpoint + "/v1/traces";
    settings.headers = {{"authorization", "Bearer token"}};
    settings.sample_ratio = sample_ratio;
    settings.service_name = "tested";
    auto logger = std::make_shared<spdlog::logger>(
        "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log_));
    tracing_ = StartTracing(settings, logger, clock_);
    serving_ = std::make_unique<TracedServing>(tracing_.get(), ServerOptions{},
                                               FakeBackend::Delivery::kThread);
  }

  TestClient::Response Post(const std::string& body, const std::string& headers = "",
                            const std::string& path = "/v1/chat/completions") {
    TestClient client(serving_->server->port());
    client.Request("POST", path, body, headers);
    return client.Read();
  }

  void End() {
    serving_->server->Drain(seconds(30));
    tracing_->Shutdown(seconds(30));
  }

  // All spans that `collector` got, in order.
  static std::vector<Json> SpansAt(const TestCollector& collector) {
    std::vector<Json> spans;
    for (const HttpRequest& request : collector.requests()) {
      const Json resource = Json::parse(request.body).at("resourceSpans").at(0);
      for (const Json& span : resource.at("scopeSpans").at(0).at("spans")) spans.push_back(span);
    }
    return spans;
  }

  static std::vector<std::string> Names(const std::vector<Json>& spans) {
    std::vector<std::string> names;
    for (const Json& span : spans) names.push_back(span.at("name"));
    return names;
  }

  static std::map<std::string, Json> Attributes(const Json& span) {
    std::map<std::string, Json> attributes;
    for (const Json& attribute : span.at("attributes")) {
      attributes[attribute.at("key")] = *attribute.at("value").begin();
    }
    return attributes;
  }

  static int64_t Time(const Json& span, const char* key) {
    return std::stoll(span.at(key).get<std::string>());
  }

  SystemClock clock_;
  std::ostringstream log_;
  std::unique_ptr<ServeTracing> tracing_;
  std::unique_ptr<TracedServing> serving_;  // ends first
};

TEST_F(ServeTracingTest, ARequestIsATreeAtTheCollector) {
  TestCollector collector;
  Start(collector.url());
  const int64_t before = std::chrono::system_clock::now().time_since_epoch().count();
  const auto response = Post(ChatBody(), Traceparent("01") + "tracestate: vendor=x\r\n");
  const int64_t after = std::chrono::system_clock::now().time_since_epoch().count();
  ASSERT_EQ(response.status, 200) << response.body;
  End();
  const std::vector<Json> spans = SpansAt(collector);
  ASSERT_THAT(Names(spans), ElementsAre("POST /v1/chat/completions", "queue", "probe", "decide",
                                        "queue", "prefill", "decode"));
  const Json& root = spans[0];
  EXPECT_EQ(root.at("parentSpanId"), kParentId);
  EXPECT_EQ(response.headers.Get("traceresponse"),
            std::string("00-") + kTraceId + "-" + root.at("spanId").get<std::string>() + "-01");
  EXPECT_GE(Time(root, "startTimeUnixNano"), before);
  EXPECT_LE(Time(root, "endTimeUnixNano"), after);
  std::set<std::string> ids;
  int64_t previous = 0;
  for (const Json& span : spans) {
    EXPECT_EQ(span.at("traceId"), kTraceId);
    EXPECT_EQ(span.at("traceState"), "vendor=x");
    ids.insert(span.at("spanId").get<std::string>());
    if (&span == &spans[0]) continue;
    EXPECT_EQ(span.at("parentSpanId"), root.at("spanId"));
    EXPECT_GE(Time(span, "startTimeUnixNano"), previous) << span;
    EXPECT_GE(Time(span, "endTimeUnixNano"), Time(span, "startTimeUnixNano"));
    EXPECT_LE(Time(span, "endTimeUnixNano"), Time(root, "endTimeUnixNano"));
    previous = Time(span, "startTimeUnixNano");
  }
  EXPECT_EQ(ids.size(), spans.size());
}

TEST_F(ServeTracingTest, SpansSayWhatWasDecidedAndNothingThatWasWritten) {
  TestCollector collector;
  Start(collector.url());
  Post(ChatBody(R"("max_tokens": 9, "seed": 3)"), "x-request-id: id-1\r\n");
  End();
  const std::vector<Json> spans = SpansAt(collector);
  ASSERT_FALSE(spans.empty());
  auto root = Attributes(spans[0]);
  EXPECT_EQ(root["gen_ai.operation.name"], "chat");
  EXPECT_EQ(root["gen_ai.request.model"], "auto");
  EXPECT_EQ(root["gen_ai.response.model"], "small");
  EXPECT_EQ(root["gen_ai.usage.output_tokens"], "3");
  EXPECT_EQ(root["gen_ai.request.seed"], "3");
  EXPECT_EQ(root["aio.intent"], "code");
  EXPECT_EQ(root["aio.arm"], "small");
  EXPECT_EQ(root["aio.request_id"], "id-1");
  EXPECT_GT(root["aio.entropy"].get<double>(), 0);
  EXPECT_THAT(root["aio.reason"].get<std::string>(), HasSubstr("code"));
  EXPECT_EQ(Attributes(spans[2])["aio.weight_bytes_read"], "1000");
  for (const HttpRequest& request : collector.requests()) {
    EXPECT_EQ(request.path, "/v1/traces");
    EXPECT_EQ(request.headers.Get("content-type"), "application/json");
    EXPECT_EQ(request.headers.Get("authorization"), "Bearer token");
    EXPECT_THAT(request.body,
                HasSubstr(R"({"key":"service.name","value":{"stringValue":"tested"}})"));
    EXPECT_THAT(request.body, Not(HasSubstr("secret")));
    EXPECT_THAT(request.body, Not(HasSubstr("Hello"))) << "nor the answer";
  }
}

TEST_F(ServeTracingTest, EachChoiceOfAnAnswerIsShown) {
  TestCollector collector;
  Start(collector.url());
  ASSERT_EQ(Post(ChatBody(R"("n": 2, "temperature": 0.7)")).status, 200);
  End();
  std::vector<Json> choices;
  for (const Json& span : SpansAt(collector)) {
    if (span.at("name") == "decode") choices.push_back(Attributes(span)["aio.choice"]);
  }
  EXPECT_THAT(choices, UnorderedElementsAre(Json(), Json("1")));
  EXPECT_EQ(Attributes(SpansAt(collector)[0])["gen_ai.request.choice.count"], "2");
}

TEST_F(ServeTracingTest, WhoAsksForNoTraceHasNone) {
  TestCollector collector;
  Start(collector.url());
  const auto response = Post(ChatBody(), Traceparent("00"));
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(std::string(response.headers.Get("traceresponse")),
              testing::MatchesRegex(std::string("00-") + kTraceId + "-[0-9a-f]{16}-00"));
  End();
  EXPECT_TRUE(collector.requests().empty());
}

TEST_F(ServeTracingTest, AMalformedParentBeginsATraceOfItsOwn) {
  TestCollector collector;
  Start(collector.url());
  Post(ChatBody(), "traceparent: 00-zz\r\n");
  Post(ChatBody(), Traceparent("01") + Traceparent("01"));
  End();
  int roots = 0;
  for (const Json& span : SpansAt(collector)) {
    EXPECT_NE(span.at("traceId"), kTraceId);
    roots += span.contains("parentSpanId") ? 0 : 1;
  }
  EXPECT_EQ(roots, 2);
}

TEST_F(ServeTracingTest, RequestsThatAskForNoWorkAreNotTraced) {
  TestCollector collector;
  Start(collector.url());
  TestClient client(serving_->server->port());
  client.Request("GET", "/health", "", Traceparent("01"));
  EXPECT_EQ(client.Read().headers.Get("traceresponse"), "");
  End();
  EXPECT_TRUE(collector.requests().empty());
}

TEST_F(ServeTracingTest, RefusedRequestsAndDryRunsAreTracedToo) {
  TestCollector collector;
  Start(collector.url());
  EXPECT_EQ(Post("{}").status, 400);
  EXPECT_EQ(Post(ChatBody(), "", "/v1/decision").status, 200);
  End();
  const std::vector<Json> spans = SpansAt(collector);
  ASSERT_THAT(Names(spans), ElementsAre("POST /v1/chat/completions", "POST /v1/decision", "queue",
                                        "probe", "decide"));
  EXPECT_EQ(Attributes(spans[0])["http.response.status_code"], "400");
  EXPECT_EQ(spans[0].at("status"), Json::object()) << "the client's own fault is no error here";
  EXPECT_EQ(Attributes(spans[4])["aio.intent"], "code");
}

TEST_F(ServeTracingTest, ABusyCollectorGetsThemLater) {
  TestCollector collector({503, 200});
  Start(collector.url());
  Post(ChatBody());
  End();
  ASSERT_EQ(collector.requests().size(), 2u);
  EXPECT_EQ(collector.requests()[0].body, collector.requests()[1].body);
  EXPECT_EQ(tracing_->counts().exported, 1);
}

TEST_F(ServeTracingTest, ACollectorThatIsGoneCostsNoRequest) {
  std::string url;
  {
    const TestCollector gone;
    url = gone.url();
  }
  Start(url);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Post(ChatBody()).status, 200);
  serving_->server->Drain(seconds(30));
  tracing_->Shutdown(std::chrono::milliseconds(100));
  EXPECT_EQ(tracing_->counts().dropped, 20);
  EXPECT_THAT(serving_->server->Metrics(), HasSubstr("aio_traces_dropped_total 20"));
  EXPECT_THAT(log_.str(), HasSubstr("traces do not reach the collector"));
}

}  // namespace
}  // namespace aio
