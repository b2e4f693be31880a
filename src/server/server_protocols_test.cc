// The Responses, Messages, embeddings and tokenizer routes over real sockets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "server/server_test_fixture.h"

namespace aio {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Response = TestClient::Response;

constexpr char kMessages[] = R"({"model": "pocket-small", "max_tokens": 8,
    "stop_sequences": ["END"], "messages": [{"role": "user", "content": "Hi there"}]})";
constexpr char kMessagesStream[] = R"({"model": "pocket-small", "max_tokens": 8, "stream": true,
    "stop_sequences": ["END"], "messages": [{"role": "user", "content": "Hi there"}]})";

struct NamedEvent {
  std::string type;
  Json data;
};

// Of a stream of named events.
std::vector<NamedEvent> NamedEvents(const std::string& body) {
  std::vector<NamedEvent> events;
  std::istringstream lines(body);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("event: ")) events.push_back({line.substr(7), {}});
    if (!line.starts_with("data: ")) continue;
    EXPECT_FALSE(events.empty());
    events.back().data = Json::parse(line.substr(6));
    EXPECT_EQ(events.back().data["type"], events.back().type);
  }
  return events;
}

std::vector<std::string> Types(const std::vector<NamedEvent>& events) {
  std::vector<std::string> types;
  types.reserve(events.size());
  for (const NamedEvent& event : events) types.push_back(event.type);
  return types;
}

FakeAnswer Failing() {
  FakeAnswer answer;
  answer.error = Unavailable("gone");
  return answer;
}

FakeAnswer StoppedBy(std::string stop_string) {
  FakeAnswer answer;
  answer.stop_string = std::move(stop_string);
  return answer;
}

TEST_F(ServerTest, Responses) {
  Start();
  const Response response =
      Post("/v1/responses", R"({"model": "auto", "input": "Hi there", "max_output_tokens": 9})");
  EXPECT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(response.headers.Get("x-aio-intent"), "code");
  const Json json = Json::parse(response.body);
  EXPECT_THAT(json["id"].get<std::string>(), StartsWith("resp_"));
  EXPECT_EQ(json["status"], "completed");
  EXPECT_EQ(json["output"][0]["content"][0]["text"], "Hello world");
  EXPECT_EQ(json["usage"]["input_tokens"], 2);
  EXPECT_EQ(json["aio"]["rule"], "small-code");
  EXPECT_EQ(backend_->generations()[0].request.sampling.max_tokens, 9);
}

TEST_F(ServerTest, ResponsesStream) {
  Start();
  const Response response = Post("/v1/responses", R"({"input": "Hi", "stream": true})");
  EXPECT_TRUE(response.complete);
  const std::vector<NamedEvent> events = NamedEvents(response.body);
  EXPECT_THAT(Types(events),
              ElementsAre("response.created", "response.in_progress", "response.output_item.added",
                          "response.content_part.added", "response.output_text.delta",
                          "response.output_text.delta", "response.output_text.delta",
                          "response.output_text.done", "response.content_part.done",
                          "response.output_item.done", "response.completed"));
  for (size_t i = 0; i < events.size(); ++i) EXPECT_EQ(events[i].data["sequence_number"], i);
  EXPECT_EQ(events.back().data["response"]["output"][0]["content"][0]["text"], "Hello world");
}

TEST_F(ServerTest, ResponsesNameTheirOwnFields) {
  Start();
  ExpectError(Post("/v1/responses", R"({"input": "Hi", "store": true})"), 400,
              "invalid_request_error", "store");
  backend_->Update("auto", [](FakeModel& model) {
    model.generate_refusal = InvalidArgument("too long").WithParam("messages");
  });
  ExpectError(Post("/v1/responses", R"({"input": "Hi"})"), 400, "invalid_request_error", "input");
}

TEST_F(ServerTest, AFailedResponsesStreamSaysSo) {
  Start();
  backend_->Update(
      "auto", [](FakeModel& model) { model.answer = [](const Request&) { return Failing(); }; });
  const Response response = Post("/v1/responses", R"({"input": "Hi", "stream": true})");
  const std::vector<NamedEvent> events = NamedEvents(response.body);
  ASSERT_GE(events.size(), 2u);
  EXPECT_EQ(events[events.size() - 2].type, "error");
  EXPECT_EQ(events.back().type, "response.failed");
  EXPECT_EQ(events.back().data["response"]["error"]["message"], "gone");
}

