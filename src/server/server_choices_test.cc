// Several answers to one prompt.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "server/server_test_fixture.h"

namespace aio {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Response = TestClient::Response;

// Answers with the seed, so that choices differ.
FakeAnswer SaySeed(const Request& request) {
  FakeAnswer answer;
  answer.tokens = {"seed ", std::to_string(request.sampling.seed)};
  return answer;
}

class ServerChoicesTest : public ServerTest {
 protected:
  void StartSaying(std::function<FakeAnswer(const Request&)> answer,
                   FakeBackend::Delivery delivery = FakeBackend::Delivery::kThread) {
    Start({}, delivery);
    for (const char* model : {"auto", "pocket-small"}) {
      backend_->Update(model, [&](FakeModel& m) { m.answer = answer; });
    }
  }
};

TEST_F(ServerChoicesTest, HaveSeedsOfTheirOwnAndOneModel) {
  StartSaying(SaySeed);
  const Response response =
      Post("/v1/chat/completions", ChatBody(R"("n": 3, "seed": 40)"), "x-request-id: r\r\n");
  ASSERT_EQ(response.status, 200) << response.body;
  const Json json = Json::parse(response.body);
  ASSERT_EQ(json["choices"].size(), 3u);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(json["choices"][i]["index"], i);
    EXPECT_EQ(json["choices"][i]["message"]["content"], "seed " + std::to_string(40 + i));
  }
  // The prompt counts once.
  EXPECT_EQ(json["usage"]["prompt_tokens"], 2);
  EXPECT_EQ(json["usage"]["completion_tokens"], 6);
  const std::vector<FakeCall> calls = backend_->generations();
  ASSERT_EQ(calls.size(), 3u);
  EXPECT_EQ(calls[0].request.model, "auto");
  EXPECT_FALSE(calls[0].had_held_prompt);
  EXPECT_EQ(calls[0].request.id, "r");
  for (int i : {1, 2}) {
    const Request& request = calls[i].request;
    EXPECT_EQ(request.model, "pocket-small") << "what the first was routed to";
    EXPECT_EQ(request.strategy->kind, StrategyKind::kPromptLookup);
    EXPECT_EQ(request.id, "r/" + std::to_string(i));
    EXPECT_EQ(request.prompt, calls[0].request.prompt);
    EXPECT_TRUE(calls[i].had_held_prompt);
  }
  EXPECT_EQ(backend_->held_prompts(), 0);
  EXPECT_EQ(MetricValue(Get("/metrics").body,
                        R"(aio_decisions_total{intent="code",model="pocket-small",role="small",)"
                        R"(rule="small-code",strategy="prompt_lookup"})"),
            "1");
}

TEST_F(ServerChoicesTest, BeginWithTheFirstOnesTokens) {
  StartSaying(SaySeed);
  EXPECT_EQ(Post("/v1/chat/completions", ChatBody()).status, 200);
  EXPECT_EQ(Post("/v1/chat/completions", ChatBody(R"("n": 2)")).status, 200);
  EXPECT_EQ(Post("/v1/chat/completions", ChatBody(R"("stream": true)")).status, 200);
  const std::vector<FakeCall> calls = backend_->generations();
  ASSERT_EQ(calls.size(), 4u);
  EXPECT_TRUE(calls[0].request.whole);
  EXPECT_FALSE(calls[1].request.whole) << "the other choice would wait for all of it";
  EXPECT_FALSE(calls[2].request.whole);
  EXPECT_FALSE(calls[3].request.whole);
}

TEST_F(ServerChoicesTest, AnAnswerThatComesAllAtOnceIsTimedAsItWasMade) {
  StartSaying(
      [](const Request&) {
        FakeAnswer answer;
        answer.timings.predicted_ms = 2000;
        return answer;
      },
      FakeBackend::Delivery::kManual);
  TestClient client(port());
  client.Request("POST", "/v1/chat/completions", ChatBody(), "");
  ASSERT_TRUE(Eventually([&] { return backend_->pending() == 1; }));
  clock_.Advance(std::chrono::seconds(3));
  backend_->DeliverAll();
  EXPECT_EQ(client.Read().status, 200);
  const std::string metrics = Get("/metrics").body;
  const std::string model = R"({model="auto"})";
  EXPECT_EQ(MetricValue(metrics, "aio_time_to_first_token_seconds_sum" + model), "1");
  EXPECT_EQ(MetricValue(metrics, "aio_time_per_output_token_seconds_sum" + model), "1")
      << "two seconds for all but the first of three";
}

