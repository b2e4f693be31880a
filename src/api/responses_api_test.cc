#include "api/responses_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "api/golden_test_file.h"
#include "api/test_answers.h"

namespace aio {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using Json = nlohmann::json;

constexpr char kGolden[] = AIO_SOURCE_DIR "/src/api/golden";

std::string Body(const std::string& members) {
  return R"({"model": "auto", "input": "Hi")" + (members.empty() ? "" : ", " + members) + "}";
}

ResponsesRequest Decoded(const std::string& body) {
  Result<ResponsesRequest> result = DecodeResponsesRequest(body);
  EXPECT_TRUE(result.ok()) << result.status().ToString();
  return result.ok() ? *result : ResponsesRequest{};
}

std::vector<ChatMessage> MessagesOf(const std::string& body) {
  return std::get<std::vector<ChatMessage>>(Decoded(body).api.request.prompt);
}

std::string Refused(const std::string& body) {
  const Result<ResponsesRequest> result = DecodeResponsesRequest(body);
  if (result.ok()) return "(accepted)";
  EXPECT_EQ(result.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(result.status().message(), HasSubstr("'" + result.status().param() + "'"));
  return result.status().param();
}

TEST(ResponsesApiTest, TextIsAUsersMessage) {
  const ResponsesRequest decoded = Decoded(Body(""));
  EXPECT_EQ(decoded.api.kind, ApiKind::kResponse);
  EXPECT_EQ(decoded.api.request.model, "auto");
  EXPECT_FALSE(decoded.api.stream);
  EXPECT_FALSE(decoded.api.request.sampling.max_tokens);
  EXPECT_EQ(MessagesOf(Body("")), (std::vector<ChatMessage>{{"user", "Hi"}}));
}

TEST(ResponsesApiTest, ItemsAndInstructionsAreAConversation) {
  const std::string body = R"({"instructions": "Be brief.", "input": [
      {"role": "developer", "content": "Rhyme."},
      {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "a"},
                                                      {"type": "input_text", "text": "b"}]},
      {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant",
       "content": [{"type": "output_text", "text": "c", "annotations": []}]},
      {"role": "user", "content": "d"}]})";
  EXPECT_EQ(MessagesOf(body), (std::vector<ChatMessage>{{"system", "Be brief."},
                                                        {"system", "Rhyme."},
                                                        {"user", "a\nb"},
                                                        {"assistant", "c"},
                                                        {"user", "d"}}));
  EXPECT_EQ(Decoded(body).echo.instructions, "Be brief.");
}

