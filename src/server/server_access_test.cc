// Keys, what they allow, and how much.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "access/access_control.h"
#include "server/server_test_fixture.h"

namespace aio {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Delivery = FakeBackend::Delivery;
using Response = TestClient::Response;

constexpr const char* kChat = "/v1/chat/completions";

class AccessTest : public ServerTest {
 protected:
  static ApiKey Key(const std::string& name) {
    ApiKey key;
    key.name = name;
    key.hash = HashSecret(name + "-secret");
    return key;
  }
  static std::string Bearer(const std::string& name) {
    return "Authorization: Bearer " + name + "-secret\r\n";
  }

  void StartWith(std::vector<ApiKey> keys, Delivery delivery = Delivery::kThread) {
    access_ = std::make_shared<AccessControl>(std::move(keys), true, clock_.Now());
    ServerOptions options;
    options.access = access_;
    Start(options, delivery);
  }

  Response Chat(const std::string& name, const std::string& members = "",
                const std::string& model = "auto") {
    return Post(kChat, ChatBody(members, "Hi there", model), Bearer(name));
  }

  std::shared_ptr<AccessControl> access_;
};

TEST_F(AccessTest, WithoutAKeyNobodyIsServed) {
  StartWith({Key("alice")});
  const Response none = Post(kChat, ChatBody());
  ExpectError(none, 401, "authentication_error", "");
  EXPECT_EQ(none.headers.Get("www-authenticate"), "Bearer");
  ExpectError(Chat("mallory"), 401, "authentication_error", "");
  for (const char* path : {"/v1/models", "/v1/models/auto", "/metrics"}) {
    ExpectError(Get(path), 401, "authentication_error", "");
  }
  EXPECT_TRUE(backend_->generations().empty());
  EXPECT_EQ(Get("/health").status, 200);
  EXPECT_EQ(Get("/ready").status, 200);
  EXPECT_EQ(Chat("alice").status, 200);
  EXPECT_EQ(Post(kChat, ChatBody(), "X-Api-Key: alice-secret\r\n").status, 200);
  server_->Stop();
  EXPECT_THAT(log_.str(), HasSubstr("key=alice"));
  EXPECT_THAT(log_.str(), Not(HasSubstr("secret")));
}

TEST_F(AccessTest, NoKeysAtAllIsNotAnOpenDoor) {
  StartWith({});
  ExpectError(Post(kChat, ChatBody()), 401, "authentication_error", "");
  ExpectError(Chat("alice"), 401, "authentication_error", "");
}

TEST_F(AccessTest, ModelsAreAllowedByName) {
  ApiKey key = Key("alice");
  key.models = {"auto*"};
  StartWith({key});
  EXPECT_EQ(Chat("alice").status, 200);
  const Response refused = Chat("alice", "", "pocket-small");
  ExpectError(refused, 403, "permission_error", "model");
  EXPECT_EQ(Json::parse(refused.body)["error"]["code"], "model_not_allowed");
  ExpectError(Chat("alice", R"("aio": {"model": "pocket-small"})"), 403, "permission_error",
              "model");
  ExpectError(Post("/v1/decision", ChatBody("", "Hi", "pocket-small"), Bearer("alice")), 403,
              "permission_error", "model");
  const Json models = Json::parse(Get("/v1/models", Bearer("alice")).body)["data"];
  ASSERT_EQ(models.size(), 1u);
  EXPECT_EQ(models[0]["id"], "auto");
  EXPECT_EQ(Get("/v1/models/pocket-small", Bearer("alice")).status, 404);
}

TEST_F(AccessTest, MetricsAreForAdministrators) {
  ApiKey admin = Key("root");
  admin.is_admin = true;
  StartWith({Key("alice"), admin});
  ExpectError(Get("/metrics", Bearer("alice")), 403, "permission_error", "");
  EXPECT_EQ(Get("/metrics", Bearer("root")).status, 200);
}

TEST_F(AccessTest, RequestsPerMinute) {
  ApiKey key = Key("alice");
  key.limits.requests_per_minute = 2;
  StartWith({key, Key("bob")});
  const Response first = Chat("alice");
  EXPECT_EQ(first.headers.Get("x-ratelimit-limit-requests"), "2");
  EXPECT_EQ(first.headers.Get("x-ratelimit-remaining-requests"), "1");
  EXPECT_EQ(first.headers.Get("x-ratelimit-reset-requests"), "30s");
  EXPECT_FALSE(first.headers.Has("x-ratelimit-limit-tokens"));
  EXPECT_EQ(Chat("alice", R"("stream": true)").headers.Get("x-ratelimit-remaining-requests"), "0");
  const Response refused = Chat("alice");
  ExpectError(refused, 429, "rate_limit_error", "");
  EXPECT_EQ(refused.headers.Get("retry-after"), "30");
  EXPECT_EQ(refused.headers.Get("x-ratelimit-remaining-requests"), "0");
  EXPECT_THAT(refused.body, HasSubstr("2 requests per minute"));
  EXPECT_EQ(Json::parse(refused.body)["error"]["code"], "rate_limit_exceeded");
  EXPECT_EQ(Get("/v1/models", Bearer("alice")).status, 200) << "asks for no work";
  EXPECT_EQ(Chat("bob").status, 200);
  EXPECT_EQ(backend_->generations().size(), 3u);
  clock_.Advance(std::chrono::seconds(30));
  EXPECT_EQ(Chat("alice").status, 200);
}

TEST_F(AccessTest, TokensAreCountedAsTheyWere) {
  ApiKey key = Key("alice");
  key.limits.tokens_per_minute = 1000;
  StartWith({key});
  // Whatever was estimated: a prompt of 2 tokens and an answer of 3.
  EXPECT_EQ(Chat("alice").status, 200);
  EXPECT_EQ(access_->Find("alice-secret")->budgets->Read(clock_.Now()).tokens->remaining, 995);
  // A request that the backend refuses costs nothing.
  EXPECT_EQ(Chat("alice", R"("max_tokens": 100000)").status, 429);
  EXPECT_EQ(Chat("alice", "", "nope").status, 404);
  EXPECT_EQ(access_->Find("alice-secret")->budgets->Read(clock_.Now()).tokens->remaining, 995);
}

TEST_F(AccessTest, AllChoicesAreReserved) {
  ApiKey key = Key("alice");
  key.limits.tokens_per_minute = 1000;
  StartWith({key});
  EXPECT_EQ(Chat("alice").status, 200);  // a full budget lets anything through
  EXPECT_EQ(Chat("alice", R"("max_tokens": 150, "n": 9)").status, 429);
  EXPECT_EQ(Chat("alice", R"("max_tokens": 150, "n": 3)").status, 200);
}

TEST_F(AccessTest, EmbeddingsAreOfTheBudgetToo) {
  ApiKey key = Key("alice");
  key.limits.tokens_per_minute = 1000;
  StartWith({key});
  const auto embed = [&](size_t bytes) {
    return Post("/v1/embeddings", R"({"input": ")" + std::string(bytes, 'x') + "\"}",
                Bearer("alice"))
        .status;
  };
  EXPECT_EQ(embed(10), 200);
  EXPECT_EQ(embed(5000), 429);
  EXPECT_LT(access_->Find("alice-secret")->budgets->Read(clock_.Now()).tokens->remaining, 1000);
}

