// The HTTP client against the real server over a scripted backend.
#include "traffic/http_backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/null_sink.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "backend/testing/fake_backend.h"
#include "server/server.h"
#include "traffic/load_generator.h"

namespace aio {
namespace {

using testing::HasSubstr;

Decision CodeDecision() {
  Decision decision;
  decision.model = "pocket-small";
  decision.role = "small";
  decision.rule = "small-code";
  decision.probed = true;
  decision.intent = "code";
  decision.probabilities = {{"code", 0.75}, {"qa", 0.25}};
  return decision;
}

class HttpBackendTest : public testing::Test {
 protected:
  // "auto" routes, "pocket-small" is asked for by name.
  void Start(FakeBackend::Delivery delivery = FakeBackend::Delivery::kThread) {
    FakeModel routed = FakeModel::Named("auto", "router");
    routed.decision = CodeDecision();
    backend_ = std::make_unique<FakeBackend>(
        std::vector<FakeModel>{routed, FakeModel::Named("pocket-small", "small")}, delivery);
    ServerOptions options;
    options.port = 0;
    options.logger =
        std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::null_sink_mt>());
    Result<std::unique_ptr<Server>> server = Server::Create(*backend_, options, clock_);
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    server_ = *std::move(server);
    const Status status = server_->Start();
    ASSERT_TRUE(status.ok()) << status.ToString();
  }

  // Waits for something that another thread is about to bring about.
  template <typename Condition>
  static bool Eventually(const Condition& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::yield();
    }
    return true;
  }

  void Connect(const std::string& key = "") {
    auto client = HttpBackend::Create(
        {.url = "http://127.0.0.1:" + std::to_string(server_->port()), .api_key = key});
    ASSERT_TRUE(client.ok());
    client_ = *std::move(client);
  }

  static Request Ask(const std::string& model = "auto") {
    Request request;
    request.id = "r";
    request.model = model;
    request.prompt = std::vector<ChatMessage>{{"user", "two words"}};
    return request;
  }

  RecordingSink::Record Generate(const Request& request) {
    auto sink = std::make_shared<RecordingSink>();
    EXPECT_TRUE(client_->Generate(request, sink).ok());
    sink->Wait();
    return sink->record();
  }

  ManualClock clock_;
  std::unique_ptr<FakeBackend> backend_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<HttpBackend> client_;
};

TEST_F(HttpBackendTest, BringsAStreamedAnswerAndItsDecision) {
  Start();
  backend_->Update("auto", [](FakeModel& model) {
    model.answer = [](const Request&) {
      FakeAnswer answer;
      answer.tokens = {"a", "b", "\xC3\xA4"};
      answer.traffic = {.weight_bytes = 10, .kv_bytes = 2, .static_large_bytes = 100};
      return answer;
    };
  });
  Connect();
  const auto record = Generate(Ask());
  ASSERT_TRUE(record.errors.empty()) << record.errors[0].ToString();
  EXPECT_TRUE(record.in_order);
  EXPECT_EQ(record.text(), "ab\xC3\xA4");
  EXPECT_EQ(record.tokens.size(), 3u);
  ASSERT_TRUE(record.starts.at(0).decision.has_value());
  EXPECT_EQ(record.starts[0].decision->role, "small");
  EXPECT_EQ(record.starts[0].decision->intent, "code");
  EXPECT_EQ(record.finishes.at(0).usage.completion_tokens, 3);
  EXPECT_EQ(record.finishes[0].usage.prompt_tokens, 2);
  EXPECT_EQ(record.finishes[0].traffic.static_large_bytes, 100);
}

TEST_F(HttpBackendTest, SendsWhatWasAsked) {
  Start();
  Connect();
  Request request = Ask("pocket-small");
  request.sampling.max_tokens = 2;
  request.sampling.temperature = 0;
  request.sampling.seed = 42;
  const auto record = Generate(request);
  EXPECT_EQ(record.finishes.at(0).reason, FinishReason::kLength);
  const Request got = backend_->generations().at(0).request;
  EXPECT_EQ(got.model, "pocket-small");
  EXPECT_EQ(got.sampling.seed, 42u);
  EXPECT_EQ(got.sampling.temperature, 0);
  EXPECT_EQ(FakePromptText(got.prompt), "two words");
}