TEST_F(ServerTest, Messages) {
  Start();
  backend_->Update("pocket-small", [](FakeModel& model) {
    model.answer = [](const Request&) { return StoppedBy("END"); };
  });
  const Response response = Post("/v1/messages", kMessages);
  EXPECT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(response.headers.Get("request-id"), response.headers.Get("x-request-id"));
  const Json json = Json::parse(response.body);
  EXPECT_EQ(json["type"], "message");
  EXPECT_EQ(json["content"], Json::parse(R"([{"type": "text", "text": "Hello world"}])"));
  EXPECT_EQ(json["stop_reason"], "stop_sequence");
  EXPECT_EQ(json["stop_sequence"], "END");
  EXPECT_EQ(json["usage"]["output_tokens"], 3);
}

TEST_F(ServerTest, OnlyStopStringsOfTheClientsAreTold) {
  Start();
  backend_->Update("pocket-small", [](FakeModel& model) {
    model.answer = [](const Request&) { return StoppedBy("<|im_end|>"); };
  });
  const Json json = Json::parse(Post("/v1/messages", kMessages).body);
  EXPECT_EQ(json["stop_reason"], "end_turn");
  EXPECT_EQ(json["stop_sequence"], nullptr);
}

TEST_F(ServerTest, MessagesStream) {
  Start();
  const Response response = Post("/v1/messages", kMessagesStream);
  EXPECT_EQ(response.headers.Get("content-type"), "text/event-stream; charset=utf-8");
  const std::vector<NamedEvent> events = NamedEvents(response.body);
  EXPECT_THAT(Types(events),
              ElementsAre("message_start", "ping", "content_block_start", "content_block_delta",
                          "content_block_delta", "content_block_delta", "content_block_stop",
                          "message_delta", "message_stop"));
  EXPECT_EQ(events[7].data["delta"]["stop_reason"], "end_turn");
}

TEST_F(ServerTest, MessagesFailInAnthropicsForm) {
  ServerOptions options;
  options.api_key = "key";
  Start(options);
  const auto error_of = [](const Response& response) {
    const Json json = Json::parse(response.body);
    EXPECT_EQ(json["type"], "error");
    EXPECT_EQ(json["request_id"], std::string(response.headers.Get("x-request-id")));
    return json["error"]["type"].get<std::string>();
  };
  const Response keyless = Post("/v1/messages", kMessages);
  EXPECT_EQ(keyless.status, 401);
  EXPECT_EQ(error_of(keyless), "authentication_error");
  EXPECT_EQ(Post("/v1/messages", kMessages, "x-api-key: wrong\r\n").status, 401);
  constexpr char kKey[] = "x-api-key: key\r\n";
  EXPECT_EQ(Post("/v1/messages", kMessages, kKey).status, 200);
  EXPECT_EQ(Post("/v1/messages", kMessages, "Authorization: Bearer key\r\n").status, 200);
  const Response wrong = Post("/v1/messages", R"({"messages": []})", kKey);
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(error_of(wrong), "invalid_request_error");
  const Response unknown =
      Post("/v1/messages",
           R"({"model": "nope", "max_tokens": 1, "messages": [{"role": "user", "content": "x"}]})",
           kKey);
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(error_of(unknown), "not_found_error");
}

TEST_F(ServerTest, AFailedMessagesStreamSaysSo) {
  Start();
  backend_->Update("pocket-small", [](FakeModel& model) {
    model.answer = [](const Request&) { return Failing(); };
  });
  const std::vector<NamedEvent> events = NamedEvents(Post("/v1/messages", kMessagesStream).body);
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(events.back().type, "error");
  EXPECT_EQ(events.back().data["error"]["message"], "gone");
}

TEST_F(ServerTest, CountTokens) {
  Start();
  const Response response = Post("/v1/messages/count_tokens",
                                 R"({"messages": [{"role": "user", "content": "one two three"}]})");
  EXPECT_EQ(response.body, R"({"input_tokens":3})");
  EXPECT_TRUE(backend_->generations().empty());
}