TEST_F(AccessTest, BudgetsOfTokensEnd) {
  ApiKey key = Key("alice");
  key.limits.tokens_per_day = 300;
  StartWith({key}, Delivery::kManual);
  TestClient client(port());
  client.Request("POST", kChat, ChatBody(R"("max_tokens": 200)"), Bearer("alice"));
  ASSERT_TRUE(Eventually([&] { return backend_->pending() == 1; }));
  // While it runs, what it may come to is set aside.
  const Response refused = Chat("alice", R"("max_tokens": 200)");
  ExpectError(refused, 429, "rate_limit_error", "");
  EXPECT_THAT(refused.body, HasSubstr("300 tokens per day"));
  EXPECT_EQ(refused.headers.Get("x-ratelimit-limit-tokens"), "300");
  EXPECT_GT(std::stoi(std::string(refused.headers.Get("retry-after"))), 3600);
  backend_->DeliverAll();
  EXPECT_EQ(client.Read().status, 200);
  client.Request("POST", kChat, ChatBody(R"("max_tokens": 200)"), Bearer("alice"));
  ASSERT_TRUE(Eventually([&] { return backend_->pending() == 1; }));
  backend_->DeliverAll();
  EXPECT_EQ(client.Read().status, 200);
}

TEST_F(AccessTest, AnswersThatAreCutOffArePaidFor) {
  ApiKey key = Key("alice");
  key.limits.tokens_per_minute = 1000;
  StartWith({key}, Delivery::kManual);
  TestClient client(port());
  client.Request("POST", kChat, ChatBody(R"("stream": true)"), Bearer("alice"));
  ASSERT_TRUE(Eventually([&] { return backend_->pending() == 1; }));
  for (int i = 0; i < 3; ++i) backend_->DeliverOne();  // the start and two tokens
  client.Close();
  ASSERT_TRUE(Eventually([&] { return backend_->cancel_calls() == 1; }));
  backend_->DeliverAll();
  EXPECT_EQ(access_->Find("alice-secret")->budgets->Read(clock_.Now()).tokens->remaining, 996);
}