TEST(ResponsesApiTest, Parameters) {
  const ResponsesRequest decoded = Decoded(Body(
      R"("max_output_tokens": 9, "temperature": 0.5, "top_p": 0.25, "seed": 3, "stream": true,
         "metadata": {"a": "1", "b": "2"}, "top_logprobs": 2, "parallel_tool_calls": false,
         "include": ["message.output_text.logprobs", "reasoning.encrypted_content"],
         "user": "me", "service_tier": "auto", "aio": {"strategy": "auto"})"));
  const SamplingParams& sampling = decoded.api.request.sampling;
  EXPECT_EQ(sampling.max_tokens, 9);
  EXPECT_EQ(sampling.temperature, 0.5f);
  EXPECT_EQ(sampling.seed, 3u);
  EXPECT_EQ(sampling.top_logprobs, 2);
  EXPECT_TRUE(decoded.api.stream);
  EXPECT_EQ(decoded.api.request.strategy->kind, StrategyKind::kAuto);
  EXPECT_EQ(decoded.echo.max_output_tokens, 9);
  EXPECT_EQ(decoded.echo.top_p, 0.25f);
  EXPECT_FALSE(decoded.echo.parallel_tool_calls);
  EXPECT_THAT(decoded.echo.metadata, ElementsAre(Pair("a", "1"), Pair("b", "2")));
  EXPECT_EQ(Decoded(Body(R"("include": ["message.output_text.logprobs"])"))
                .api.request.sampling.top_logprobs,
            0);
  EXPECT_EQ(Decoded(Body(R"("include": [])")).api.request.sampling.top_logprobs, -1);
}

TEST(ResponsesApiTest, WhatAsksForNothingIsTaken) {
  Decoded(Body(R"("store": false, "background": false, "previous_response_id": null, "tools": [],
                  "tool_choice": "auto", "truncation": "disabled", "n": 1,
                  "text": {"format": {"type": "text"}, "verbosity": "medium"},
                  "reasoning": {"effort": null, "summary": null})"));
}

TEST(ResponsesApiTest, WhatIsNotSupportedIsRefusedByName) {
  for (const auto& [member, field] : std::vector<std::pair<std::string, std::string>>{
           {R"("store": true)", "store"},
           {R"("previous_response_id": "resp_1")", "previous_response_id"},
           {R"("conversation": "conv_1")", "conversation"},
           {R"("background": true)", "background"},
           {R"("prompt": {"id": "p"})", "prompt"},
           {R"("messages": [])", "messages"},
           {R"("tools": [{"type": "web_search"}])", "tools[0].type"},
           {R"("tool_choice": "required")", "tool_choice"},
           {R"("text": {"format": {"type": "xml"}})", "text.format.type"},
           {R"("text": "json")", "text"},
           {R"("text": {"verbosity": "low"})", "text"},
           {R"("reasoning": {"effort": "high"})", "reasoning"},
           {R"("truncation": "auto")", "truncation"},
           {R"("max_tokens": 5)", "max_tokens"},
           {R"("n": 2)", "n"},
       }) {
    EXPECT_EQ(Refused(Body(member)), field);
  }
  EXPECT_THAT(DecodeResponsesRequest(Body(R"("store": true)")).status().message(),
              HasSubstr("use store = false"));
  EXPECT_THAT(DecodeResponsesRequest(Body(R"("previous_response_id": "x")")).status().message(),
              HasSubstr("send the whole conversation as 'input'"));
}

TEST(ResponsesApiTest, WrongFieldsAreRefusedByName) {
  const auto input = [](const std::string& json) { return R"({"input": )" + json + "}"; };
  EXPECT_EQ(Refused("{}"), "input");
  EXPECT_EQ(Refused(input("7")), "input");
  EXPECT_EQ(Refused(input("[]")), "input");
  EXPECT_EQ(Refused(input("[7]")), "input[0]");
  EXPECT_EQ(Refused(input(R"([{"role": "tool", "content": "x"}])")), "input[0].role");
  EXPECT_EQ(Refused(input(R"([{"type": "function_call_output", "output": "x"}])")),
            "input[0].call_id");
  EXPECT_EQ(Refused(input(R"([{"type": "function_call_output", "call_id": "1"}])")),
            "input[0].output");
  EXPECT_EQ(Refused(input(R"([{"type": "function_call", "call_id": "1", "name": "f"}])")),
            "input[0].arguments");
  EXPECT_EQ(Refused(input(R"([{"type": "reasoning"}])")), "input[0].type");
  EXPECT_EQ(Refused(input(R"([{"type": "item_reference", "id": "x"}])")), "input[0].type");
  EXPECT_EQ(Refused(input(R"([{"role": "user"}])")), "input[0].content");
  EXPECT_EQ(Refused(input(R"([{"role": "user", "content": [{"type": "input_image"}]}])")),
            "input[0].content[0].type");
  EXPECT_EQ(Refused(Body(R"("instructions": 1)")), "instructions");
  EXPECT_EQ(Refused(Body(R"("max_output_tokens": 0)")), "max_output_tokens");
  EXPECT_EQ(Refused(Body(R"("metadata": [])")), "metadata");
  EXPECT_EQ(Refused(Body(R"("metadata": {"a": 1})")), "metadata.a");
  EXPECT_EQ(Refused(Body(R"("metadata": {"a": ")" + std::string(513, 'x') + "\"}")), "metadata.a");
  EXPECT_EQ(Refused(Body(R"("include": "x")")), "include");
  EXPECT_EQ(Refused(Body(R"("top_logprobs": 21)")), "top_logprobs");
}

TEST(ResponsesApiTest, ToolsAreThoseOfAChat) {
  const std::string tools = R"([{"type": "function", "name": "f", "strict": true,
      "parameters": {"z": 1, "a": 2}}])";
  const ResponsesRequest decoded =
      Decoded(Body("\"tools\": " + tools + R"(, "tool_choice": "auto")"));
  EXPECT_EQ(decoded.api.request.tools,
            R"([{"type": "function", "function": {"name": "f", "parameters": {"z": 1, "a": 2}, )"
            R"("strict": true}}])");
  EXPECT_EQ(decoded.echo.tools, tools);
  EXPECT_EQ(decoded.echo.tool_choice, "auto");
  EXPECT_EQ(Decoded(Body("\"tools\": " + tools + R"(, "tool_choice": "none")")).api.request.tools,
            "");
  EXPECT_EQ(Refused(Body(R"("tools": [{"type": "function"}])")), "tools[0].name");
}