TEST_F(ServerTest, Embeddings) {
  Start();
  const Response response =
      Post("/v1/embeddings", R"({"model": "pocket-small", "input": ["one two", "three"]})");
  EXPECT_EQ(response.status, 200) << response.body;
  const Json json = Json::parse(response.body);
  EXPECT_EQ(json["data"].size(), 2u);
  EXPECT_EQ(json["data"][1]["embedding"], Json::parse("[0.6, 0.8]"));
  EXPECT_EQ(json["usage"]["prompt_tokens"], 3);
  ExpectError(Post("/v1/embeddings", R"({"input": ""})"), 400, "invalid_request_error", "input");
  ExpectError(Post("/v1/embeddings", R"({"model": "nope", "input": "x"})"), 404, "not_found_error",
              "model");
  backend_->Update("pocket-small", [](FakeModel& model) {
    model.embed_fault = InvalidArgument("too long").WithParam("prompt");
  });
  ExpectError(Post("/v1/embeddings", R"({"model": "pocket-small", "input": "x"})"), 400,
              "invalid_request_error", "input");
}

TEST_F(ServerTest, EmbeddingsEndWithTheirClient) {
  Start({}, FakeBackend::Delivery::kManual);
  {
    TestClient client(port());
    client.Request("POST", "/v1/embeddings", R"({"model": "pocket-small", "input": "x"})", "");
    ASSERT_TRUE(Eventually([&] { return backend_->pending() == 1; }));
  }
  EXPECT_TRUE(Eventually([&] { return backend_->cancel_calls() == 1; }));
  backend_->DeliverAll();
}

TEST_F(ServerTest, Tokenizer) {
  Start();
  EXPECT_EQ(Json::parse(Post("/tokenize", R"({"content": "Hi"})").body)["tokens"],
            Json::parse("[72, 105]"));
  EXPECT_EQ(Json::parse(Post("/detokenize", R"({"tokens": [72, 105]})").body)["content"], "Hi");
  EXPECT_EQ(
      Json::parse(Post("/apply-template", R"({"messages": [{"role": "user", "content": "Hi"}]})")
                      .body)["prompt"],
      "user: Hi\nassistant: ");
  ExpectError(Post("/tokenize", R"({"model": "nope", "content": "x"})"), 404, "not_found_error",
              "model");
}

TEST_F(ServerTest, WhatABackendCannotDoItRefuses) {
  Start();
  backend_->Update("auto", [](FakeModel& model) { model.answers_text_queries = false; });
  const char* messages = R"({"messages": [{"role": "user", "content": "Hi"}]})";
  for (const Response& response :
       {Post("/tokenize", R"({"content": "Hi"})"), Post("/detokenize", R"({"tokens": [1]})"),
        Post("/apply-template", messages), Post("/v1/embeddings", R"({"input": "Hi"})")}) {
    ExpectError(response, 501, "not_implemented_error", "model");
    EXPECT_THAT(response.body, HasSubstr("'auto' cannot"));
  }
}

TEST_F(ServerTest, PropsAndSlots) {
  Start();
  backend_->Update("pocket-small", [](FakeModel& model) {
    model.info.running_max = 2;
    model.info.chat_template = "chatml";
    model.load.running = 1;
  });
  const Json props = Json::parse(Get("/props").body);
  EXPECT_EQ(props["model_alias"], "pocket-small");
  EXPECT_EQ(props["total_slots"], 2);
  EXPECT_EQ(Json::parse(Get("/props?model=auto").body), props);
  EXPECT_EQ(Json::parse(Get("/props?x=1&model=pocket%2Dsmall").body), props);
  ExpectError(Get("/props?model=nope"), 404, "not_found_error", "model");
  const Json slots = Json::parse(Get("/slots").body);
  ASSERT_EQ(slots.size(), 2u);
  EXPECT_EQ(slots[0]["is_processing"], true);
  EXPECT_EQ(slots[1]["is_processing"], false);
  EXPECT_EQ(Get("/slots?fail_on_no_slot=1").status, 200);
  backend_->Update("pocket-small", [](FakeModel& model) { model.load.running = 2; });
  EXPECT_EQ(Get("/slots?fail_on_no_slot=1").status, 503);
  EXPECT_EQ(Get("/slots?model=large").status, 404);
}

}  // namespace
}  // namespace aio