TEST_F(AccessTest, AnAnswerThatIsShownWholeIsPaidForByWhoeverLeavesIt) {
  ApiKey key = Key("alice");
  key.limits.tokens_per_minute = 1000;
  StartWith({key}, Delivery::kManual);
  // Of a model that other servers hold, nothing is known before the end.
  backend_->Update("auto", [](FakeModel& model) {
    model.answer = [](const Request&) {
      FakeAnswer answer;
      answer.error = Cancelled("before it began");
      answer.error_before_start = true;
      return answer;
    };
  });
  const auto leave = [&](const std::string& members) {
    const int cancelled = backend_->cancel_calls();
    TestClient client(port());
    client.Request("POST", kChat, ChatBody(members), Bearer("alice"));
    EXPECT_TRUE(Eventually([&] { return backend_->pending() == 1; }));
    client.Close();
    EXPECT_TRUE(Eventually([&] { return backend_->cancel_calls() == cancelled + 1; }));
    backend_->DeliverAll();
    return access_->Find("alice-secret")->budgets->Read(clock_.Now()).tokens->remaining;
  };
  EXPECT_EQ(leave(R"("max_tokens": 100)"), 1000) << "the engine here tells what it does";
  backend_->Update("auto", [](FakeModel& model) { model.info.counts_exactly = false; });
  EXPECT_EQ(leave(R"("max_tokens": 100, "stream": true)"), 1000) << "nothing has come";
  EXPECT_EQ(leave(R"("max_tokens": 100)"), 894) << "6 of the prompt, and as many as it asked for";
}

TEST_F(AccessTest, RevokedKeysEndAtTheNextRequest) {
  StartWith({Key("alice")}, Delivery::kManual);
  TestClient client(port());
  client.Request("POST", kChat, ChatBody(), Bearer("alice"));
  ASSERT_TRUE(Eventually([&] { return backend_->pending() == 1; }));
  access_->Replace({Key("bob")}, true, clock_.Now());
  ExpectError(Chat("alice"), 401, "authentication_error", "");
  backend_->DeliverAll();
  EXPECT_EQ(client.Read().status, 200) << "what runs goes on";
}

TEST_F(AccessTest, TheBackendKnowsWhoAsks) {
  ApiKey key = Key("alice");
  key.priority = 5;
  ApiKey admin = Key("root");
  admin.is_admin = true;
  StartWith({key, admin});
  EXPECT_EQ(Chat("alice").status, 200);
  EXPECT_EQ(Chat("alice", R"("priority": -9)").status, 200) << "no better than the key's";
  EXPECT_EQ(Chat("alice", R"("priority": 2)").status, 200);
  EXPECT_EQ(Chat("root", R"("priority": -9)").status, 200);
  const std::vector<FakeCall> calls = backend_->generations();
  ASSERT_EQ(calls.size(), 4u);
  EXPECT_EQ(calls[0].request.client, "alice");
  EXPECT_EQ(calls[0].request.priority, 5);
  EXPECT_EQ(calls[1].request.priority, 5);
  EXPECT_EQ(calls[2].request.priority, 7);
  EXPECT_EQ(calls[3].request.priority, -9);
  ExpectError(Chat("root", R"("priority": "high")"), 400, "invalid_request_error", "priority");
}

TEST_F(AccessTest, TheEarlierDeadlineCounts) {
  ServerOptions options;
  options.request_timeout = std::chrono::seconds(10);
  Start(options);
  const auto deadline_with = [&](const std::string& headers) {
    EXPECT_EQ(Post(kChat, ChatBody(), headers).status, 200);
    return backend_->generations().back().request.deadline - clock_.Now();
  };
  EXPECT_EQ(deadline_with(""), std::chrono::seconds(10));
  EXPECT_EQ(deadline_with("x-request-timeout-ms: 1500\r\n"), std::chrono::milliseconds(1500));
  EXPECT_EQ(deadline_with("x-request-timeout-ms: 60000\r\n"), std::chrono::seconds(10));
  ExpectError(Post(kChat, ChatBody(), "x-request-timeout-ms: soon\r\n"), 400,
              "invalid_request_error", "");
}

TEST_F(AccessTest, CorsIsOffByDefault) {
  Start();
  const Response response = Post(kChat, ChatBody(), "Origin: https://chat.example.org\r\n");
  EXPECT_FALSE(response.headers.Has("access-control-allow-origin"));
  EXPECT_EQ(response.headers.Get("x-content-type-options"), "nosniff");
  TestClient client(port());
  client.Request("OPTIONS", kChat, "", "Origin: https://chat.example.org\r\n");
  EXPECT_EQ(client.Read().status, 405);
}