TEST_F(ServerChoicesTest, StreamsInterleave) {
  StartSaying(SaySeed);
  const Response response = Post(
      "/v1/chat/completions",
      ChatBody(R"("n": 2, "seed": 7, "stream": true, "stream_options": {"include_usage": true})"));
  const std::vector<std::string> events = Events(response.body);
  ASSERT_EQ(events.back(), "[DONE]");
  std::map<int, std::string> texts;
  std::map<int, int> ends;
  for (size_t i = 0; i + 1 < events.size(); ++i) {
    const Json json = Json::parse(events[i]);
    if (json["choices"].empty()) {
      EXPECT_EQ(json["usage"]["completion_tokens"], 4);
      continue;
    }
    const Json& choice = json["choices"][0];
    const int index = choice["index"];
    if (choice["delta"].contains("content")) {
      texts[index] += choice["delta"]["content"].get<std::string>();
    }
    if (!choice["finish_reason"].is_null()) ++ends[index];
  }
  EXPECT_THAT(texts, ElementsAre(testing::Pair(0, "seed 7"), testing::Pair(1, "seed 8")));
  EXPECT_THAT(ends, ElementsAre(testing::Pair(0, 1), testing::Pair(1, 1)));
}

TEST_F(ServerChoicesTest, OfCompletionsToo) {
  StartSaying(SaySeed);
  const Json json = Json::parse(
      Post("/v1/completions", R"({"model": "pocket-small", "prompt": "x", "n": 2, "seed": 1})")
          .body);
  EXPECT_EQ(json["choices"][1]["text"], "seed 2");
}

TEST_F(ServerChoicesTest, EmptyAnswersCount) {
  StartSaying([](const Request&) {
    FakeAnswer answer;
    answer.tokens.clear();
    return answer;
  });
  const Json json = Json::parse(Post("/v1/chat/completions", ChatBody(R"("n": 3)")).body);
  ASSERT_EQ(json["choices"].size(), 3u);
  EXPECT_EQ(json["choices"][2]["message"]["content"], "");
}

TEST_F(ServerChoicesTest, AllFailWithOne) {
  StartSaying([](const Request& request) {
    FakeAnswer answer;
    if (request.sampling.seed == 2) answer.error = Unavailable("gone");
    return answer;
  });
  ExpectError(Post("/v1/chat/completions", ChatBody(R"("n": 3, "seed": 1)")), 503,
              "service_unavailable_error", "");
  const Response stream =
      Post("/v1/chat/completions", ChatBody(R"("n": 3, "seed": 1, "stream": true)"));
  EXPECT_THAT(Events(stream.body).back(), HasSubstr("gone"));
}

TEST_F(ServerChoicesTest, ARefusedChoiceFailsAll) {
  StartSaying(SaySeed);
  backend_->Update("pocket-small", [](FakeModel& model) {
    model.generate_refusal = ResourceExhausted("the queue is full").WithReason("queue_full");
  });
  ExpectError(Post("/v1/chat/completions", ChatBody(R"("n": 2)")), 429, "rate_limit_error", "");
}

TEST_F(ServerChoicesTest, EndWithTheirClient) {
  StartSaying(SaySeed, FakeBackend::Delivery::kManual);
  {
    TestClient client(port());
    client.Request("POST", "/v1/chat/completions", ChatBody(R"("n": 3)"), "");
    ASSERT_TRUE(Eventually([&] { return backend_->pending() == 1; }));
    backend_->DeliverOne();  // start
    backend_->DeliverOne();  // the first token, and the others begin
    ASSERT_EQ(backend_->pending(), 3);
  }
  EXPECT_TRUE(Eventually([&] { return backend_->cancel_calls() == 3; }));
  backend_->DeliverAll();
}

}  // namespace
}  // namespace aio
