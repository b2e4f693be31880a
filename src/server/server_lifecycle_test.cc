// From Create() to Stop(), and who may ask.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <thread>

#include "server/server_test_fixture.h"

namespace aio {
namespace {

using ::testing::HasSubstr;
using Delivery = FakeBackend::Delivery;
using Response = TestClient::Response;
using State = Server::State;

TEST_F(ServerTest, OptionsAreChecked) {
  FakeBackend backend({});
  ServerOptions options;
  options.port = 65536;
  EXPECT_THAT(Server::Create(backend, options, clock_).status().message(), HasSubstr("--port"));
  options.port = 0;
  options.host = "";
  EXPECT_THAT(Server::Create(backend, options, clock_).status().message(), HasSubstr("--host"));
}

TEST_F(ServerTest, PortsInUseAreNamed) {
  Start();
  ServerOptions options;
  options.port = port();
  const auto other = Server::Create(*backend_, options, clock_);
  ASSERT_TRUE(other.ok());
  const Status status = (*other)->Start();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(status.message(), HasSubstr("choose another with --port"));
  EXPECT_EQ((*other)->state(), State::kCreated);
}

TEST_F(ServerTest, UrlNamesThePort) {
  Start();
  EXPECT_EQ(server_->url(), "http://127.0.0.1:" + std::to_string(port()));
}

TEST_F(ServerTest, DrainGivesNoticeBeforeThePortCloses) {
  ServerOptions options;
  options.drain_notice = TestClient::kPatience;
  Start(options);
  std::future<bool> drained =
      std::async(std::launch::async, [&] { return server_->Drain(TestClient::kPatience); });
  ASSERT_TRUE(Eventually([&] { return server_->state() == State::kDraining; }));
  const Response ready = Get("/ready");
  EXPECT_EQ(ready.status, 503);
  EXPECT_EQ(ready.body, R"({"status":"draining"})");
  server_->Stop();  // ends the notice too
  EXPECT_TRUE(drained.get());
}

TEST_F(ServerTest, DrainFinishesWhatRuns) {
  ServerOptions options;
  options.drain_notice = {};
  Start(options, Delivery::kManual);
  TestClient client(port());
  client.Request("POST", "/v1/chat/completions", ChatBody(R"("stream": true)"));
  ASSERT_TRUE(Eventually([&] { return backend_->pending() == 1; }));
  backend_->DeliverOne();
  EXPECT_EQ(client.ReadHead().status, 200);
  server_->BeginDrain();
  EXPECT_EQ(server_->state(), State::kDraining);
  EXPECT_EQ(Get("/health").status, 200);
  ExpectError(Post("/v1/chat/completions", ChatBody()), 503, "service_unavailable_error", "");
  std::future<bool> drained =
      std::async(std::launch::async, [&] { return server_->Drain(TestClient::kPatience); });
  backend_->DeliverAll();
  EXPECT_THAT(client.ReadToEnd(), HasSubstr("data: [DONE]"));
  EXPECT_TRUE(drained.get());
  EXPECT_EQ(server_->state(), State::kStopped);
  server_->Wait();
  EXPECT_EQ(backend_->cancel_calls(), 0);
}

TEST_F(ServerTest, DrainCancelsAtItsDeadlineAndSaysSo) {
  ServerOptions options;
  options.drain_notice = {};
  options.http.farewell_timeout = TestClient::kPatience;
  Start(options, Delivery::kManual);
  TestClient client(port());
  client.Request("POST", "/v1/chat/completions", ChatBody());
  ASSERT_TRUE(Eventually([&] { return backend_->pending() == 1; }));
  std::future<bool> drained =
      std::async(std::launch::async, [&] { return server_->Drain(std::chrono::milliseconds(1)); });
  ASSERT_TRUE(Eventually([&] { return backend_->cancel_calls() == 1; }));
  backend_->DeliverAll();  // OnFinish(kCancelled)
  ExpectError(client.Read(), 503, "service_unavailable_error", "");
  EXPECT_FALSE(drained.get());
  EXPECT_THAT(log_.str(), HasSubstr("POST /v1/chat/completions 503 "));
}

TEST_F(ServerTest, DrainDoesNotWaitForABackendThatHangs) {
  ServerOptions options;
  options.drain_notice = {};
  options.http.farewell_timeout = std::chrono::milliseconds(1);
  Start(options, Delivery::kManual);
  TestClient client(port());
  client.Request("POST", "/v1/chat/completions", ChatBody());
  ASSERT_TRUE(Eventually([&] { return backend_->pending() == 1; }));
  EXPECT_FALSE(server_->Drain(std::chrono::milliseconds(1)));
  EXPECT_EQ(backend_->cancel_calls(), 1);
  EXPECT_TRUE(client.AtEnd());
  server_.reset();
  EXPECT_EQ(backend_->DeliverAll(), 1);  // events after the server's end harm nobody
  EXPECT_THAT(log_.str(), HasSubstr("POST /v1/chat/completions 503 "));  // it was not the client
}

TEST_F(ServerTest, StopWakesWaiters) {
  Start();
  std::thread waiter([&] { server_->Wait(); });
  server_->Stop();
  server_->Stop();
  waiter.join();
  EXPECT_FALSE(TestClient(port()).connected());
}

TEST_F(ServerTest, ApiKeysAreAskedForWhereSet) {
  ServerOptions options;
  options.api_key = "secret";
  Start(options);
  const Response refused = Post("/v1/chat/completions", ChatBody());
  ExpectError(refused, 401, "authentication_error", "");
  EXPECT_EQ(refused.headers.Get("www-authenticate"), "Bearer");
  EXPECT_EQ(Json::parse(refused.body)["error"]["code"], "invalid_api_key");
  ExpectError(Get("/v1/models", "Authorization: Bearer wrong\r\n"), 401, "authentication_error",
              "");
  EXPECT_EQ(Get("/metrics").status, 401);
  EXPECT_EQ(Get("/health").status, 200);
  EXPECT_EQ(Get("/ready").status, 200);
  EXPECT_EQ(Get("/v1/models", "Authorization: Bearer secret\r\n").status, 200);
  EXPECT_EQ(Post("/v1/chat/completions", ChatBody(), "Authorization: Bearer secret\r\n").status,
            200);
}

}  // namespace
}  // namespace aio