TEST(ResponsesApiTest, CallsAndWhatTheyGaveAreTurns) {
  const std::string body = R"({"input": [{"role": "user", "content": "a"},
      {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "b"}]},
      {"type": "function_call", "id": "fc", "call_id": "1", "name": "f", "arguments": "{}"},
      {"type": "function_call", "call_id": "2", "name": "g", "arguments": "{\"x\": 1}"},
      {"type": "function_call_output", "call_id": "1", "output": "c"},
      {"type": "function_call_output", "call_id": "2",
       "output": [{"type": "input_text", "text": "d"}]}]})";
  EXPECT_EQ(MessagesOf(body), (std::vector<ChatMessage>{
                                  {"user", "a"},
                                  {"assistant", "b", {{"1", "f", "{}"}, {"2", "g", R"({"x": 1})"}}},
                                  {.role = "tool", .content = "c", .tool_call_id = "1"},
                                  {.role = "tool", .content = "d", .tool_call_id = "2"}}));
}

ResponsesEcho Echo() {
  ResponsesEcho echo;
  echo.instructions = "Be brief.";
  echo.metadata = {{"a", "1"}};
  echo.max_output_tokens = 2;
  echo.temperature = 0.7f;
  return echo;
}

TEST(ResponsesApiTest, AnswerByteForByte) {
  const auto encoder = MakeResponsesEncoder(Echo(), "0", 1700000000);
  ExpectGolden(kGolden, "response.json",
               encoder->Whole(RoutedStart(), {{.text = "Hi there", .logprobs = {}}},
                              FinishedBy(FinishReason::kLength)));
}

TEST(ResponsesApiTest, EventsByteForByte) {
  ResponsesEcho echo = Echo();
  echo.top_logprobs = 1;
  const auto encoder = MakeResponsesEncoder(std::move(echo), "0", 1700000000);
  std::string bytes = encoder->Start(RoutedStart());
  bytes += encoder->Delta(0, TextWithLogprob("Hi", -0.5f));
  bytes += encoder->Delta(0, TextWithLogprob(" there", -0.25f));
  const FinishEvent finish = FinishedBy(FinishReason::kStop);
  bytes += encoder->End(0, finish);
  bytes += encoder->Finish(finish);
  ExpectGolden(kGolden, "response_events.txt", bytes);
}

TEST(ResponsesApiTest, CallsAreItemsOfTheOutput) {
  ResponsesEcho echo;
  echo.tools = R"([{"type": "function", "name": "f"}])";
  WholeAnswer answer;
  answer.tool_calls = {{"1", "f", R"({"a":1})"}};
  const Json json =
      Json::parse(MakeResponsesEncoder(echo, "0", 1700000000)
                      ->Whole(RoutedStart(), {answer}, FinishedBy(FinishReason::kStop)));
  EXPECT_EQ(json["output"], Json::parse(R"([{"id": "fc_0_0", "type": "function_call",
      "status": "completed", "call_id": "1", "name": "f", "arguments": "{\"a\":1}"}])"));
  EXPECT_EQ(json["tools"][0]["name"], "f");
  EXPECT_EQ(json["status"], "completed");
}

TEST(ResponsesApiTest, EventsOfCallsByteForByte) {
  const auto encoder = MakeResponsesEncoder({}, "0", 1700000000);
  std::string bytes = encoder->Start(RoutedStart());
  bytes += encoder->Delta(0, Text("Hm"));
  TokenEvent calls = Text("");
  calls.tool_calls = {{"1", "f", R"({"a":1})"}, {"2", "g", "{}"}};
  bytes += encoder->Delta(0, calls);
  const FinishEvent finish = FinishedBy(FinishReason::kStop);
  bytes += encoder->End(0, finish);
  bytes += encoder->Finish(finish);
  ExpectGolden(kGolden, "response_tool_events.txt", bytes);
}

TEST(ResponsesApiTest, AStreamMayFail) {
  const auto encoder = MakeResponsesEncoder({}, "0", 1700000000);
  encoder->Start({.model = "m", .decision = std::nullopt, .prompt_tokens = 1});
  ExpectGolden(kGolden, "response_failed.txt", encoder->Fail(Unavailable("It is gone.")));
}

TEST(ResponsesApiTest, EventsWithoutNewsAreNotSent) {
  const auto encoder = MakeResponsesEncoder({}, "0", 1700000000);
  EXPECT_EQ(encoder->Delta(0, {}), "");
}

}  // namespace
}  // namespace aio