TEST_F(AccessTest, CorsForNamedOrigins) {
  access_ = std::make_shared<AccessControl>(std::vector<ApiKey>{Key("alice")}, true, clock_.Now());
  ServerOptions options;
  options.access = access_;
  options.cors_origins = {"https://chat.example.org"};
  Start(options);
  const auto ask = [&](const std::string& origin) {
    TestClient client(port());
    client.Request("OPTIONS", kChat, "",
                   "Origin: " + origin + "\r\nAccess-Control-Request-Method: POST\r\n" +
                       "Access-Control-Request-Headers: authorization,content-type\r\n");
    return client.Read();
  };
  const Response preflight = ask("https://chat.example.org");
  EXPECT_EQ(preflight.status, 200) << "without a key: browsers send none";
  EXPECT_EQ(preflight.headers.Get("access-control-allow-origin"), "https://chat.example.org");
  EXPECT_EQ(preflight.headers.Get("access-control-allow-methods"), "POST");
  EXPECT_THAT(std::string(preflight.headers.Get("access-control-allow-headers")),
              HasSubstr("authorization"));
  EXPECT_EQ(preflight.headers.Get("vary"), "Origin");
  EXPECT_FALSE(ask("https://evil.example.org").headers.Has("access-control-allow-origin"));
  EXPECT_FALSE(ask("https://chat.example.org.evil.org").headers.Has("access-control-allow-origin"));

  const std::string origin = "Origin: https://chat.example.org\r\n";
  const Response refused = Post(kChat, ChatBody(), origin);
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.headers.Get("access-control-allow-origin"), "https://chat.example.org")
      << "so that the page can show why";
  const Response stream = Post(kChat, ChatBody(R"("stream": true)"), origin + Bearer("alice"));
  EXPECT_EQ(stream.headers.Get("access-control-allow-origin"), "https://chat.example.org");
}

// Without keys, being able to reach the server is all that it takes, and a browser can.
class ForeignPageTest : public ServerTest {
 protected:
  // Of a request with these headers, and with this Host if it is not empty.
  int Status(const std::string& headers, const std::string& host = "localhost") {
    TestClient client(port());
    const std::string body = ChatBody();
    client.Send("POST " + std::string(kChat) + " HTTP/1.1\r\nHost: " + host + "\r\n" + headers +
                "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    return client.Read().status;
  }
};

TEST_F(ForeignPageTest, PagesOfOtherSitesAreRefused) {
  Start();
  const std::string evil = "Origin: https://evil.example\r\n";
  EXPECT_EQ(Status(""), 200) << "no browser";
  EXPECT_EQ(Status(evil), 403);
  EXPECT_EQ(Status(evil + "Sec-Fetch-Site: cross-site\r\n"), 403);
  EXPECT_EQ(Status("Origin: null\r\n"), 403) << "a file, or a sandboxed frame";
  EXPECT_EQ(Status("Origin: http://localhost:8080\r\n", "localhost:8080"), 200) << "its own page";
  EXPECT_EQ(Status("Origin: http://localhost:3000\r\n", "localhost:8080"), 403)
      << "another server's on this machine";
  EXPECT_EQ(Status("Origin: https://ai.example.org\r\nSec-Fetch-Site: same-origin\r\n"), 200)
      << "its own page, behind a proxy";
}

TEST_F(ForeignPageTest, NamesOfTheWideWorldAreNotThisMachines) {
  Start();
  for (const char* host :
       {"127.0.0.1:8080", "[::1]:8080", "localhost", "workstation", "a.localhost"}) {
    EXPECT_EQ(Status("", host), 200) << host;
  }
  EXPECT_EQ(Status("", "rebound.example:8080"), 403);
  EXPECT_EQ(Status("Origin: http://rebound.example:8080\r\nSec-Fetch-Site: same-origin\r\n",
                   "rebound.example:8080"),
            403);
  EXPECT_EQ(Get("/health").status, 200);
}

TEST_F(ForeignPageTest, OriginsThatAreNamedMayAsk) {
  ServerOptions options;
  options.cors_origins = {"https://chat.example.org"};
  Start(options);
  EXPECT_EQ(Status("Origin: https://chat.example.org\r\nSec-Fetch-Site: cross-site\r\n"), 200);
  EXPECT_EQ(Status("", "chat.example.org"), 200);
  EXPECT_EQ(Status("Origin: https://evil.example\r\n"), 403);
}

TEST_F(ForeignPageTest, AKeyIsEnough) {
  ServerOptions options;
  options.api_key = "key";
  Start(options);
  EXPECT_EQ(Status("Origin: https://evil.example\r\nAuthorization: Bearer key\r\n", "any.example"),
            200);
}

}  // namespace
}  // namespace aio
