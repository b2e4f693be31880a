// The OpenAI API over real sockets, as a well-behaved client sees it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "server/server_test_fixture.h"

namespace aio {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using Response = TestClient::Response;

TEST_F(ServerTest, ChatCompletion) {
  Start();
  const Response response = Post("/v1/chat/completions", ChatBody());
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.Get("content-type"), "application/json");
  const Json json = Json::parse(response.body);
  EXPECT_THAT(json["id"].get<std::string>(), StartsWith("chatcmpl-"));
  EXPECT_EQ(json["object"], "chat.completion");
  EXPECT_EQ(json["model"], "auto");  // the fake's StartEvent names the model asked for
  EXPECT_EQ(json["choices"][0]["message"]["content"], "Hello world");
  EXPECT_EQ(json["choices"][0]["finish_reason"], "stop");
  EXPECT_EQ(json["usage"]["prompt_tokens"], 2);
  EXPECT_EQ(json["usage"]["completion_tokens"], 3);
  EXPECT_EQ(json["aio"]["intent"], "code");
  EXPECT_EQ(json["aio"]["strategy"], "prompt_lookup");
}

TEST_F(ServerTest, DecisionHeadersAreAlwaysSent) {
  Start();
  for (const char* members : {"", R"("stream": true)"}) {
    const Response response = Post("/v1/chat/completions", ChatBody(members));
    EXPECT_EQ(response.headers.Get("x-aio-model"), "auto");
    EXPECT_EQ(response.headers.Get("x-aio-intent"), "code");
    EXPECT_EQ(response.headers.Get("x-aio-entropy"), "0.5000");
    EXPECT_EQ(response.headers.Get("x-aio-strategy"), "prompt_lookup");
    EXPECT_EQ(response.headers.Get("x-aio-reason"), "code, entropy 0.03 ? 0.45??x-evil: 1");
    EXPECT_FALSE(response.headers.Has("x-evil"));
  }
  const Response plain = Post("/v1/chat/completions", ChatBody("", "Hi", "pocket-small"));
  EXPECT_EQ(plain.headers.Get("x-aio-model"), "pocket-small");
  EXPECT_FALSE(plain.headers.Has("x-aio-intent"));
  EXPECT_FALSE(Json::parse(plain.body)["aio"].contains("intent"));
}

TEST_F(ServerTest, RequestIds) {
  Start();
  EXPECT_EQ(Post("/v1/chat/completions", ChatBody(), "X-Request-Id: mine-1\r\n")
                .headers.Get("x-request-id"),
            "mine-1");
  EXPECT_EQ(backend_->generations()[0].request.id, "mine-1");
  EXPECT_EQ(Get("/health", "X-Request-Id: not sane\r\n").headers.Get("x-request-id").size(), 32u);
  EXPECT_EQ(Post("/v1/completions", "{}").headers.Get("x-request-id").size(), 32u);
}

TEST_F(ServerTest, SessionsComeFromTheHeaders) {
  Start();
  Post("/v1/chat/completions", ChatBody());
  Post("/v1/chat/completions", ChatBody(), "X-Session-Id: s 1\r\n");
  Post("/v1/chat/completions", ChatBody(), "x-conversation-id: c1\r\n");
  const std::vector<FakeCall> calls = backend_->generations();
  ASSERT_EQ(calls.size(), 3u);
  EXPECT_EQ(calls[0].request.session, "");
  EXPECT_EQ(calls[1].request.session, "s 1");
  EXPECT_EQ(calls[2].request.session, "c1");
}

