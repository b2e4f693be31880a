// Bad input, failing backends and vanishing clients; after each the server still serves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "server/server_test_fixture.h"

namespace aio {
namespace {

using ::testing::HasSubstr;
using Delivery = FakeBackend::Delivery;
using Response = TestClient::Response;

constexpr const char* kInvalid = "invalid_request_error";

TEST_F(ServerTest, BadBodiesAreRefused) {
  Start();
  const std::string chat = "/v1/chat/completions";
  ExpectError(Post(chat, "{\"model\": "), 400, kInvalid, "");
  ExpectError(Post(chat, "garbage"), 400, kInvalid, "");
  ExpectError(Post(chat, ""), 400, kInvalid, "");
  ExpectError(Post(chat, "[]"), 400, kInvalid, "");
  ExpectError(Post(chat, std::string(100000, '[')), 400, kInvalid, "");
  ExpectError(Post(chat, "{\"model\": \"\xFF\"}"), 400, kInvalid, "");
  ExpectError(Post(chat, ChatBody("", "\\ud800")), 400, kInvalid, "");
  ExpectError(Post(chat, ChatBody(R"("temperature": 1e400)")), 400, kInvalid, "");
  ExpectError(Post(chat, ChatBody(R"("temperature": "hot")")), 400, kInvalid, "temperature");
  ExpectError(Post(chat, ChatBody(R"("n": 0)")), 400, kInvalid, "n");
  ExpectError(Post(chat, R"({"model": "auto", "messages": []})"), 400, kInvalid, "messages");
  ExpectError(Post("/v1/completions", ChatBody()), 400, kInvalid, "prompt");
  ExpectError(Post("/v1/decision", "{}"), 400, kInvalid, "messages");
  EXPECT_TRUE(backend_->generations().empty());
  ExpectServes();
}

TEST_F(ServerTest, UnknownModelsAreNotFound) {
  Start();
  const Response response = Post("/v1/chat/completions", ChatBody("", "Hi", "nope"));
  ExpectError(response, 404, "not_found_error", "model");
  EXPECT_EQ(Json::parse(response.body)["error"]["code"], "model_not_found");
  ExpectError(Post("/v1/chat/completions", ChatBody(R"("stream": true)", "Hi", "nope")), 404,
              "not_found_error", "model");
  ExpectError(Post("/v1/decision", ChatBody("", "Hi", "nope")), 404, "not_found_error", "model");
  ExpectServes();
}

TEST_F(ServerTest, PromptsThatDoNotFitAreRefused) {
  Start();
  const Response response = Post("/v1/chat/completions", ChatBody(R"("max_tokens": 100000)"));
  ExpectError(response, 400, kInvalid, "");
  EXPECT_EQ(Json::parse(response.body)["error"]["code"], "context_length_exceeded");
  ExpectServes();
}

TEST_F(ServerTest, UnknownPathsAndMethods) {
  Start();
  const Response nothing = Get("/");
  ExpectError(nothing, 404, "not_found_error", "");
  EXPECT_THAT(nothing.body, HasSubstr("There is nothing at /; the paths are /v1/chat/completions"));
  ExpectError(Get("/v1"), 404, "not_found_error", "");
  ExpectError(Get("/v1/models/"), 404, "not_found_error", "");
  ExpectError(Get("/v1/chat/completions/"), 404, "not_found_error", "");
  const Response get = Get("/v1/chat/completions");
  ExpectError(get, 405, kInvalid, "");
  EXPECT_EQ(get.headers.Get("allow"), "POST");
  const Response post = Post("/health", "{}");
  ExpectError(post, 405, kInvalid, "");
  EXPECT_EQ(post.headers.Get("allow"), "GET, HEAD");
}

TEST_F(ServerTest, HttpFaultsAreOpenaiErrorsToo) {
  ServerOptions options;
  options.http.header_timeout = std::chrono::milliseconds(50);
  options.http.body_timeout = std::chrono::milliseconds(50);
  Start(options);
  const auto send = [&](const std::string& bytes) {
    TestClient client(port());
    client.Send(bytes);
    Response response = client.Read();
    EXPECT_EQ(response.headers.Get("x-request-id").size(), 32u);
    return response;
  };
  ExpectError(send("garbage\r\n\r\n"), 400, kInvalid, "");
  ExpectError(send("GET / HTTP/1.1\r\nHost: t\r\nX: " + std::string(100000, 'x') + "\r\n\r\n"), 431,
              kInvalid, "");
  ExpectError(send("POST /v1/completions HTTP/1.1\r\nHost: t\r\nContent-Length: 104857600\r\n\r\n"),
              413, kInvalid, "");
  ExpectError(send("POST /v1/completions HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\n{"), 408,
              kInvalid, "");
  ExpectError(send("GET /v1/mod"), 408, kInvalid, "");
  ExpectServes();
  EXPECT_EQ(
      MetricValue(server_->Metrics(), R"(aio_requests_total{code="413",endpoint="malformed"})"),
      "1");
  server_->Stop();
  EXPECT_THAT(log_.str(), HasSubstr("refused 408 from 127.0.0.1:"));
  EXPECT_THAT(log_.str(), HasSubstr(": The request's body took too long. id="));
}

TEST_F(ServerTest, PipelinedGarbageAfterAStream) {
  Start();
  TestClient client(port());
  client.Request("POST", "/v1/chat/completions", ChatBody(R"("stream": true)"));
  client.Send("\x01\x02garbage\r\n\r\n");
  EXPECT_TRUE(client.Read().complete);
  ExpectError(client.Read(), 400, kInvalid, "");
  EXPECT_TRUE(client.AtEnd());
  ExpectServes();
}

TEST_F(ServerTest, FaultsBeforeTheFirstByteHaveTheirStatus) {
  Start();
  const auto answer_with = [&](Status status) {
    backend_->Update("auto", [&](FakeModel& model) {
      model.answer = [status](const Request&) {
        FakeAnswer answer;
        answer.error = status;
        answer.error_before_start = true;
        return answer;
      };
    });
  };
  for (const char* members : {"", R"("stream": true)"}) {
    const auto post = [&] { return Post("/v1/chat/completions", ChatBody(members)); };
    answer_with(Internal("boom"));
    ExpectError(post(), 500, "server_error", "");
    answer_with(DeadlineExceeded("too late"));
    ExpectError(post(), 504, "timeout_error", "");
    answer_with(Unavailable("gone"));
    ExpectError(post(), 503, "service_unavailable_error", "");
    answer_with(ResourceExhausted("queue full"));
    const Response full = post();
    ExpectError(full, 429, "rate_limit_error", "");
    EXPECT_EQ(full.headers.Get("retry-after"), "1");
  }
  server_->Stop();
  EXPECT_THAT(log_.str(), HasSubstr("failed: internal: boom"));
}

TEST_F(ServerTest, FaultsInMidStreamBecomeAnEvent) {
  Start();
  backend_->Update("auto", [](FakeModel& model) {
    model.answer = [](const Request&) {
      FakeAnswer answer;
      answer.tokens = {"part"};
      answer.error = Internal("boom");
      return answer;
    };
  });
  const Response response = Post("/v1/chat/completions", ChatBody(R"("stream": true)"));
  EXPECT_EQ(response.status, 200);
  const std::vector<std::string> events = Events(response.body);
  ASSERT_EQ(events.size(), 3u);  // role, "part", the error; no [DONE]
  EXPECT_EQ(Json::parse(events[2])["error"]["message"], "boom");
  ExpectError(Post("/v1/chat/completions", ChatBody()), 500, "server_error", "");
}

TEST_F(ServerTest, ClientsThatVanishCancelTheirGeneration) {
  Start({}, Delivery::kManual);
  for (const char* members : {"", R"("stream": true)"}) {
    const int cancelled = backend_->cancel_calls();
    TestClient client(port());
    client.Request("POST", "/v1/chat/completions", ChatBody(members));
    ASSERT_TRUE(Eventually([&] { return backend_->pending() == 1; }));
    backend_->DeliverOne();  // OnStart
    backend_->DeliverOne();  // the first token
    client.Close();
    ASSERT_TRUE(Eventually([&] { return backend_->cancel_calls() == cancelled + 1; }));
    EXPECT_EQ(backend_->DeliverAll(), 1);  // OnFinish(kCancelled)
  }
  EXPECT_EQ(MetricValue(server_->Metrics(),
                        R"(aio_requests_total{code="499",endpoint="/v1/chat/completions"})"),
            "2");
}

TEST_F(ServerTest, ClientsThatVanishBeforeTheStart) {
  Start({}, Delivery::kManual);
  TestClient client(port());
  client.Request("POST", "/v1/chat/completions", ChatBody(R"("stream": true)"));
  ASSERT_TRUE(Eventually([&] { return backend_->pending() == 1; }));
  client.Reset();
  ASSERT_TRUE(Eventually([&] { return backend_->cancel_calls() == 1; }));
  backend_->DeliverAll();
  EXPECT_EQ(backend_->pending(), 0);
}

TEST_F(ServerTest, SlowReadersCancelTheirGeneration) {
  ServerOptions options;
  options.http.buffered_bytes_max = 64 << 10;
  Start(options, Delivery::kThread);
  backend_->Update("auto", [](FakeModel& model) {
    model.answer = [](const Request&) {
      FakeAnswer answer;
      answer.tokens.assign(4096, std::string(16 << 10, 'x'));
      return answer;
    };
  });
  TestClient client(port(), /*receive_buffer_bytes=*/4096);
  client.Request("POST", "/v1/chat/completions", ChatBody(R"("stream": true)"));
  EXPECT_TRUE(Eventually([&] { return backend_->cancel_calls() == 1; }));
  backend_->Update("auto", [](FakeModel& model) { model.answer = nullptr; });
  ExpectServes();
}

TEST_F(ServerTest, BackendsMayAnswerBeforeGenerateReturns) {
  Start({}, Delivery::kImmediate);
  EXPECT_EQ(Events(Post("/v1/chat/completions", ChatBody(R"("stream": true)")).body).size(), 6u);
  ExpectServes();
  EXPECT_EQ(backend_->cancel_calls(), 0);
}

TEST_F(ServerTest, CancelledByTheBackendIsAnError) {
  Start();
  backend_->Update("auto", [](FakeModel& model) {
    model.answer = [](const Request&) {
      FakeAnswer answer;
      answer.finish = FinishReason::kCancelled;
      return answer;
    };
  });
  ExpectError(Post("/v1/chat/completions", ChatBody()), 503, "service_unavailable_error", "");
}

}  // namespace
}  // namespace aio