TEST_F(HttpBackendTest, RefusalsKeepTheirMeaning) {
  Start();
  Connect();
  const auto unknown = Generate(Ask("none"));
  EXPECT_EQ(unknown.errors.at(0).code(), StatusCode::kNotFound);
  EXPECT_THAT(unknown.errors[0].message(), HasSubstr("HTTP 404"));
  backend_->Update("auto", [](FakeModel& model) {
    model.generate_refusal = ResourceExhausted("the queue is full");
  });
  const auto full = Generate(Ask());
  EXPECT_EQ(full.errors.at(0).code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(full.errors[0].message(), HasSubstr("the queue is full"));
}

TEST_F(HttpBackendTest, AnAnswerThatBreaksOffIsAnError) {
  Start();
  backend_->Update("auto", [](FakeModel& model) {
    model.answer = [](const Request&) {
      FakeAnswer answer;
      answer.tokens = {"a"};
      answer.error = Internal("out of memory");
      return answer;
    };
  });
  Connect();
  const auto record = Generate(Ask());
  EXPECT_EQ(record.text(), "a");
  EXPECT_THAT(record.errors.at(0).message(), HasSubstr("out of memory"));
}

TEST_F(HttpBackendTest, NobodyThereIsAnError) {
  Start();
  Connect();
  server_.reset();
  const auto record = Generate(Ask());
  EXPECT_EQ(record.errors.at(0).code(), StatusCode::kUnavailable);
}

TEST_F(HttpBackendTest, CountsByAsking) {
  Start();
  Connect();
  const Result<int> count = client_->CountPromptTokens(Ask());
  ASSERT_TRUE(count.ok()) << count.status().ToString();
  EXPECT_EQ(*count, 2);
  EXPECT_FALSE(client_->CountPromptTokens(Ask("none")).ok());
}

TEST_F(HttpBackendTest, CancelEndsAtTheServerToo) {
  Start(FakeBackend::Delivery::kManual);
  Connect();
  auto sink = std::make_shared<RecordingSink>();
  const auto ticket = client_->Generate(Ask(), sink);
  ASSERT_TRUE(ticket.ok());
  ASSERT_TRUE(Eventually([&] { return backend_->pending() > 0; }));
  backend_->DeliverOne();  // the start: the answer's head goes out
  (*ticket)->Cancel();
  sink->Wait();
  EXPECT_EQ(sink->record().errors.at(0).code(), StatusCode::kCancelled);
  EXPECT_TRUE(Eventually([&] { return backend_->cancel_calls() > 0; }));
  backend_->DeliverAll();
}

TEST_F(HttpBackendTest, WhatRunsWhenItGoesEnds) {
  Start(FakeBackend::Delivery::kManual);
  Connect();
  auto sink = std::make_shared<RecordingSink>();
  ASSERT_TRUE(client_->Generate(Ask(), sink).ok());
  ASSERT_TRUE(Eventually([&] { return backend_->pending() > 0; }));
  client_.reset();
  EXPECT_EQ(sink->record().errors.at(0).code(), StatusCode::kUnavailable);
  EXPECT_TRUE(Eventually([&] { return backend_->cancel_calls() > 0; }));
  backend_->DeliverAll();
}

TEST_F(HttpBackendTest, CarriesALoad) {
  Start();
  Connect();
  std::vector<LoadRequest> requests;
  for (int i = 0; i < 40; ++i) {
    requests.push_back({.request = Ask(), .arrival = std::chrono::microseconds(200 * i)});
  }
  const SystemClock clock;
  SystemWaiter waiter;
  for (const int concurrency : {0, 8}) {
    const auto records = RunLoad(*client_, requests, {.concurrency = concurrency}, waiter, clock);
    ASSERT_EQ(records.size(), 40u);
    EXPECT_TRUE(std::all_of(records.begin(), records.end(), [](const LoadRecord& record) {
      return record.error.ok() && record.text == "Hello world" && record.output_tokens() == 3;
    }));
  }
}

TEST(HttpBackend, AUrlMustBeOne) {
  EXPECT_THAT(HttpBackend::Create({.url = "localhost:8080", .api_key = ""}).status().message(),
              HasSubstr("write http://HOST:PORT"));
  EXPECT_TRUE(HttpBackend::Create({.url = "https://example.org/v1/", .api_key = ""}).ok());
}

}  // namespace
}  // namespace aio