TEST_F(ServerTest, ChatStream) {
  Start();
  const Response response = Post("/v1/chat/completions", ChatBody(R"("stream": true)"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.Get("content-type"), "text/event-stream; charset=utf-8");
  EXPECT_EQ(response.headers.Get("cache-control"), "no-cache");
  EXPECT_EQ(response.headers.Get("x-accel-buffering"), "no");
  EXPECT_TRUE(response.headers.Has("x-request-id"));
  EXPECT_TRUE(response.complete);
  const std::vector<std::string> events = Events(response.body);
  ASSERT_EQ(events.size(), 6u);  // role, three tokens, finish, [DONE]
  const Json first = Json::parse(events[0]);
  EXPECT_EQ(first["choices"][0]["delta"]["role"], "assistant");
  EXPECT_EQ(first["aio"]["rule"], "small-code");
  std::string text;
  for (int i = 1; i < 4; ++i) {
    const Json chunk = Json::parse(events[i]);
    EXPECT_EQ(chunk["id"], first["id"]);
    text += chunk["choices"][0]["delta"]["content"].get<std::string>();
  }
  EXPECT_EQ(text, "Hello world");
  const Json last = Json::parse(events[4]);
  EXPECT_EQ(last["choices"][0]["finish_reason"], "stop");
  EXPECT_TRUE(last.contains("aio"));
  EXPECT_TRUE(last.contains("timings"));
  EXPECT_EQ(events[5], "[DONE]");
}

TEST_F(ServerTest, StreamWithUsage) {
  Start();
  const Response response =
      Post("/v1/chat/completions",
           ChatBody(R"("stream": true, "stream_options": {"include_usage": true})"));
  const std::vector<std::string> events = Events(response.body);
  ASSERT_EQ(events.size(), 7u);
  const Json usage = Json::parse(events[5]);
  EXPECT_EQ(usage["choices"], Json::array());
  EXPECT_EQ(usage["usage"]["total_tokens"], 5);
  EXPECT_TRUE(usage.contains("aio"));
}

TEST_F(ServerTest, Completions) {
  Start();
  const Response response =
      Post("/v1/completions", R"({"model": "pocket-small", "prompt": "x y z", "logprobs": 2})");
  const Json json = Json::parse(response.body);
  EXPECT_THAT(json["id"].get<std::string>(), StartsWith("cmpl-"));
  EXPECT_EQ(json["object"], "text_completion");
  EXPECT_EQ(json["model"], "pocket-small");
  EXPECT_EQ(json["choices"][0]["text"], "Hello world");
  EXPECT_EQ(json["choices"][0]["logprobs"]["tokens"].size(), 3u);
  EXPECT_EQ(json["choices"][0]["logprobs"]["text_offset"], Json::parse("[0, 5, 6]"));
  EXPECT_EQ(backend_->generations()[0].request.sampling.max_tokens, 16);
}

TEST_F(ServerTest, CompletionStream) {
  Start();
  const Response response =
      Post("/v1/completions",
           R"({"model": "pocket-small", "prompt": [1, 2], "stream": true, "max_tokens": 2})");
  const std::vector<std::string> events = Events(response.body);
  ASSERT_EQ(events.size(), 5u);
  EXPECT_EQ(Json::parse(events[1])["choices"][0]["text"], "Hello");
  EXPECT_EQ(Json::parse(events[3])["choices"][0]["finish_reason"], "length");
}

TEST_F(ServerTest, ChatLogprobs) {
  Start();
  const Response response =
      Post("/v1/chat/completions", ChatBody(R"("logprobs": true, "top_logprobs": 2)"));
  const Json content = Json::parse(response.body)["choices"][0]["logprobs"]["content"];
  ASSERT_EQ(content.size(), 3u);
  EXPECT_EQ(content[0]["token"], "Hello");
  EXPECT_EQ(content[0]["top_logprobs"].size(), 2u);
}

TEST_F(ServerTest, SeedsArePassedOrMade) {
  Start();
  Post("/v1/chat/completions", ChatBody(R"("seed": 42)"));
  Post("/v1/chat/completions", ChatBody());
  Post("/v1/chat/completions", ChatBody());
  const std::vector<FakeCall> calls = backend_->generations();
  ASSERT_EQ(calls.size(), 3u);
  EXPECT_EQ(calls[0].request.sampling.seed, 42u);
  EXPECT_NE(calls[1].request.sampling.seed, calls[2].request.sampling.seed);
}

TEST_F(ServerTest, RequestsGetTheServersDeadline) {
  ServerOptions options;
  options.request_timeout = std::chrono::seconds(5);
  Start(options);
  Post("/v1/chat/completions", ChatBody());
  EXPECT_EQ(backend_->generations()[0].request.deadline, clock_.Now() + std::chrono::seconds(5));
}

TEST_F(ServerTest, DecisionWithoutGeneration) {
  Start();
  const Response response = Post("/v1/decision", ChatBody());
  EXPECT_EQ(response.status, 200);
  const Json json = Json::parse(response.body);
  EXPECT_EQ(json["intent"], "code");
  EXPECT_EQ(json["model"], "pocket-small");
  EXPECT_EQ(json["probed"], true);
  EXPECT_EQ(response.headers.Get("x-aio-intent"), "code");
  EXPECT_EQ(Post("/v1/decision", R"({"model": "auto", "prompt": "x"})").status, 200);
  const Response named = Post("/v1/decision", ChatBody("", "Hi", "pocket-small"));
  EXPECT_EQ(Json::parse(named.body)["probed"], false);
  EXPECT_TRUE(backend_->generations().empty());
  backend_->Update("auto", [](FakeModel& m) {
    m.generate_refusal = InvalidArgument("no such token").WithParam("logit_bias");
  });
  ExpectError(Post("/v1/decision", ChatBody()), 400, "invalid_request_error", "logit_bias");
}

TEST_F(ServerTest, Models) {
  Start();
  const Json list = Json::parse(Get("/v1/models").body);
  ASSERT_EQ(list["data"].size(), 2u);
  EXPECT_EQ(list["data"][0]["id"], "auto");
  EXPECT_EQ(list["data"][1]["aio"]["context_length"], 4096);
  EXPECT_EQ(Json::parse(Get("/v1/models/pocket-small").body), list["data"][1]);
  EXPECT_EQ(Json::parse(Get("/v1/models/pocket%2Dsmall").body), list["data"][1]);
  ExpectError(Get("/v1/models/nope"), 404, "not_found_error", "model");
}

TEST_F(ServerTest, HealthReadyMetrics) {
  Start();
  EXPECT_EQ(Get("/health").body, R"({"status":"ok"})");
  EXPECT_EQ(Get("/ready").status, 200);
  Post("/v1/chat/completions", ChatBody());
  const Response metrics = Get("/metrics");
  EXPECT_THAT(std::string(metrics.headers.Get("content-type")), StartsWith("text/plain"));
  const std::string& text = metrics.body;
  EXPECT_EQ(MetricValue(text, R"(aio_requests_total{code="200",endpoint="/v1/chat/completions"})"),
            "1");
  EXPECT_EQ(MetricValue(text, R"(aio_generation_tokens_total{model="auto"})"), "3");
  EXPECT_EQ(MetricValue(text, R"(aio_num_requests_running{model="pocket-small"})"), "0");
  EXPECT_EQ(MetricValue(text, R"(aio_spec_decode_num_draft_tokens_total{model="auto",)"
                              R"(strategy="prompt_lookup"})"),
            "0");
  EXPECT_EQ(MetricValue(text, "aio_routing_latency_seconds_count"), "1");
  EXPECT_EQ(MetricValue(text, R"(aio_decisions_total{intent="code",model="pocket-small",)"
                              R"(role="small",rule="small-code",strategy="prompt_lookup"})"),
            "1");
}

TEST_F(ServerTest, HeadAnswersWhereGetDoes) {
  Start();
  TestClient client(port());
  client.Request("HEAD", "/health");
  const Response response = client.Read(/*head=*/true);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.Get("content-length"), "15");
}

TEST_F(ServerTest, LogsEachRequestAndNoText) {
  Start();
  Post("/v1/chat/completions", ChatBody("", "my secret"), "X-Request-Id: id-1\r\n");
  Post("/v1/chat/completions", ChatBody(R"("stream": true)", "my secret"));
  Post("/v1/chat/completions", ChatBody(R"("temperature": 9)", "my secret"));
  Post("/v1/chat/completions", R"({"model": "my secret)");
  Get("/nowhere?my=secret");
  server_->Stop();
  const std::string log = log_.str();
  EXPECT_THAT(log, HasSubstr("POST /v1/chat/completions 200 0.0 ms model=auto prompt_tokens=2 "
                             "completion_tokens=3 id=id-1"));
  EXPECT_THAT(log, HasSubstr("POST /v1/chat/completions 400 "));
  EXPECT_THAT(log, HasSubstr("GET /nowhere 404 "));
  EXPECT_THAT(log, Not(HasSubstr("secret")));
  EXPECT_THAT(log, Not(HasSubstr("Hello")));
}

TEST_F(ServerTest, ServesManyStreamsAtOnce) {
  Start();
  backend_->Update("auto", [](FakeModel& model) {
    model.answer = [](const Request& request) {
      FakeAnswer answer;
      answer.tokens.assign(50, FakePromptText(request.prompt));
      return answer;
    };
  });
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([this, t] {
      const std::string word = "w" + std::to_string(t);
      const Response response = Post("/v1/chat/completions", ChatBody(R"("stream": true)", word));
      EXPECT_TRUE(response.complete);
      int tokens = 0;
      for (const std::string& event : Events(response.body)) {
        if (event.find("\"content\":\"" + word + "\"") != std::string::npos) ++tokens;
      }
      EXPECT_EQ(tokens, 50);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(ServerTest, FeedbackGoesWhereItIsTaken) {
  ServerOptions options;
  std::vector<FeedbackRequest> taken;
  options.feedback = [&](const FeedbackRequest& feedback, auto done) {
    taken.push_back(feedback);
    done(feedback.id == "known" ? Status::Ok() : NotFound("no such id"));
  };
  Start(options);
  const Response fine =
      Post("/v1/feedback", R"({"id": "known", "score": 0.5, "comment": "short"})");
  EXPECT_EQ(fine.status, 200);
  EXPECT_EQ(Json::parse(fine.body),
            Json({{"object", "feedback"}, {"id", "known"}, {"score", 0.5}}));
  ExpectError(Post("/v1/feedback", R"({"id": "other", "score": 1})"), 404, "not_found_error", "");
  ASSERT_EQ(taken.size(), 2u);
  EXPECT_EQ(taken[0].comment, "short");

  ExpectError(Post("/v1/feedback", R"({"id": "known", "score": 2})"), 400, "invalid_request_error",
              "score");
  ExpectError(Post("/v1/feedback", R"({"id": "known", "score": 1, "stars": 5})"), 400,
              "invalid_request_error", "stars");
  EXPECT_EQ(taken.size(), 2u) << "what is wrong is not passed on";
}

TEST_F(ServerTest, FeedbackThatNobodyTakesIsRefused) {
  Start();
  ExpectError(Post("/v1/feedback", R"({"id": "known", "score": 1})"), 501, "not_implemented_error",
              "");
}

TEST_F(ServerTest, MetricsOfOthersAreShown) {
  ServerOptions options;
  options.metric_sources.push_back([] {
    return std::vector<MetricReading>{
        {.name = "aio_things_total", .help = "Things", .is_counter = true, .value = 7}};
  });
  Start(options);
  const std::string text = Get("/metrics").body;
  EXPECT_EQ(MetricValue(text, "aio_things_total"), "7");
  EXPECT_THAT(text, HasSubstr("# TYPE aio_things_total counter"));
}

TEST_F(ServerTest, PagesOfOthersAreShown) {
  ServerOptions options;
  options.api_key = "secret";
  options.pages.push_back({"/", true, [](const HttpRequest&) {
                             return HttpResponse{.status = 200, .headers = {}, .body = "a page"};
                           }});
  options.pages.push_back({"/v1/data", false, [](const HttpRequest& request) {
                             return HttpResponse{
                                 .status = 200, .headers = {}, .body = "asked " + request.query};
                           }});
  Start(options);
  EXPECT_EQ(Get("/").body, "a page");
  EXPECT_EQ(Get("/v1/data?x=1").status, 401);
  EXPECT_EQ(Get("/v1/data?x=1", "Authorization: Bearer secret\r\n").body, "asked x=1");
  EXPECT_EQ(Post("/", "{}").status, 405);
  EXPECT_EQ(Get("/nothing").status, 404);
}

}  // namespace
}  // namespace aio
