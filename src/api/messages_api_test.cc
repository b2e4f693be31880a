#include "api/messages_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "api/golden_test_file.h"
#include "api/test_answers.h"

namespace aio {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Json = nlohmann::json;

constexpr char kGolden[] = AIO_SOURCE_DIR "/src/api/golden";

std::string Body(const std::string& members, const std::string& max_tokens = "8") {
  return R"({"model": "auto", "max_tokens": )" + max_tokens +
         R"(, "messages": [{"role": "user", "content": "Hi"}])" +
         (members.empty() ? "" : ", " + members) + "}";
}
std::string Messages(const std::string& messages) {
  return R"({"max_tokens": 8, "messages": )" + messages + "}";
}

ApiRequest Decoded(const std::string& body) {
  Result<ApiRequest> result = DecodeMessagesRequest(body);
  EXPECT_TRUE(result.ok()) << result.status().ToString();
  return result.ok() ? *result : ApiRequest{};
}

std::vector<ChatMessage> MessagesOf(const std::string& body) {
  return std::get<std::vector<ChatMessage>>(Decoded(body).request.prompt);
}

std::string Refused(const std::string& body) {
  const Result<ApiRequest> result = DecodeMessagesRequest(body);
  if (result.ok()) return "(accepted)";
  EXPECT_EQ(result.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(result.status().message(), HasSubstr("'" + result.status().param() + "'"));
  return result.status().param();
}

TEST(MessagesApiTest, Conversation) {
  const std::string body = R"({"max_tokens": 8, "system": [{"type": "text", "text": "Be brief.",
      "cache_control": {"type": "ephemeral"}}], "messages": [
      {"role": "user", "content": "a"},
      {"role": "user", "content": [{"type": "text", "text": "b"}, {"type": "text", "text": "c"}]},
      {"role": "assistant", "content": [{"type": "text", "text": "d"}]},
      {"role": "user", "content": "e"}]})";
  EXPECT_EQ(MessagesOf(body),
            (std::vector<ChatMessage>{
                {"system", "Be brief."}, {"user", "a\nb\nc"}, {"assistant", "d"}, {"user", "e"}}));
  EXPECT_EQ(Decoded(body).request.model, "auto");
}

TEST(MessagesApiTest, Parameters) {
  const ApiRequest decoded =
      Decoded(Body(R"("system": "s", "stop_sequences": ["a", "b"], "temperature": 0.5, "top_k": 3,
              "top_p": 0.5, "stream": true, "seed": 4, "metadata": {"user_id": "me"},
              "thinking": {"type": "disabled"}, "tools": [], "tool_choice": {"type": "auto"})"));
  const SamplingParams& sampling = decoded.request.sampling;
  EXPECT_EQ(decoded.kind, ApiKind::kMessage);
  EXPECT_EQ(sampling.max_tokens, 8);
  EXPECT_THAT(sampling.stop, ElementsAre("a", "b"));
  EXPECT_EQ(sampling.top_k, 3);
  EXPECT_EQ(sampling.seed, 4u);
  EXPECT_EQ(sampling.top_logprobs, -1);
  EXPECT_TRUE(decoded.stream);
}

TEST(MessagesApiTest, WhatIsNotSupportedIsRefusedByName) {
  for (const auto& [member, field] : std::vector<std::pair<std::string, std::string>>{
           {R"("tools": [{"type": "bash_20250124", "name": "bash"}])", "tools[0].type"},
           {R"("tool_choice": {"type": "any"})", "tool_choice"},
           {R"("thinking": {"type": "enabled", "budget_tokens": 1024})", "thinking"},
           {R"("mcp_servers": [{}])", "mcp_servers"},
           {R"("container": "c")", "container"},
           {R"("stop": "x")", "stop"},
       }) {
    EXPECT_EQ(Refused(Body(member)), field);
  }
  EXPECT_EQ(Refused(Messages(R"([{"role": "user", "content": [{"type": "image"}]}])")),
            "messages[0].content[0].type");
  EXPECT_EQ(Refused(Messages(R"([{"role": "assistant", "content": [{"type": "tool_result"}]}])")),
            "messages[0].content[0].type");
  EXPECT_EQ(Refused(Messages(R"([{"role": "user", "content": [{"type": "tool_use"}]}])")),
            "messages[0].content[0].type");
}

TEST(MessagesApiTest, ToolsAreThoseOfAChat) {
  const std::string tools = R"("tools": [{"name": "f", "input_schema":
      {"type": "object", "properties": {"z": {}, "a": {}}}, "description": "d",
      "cache_control": {"type": "ephemeral"}}])";
  EXPECT_EQ(Decoded(Body(tools)).request.tools,
            R"([{"type": "function", "function": {"name": "f", "description": "d", )"
            R"("parameters": {"type": "object", "properties": {"z": {}, "a": {}}}}}])");
  EXPECT_EQ(Decoded(Body(tools + R"(, "tool_choice": {"type": "none"})")).request.tools, "");
  const Result<ApiRequest> counted = DecodeCountTokensRequest(Body(tools));
  ASSERT_TRUE(counted.ok());
  EXPECT_NE(counted->request.tools, "") << "they are part of the prompt";
  EXPECT_EQ(Refused(Body(R"("tools": {})")), "tools");
  EXPECT_EQ(Refused(Body(R"("tools": [7])")), "tools[0]");
  EXPECT_EQ(Refused(Body(R"("tools": [{"input_schema": {}}])")), "tools[0].name");
  EXPECT_EQ(Refused(Body(R"("tools": [{"name": "f", "input_schema": 7}])")),
            "tools[0].input_schema");
}

TEST(MessagesApiTest, CallsAndWhatTheyGaveAreTurns) {
  EXPECT_EQ(
      MessagesOf(Messages(R"([{"role": "user", "content": "a"},
          {"role": "assistant", "content": [{"type": "text", "text": "b"},
              {"type": "tool_use", "id": "1", "name": "f", "input": {"x": 1}},
              {"type": "tool_use", "id": "2", "name": "g"}]},
          {"role": "user", "content": [
              {"type": "tool_result", "tool_use_id": "1", "content": "c"},
              {"type": "tool_result", "tool_use_id": "2", "is_error": true,
               "content": [{"type": "text", "text": "d"}]},
              {"type": "text", "text": "e"}]}])")),
      (std::vector<ChatMessage>{{"user", "a"},
                                {"assistant", "b", {{"1", "f", R"({"x":1})"}, {"2", "g", "{}"}}},
                                {.role = "tool", .content = "c", .tool_call_id = "1"},
                                {.role = "tool", .content = "d", .tool_call_id = "2"},
                                {"user", "e"}}));
  const auto with = [](const std::string& role, const std::string& block) {
    return Messages(R"([{"role": ")" + role + R"(", "content": [)" + block + "]}]");
  };
  EXPECT_EQ(MessagesOf(with("user", R"({"type": "tool_result", "tool_use_id": "1"})")).size(), 1u);
  EXPECT_EQ(Refused(with("user", R"({"type": "tool_result"})")),
            "messages[0].content[0].tool_use_id");
  EXPECT_EQ(Refused(with("assistant", R"({"type": "tool_use", "id": "1"})")),
            "messages[0].content[0].name");
  EXPECT_EQ(
      Refused(with("assistant", R"({"type": "tool_use", "id": "1", "name": "f", "input": 7})")),
      "messages[0].content[0].input");
  EXPECT_EQ(Refused(with("assistant", R"({"type": "tool_use", "id": "1", "name": "f"})")),
            "messages[0].role")
      << "nobody has answered it";
}

TEST(MessagesApiTest, WrongFieldsAreRefusedByName) {
  EXPECT_EQ(Refused(R"({"messages": [{"role": "user", "content": "x"}]})"), "max_tokens");
  EXPECT_EQ(Refused(Body("", "0")), "max_tokens");
  EXPECT_EQ(Refused(Body("", "\"8\"")), "max_tokens");
  EXPECT_EQ(Refused(R"({"max_tokens": 8})"), "messages");
  EXPECT_EQ(Refused(Messages("[]")), "messages");
  EXPECT_EQ(Refused(Messages("[7]")), "messages[0]");
  EXPECT_EQ(Refused(Messages(R"([{"role": "system", "content": "x"}])")), "messages[0].role");
  EXPECT_EQ(Refused(Messages(R"([{"role": "user", "content": "x"},
                                 {"role": "assistant", "content": "y"}])")),
            "messages[1].role");
  EXPECT_EQ(Refused(Body(R"("system": 7)")), "system");
  EXPECT_EQ(Refused(Body(R"("stop_sequences": [""])")), "stop_sequences[0]");
  EXPECT_THAT(
      DecodeMessagesRequest(Messages(R"([{"role": "system", "content": "x"}])")).status().message(),
      HasSubstr("top-level 'system'"));
}

TEST(MessagesApiTest, CountingNeedsNoMaxTokens) {
  const Result<ApiRequest> counted =
      DecodeCountTokensRequest(R"({"messages": [{"role": "user", "content": "x"}]})");
  ASSERT_TRUE(counted.ok()) << counted.status().ToString();
  EXPECT_FALSE(DecodeCountTokensRequest(R"({"messages": 7})").ok());
  EXPECT_EQ(EncodeTokenCount(12), R"({"input_tokens":12})");
}

TEST(MessagesApiTest, AnswerByteForByte) {
  ExpectGolden(
      kGolden, "message.json",
      MakeMessagesEncoder("0")->Whole(RoutedStart(), {{.text = "Hi there", .logprobs = {}}},
                                      FinishedBy(FinishReason::kStop)));
}

TEST(MessagesApiTest, EventsByteForByte) {
  const auto encoder = MakeMessagesEncoder("0");
  std::string bytes = encoder->Start(RoutedStart());
  bytes += encoder->Delta(0, Text("Hi"));
  bytes += encoder->Delta(0, Text(""));  // a token without text
  bytes += encoder->Delta(0, Text(" there"));
  FinishEvent finish = FinishedBy(FinishReason::kStop);
  finish.stop_string = "\n\n";
  bytes += encoder->End(0, finish);
  bytes += encoder->Finish(finish);
  ExpectGolden(kGolden, "message_events.txt", bytes);
}

TEST(MessagesApiTest, CallsAreBlocksOfTheAnswer) {
  WholeAnswer answer;
  answer.tool_calls = {{"1", "f", R"({"z":1,"a":2})"}};
  const auto whole = [](const WholeAnswer& of) {
    return Json::parse(
        MakeMessagesEncoder("0")->Whole(RoutedStart(), {of}, FinishedBy(FinishReason::kStop)));
  };
  EXPECT_EQ(whole(answer)["content"], Json::parse(R"([{"type": "tool_use", "id": "1", "name": "f",
                                                      "input": {"z": 1, "a": 2}}])"));
  EXPECT_EQ(whole(answer)["stop_reason"], "tool_use");
  answer.text = "Hm";
  EXPECT_EQ(whole(answer)["content"].size(), 2u);
  EXPECT_EQ(whole(answer)["content"][0]["text"], "Hm");
}

TEST(MessagesApiTest, EventsOfCallsByteForByte) {
  const auto encoder = MakeMessagesEncoder("0");
  std::string bytes = encoder->Start(RoutedStart());
  bytes += encoder->Delta(0, Text("Hm"));
  TokenEvent calls = Text("");
  calls.tool_calls = {{"1", "f", R"({"a":1})"}, {"2", "g", "{}"}};
  bytes += encoder->Delta(0, calls);
  const FinishEvent finish = FinishedBy(FinishReason::kStop);
  bytes += encoder->End(0, finish);
  bytes += encoder->Finish(finish);
  ExpectGolden(kGolden, "message_tool_events.txt", bytes);
}

TEST(MessagesApiTest, AnAnswerWithoutTextHasABlock) {
  const auto encoder = MakeMessagesEncoder("0");
  encoder->Start(RoutedStart());
  EXPECT_THAT(encoder->End(0, FinishedBy(FinishReason::kStop)),
              AllOf(HasSubstr("event: content_block_start"), HasSubstr("content_block_stop")));
}

TEST(MessagesApiTest, StopReasons) {
  const auto reason_of = [](FinishReason reason, const std::string& stop) {
    WholeAnswer answer;
    answer.reason = reason;
    answer.stop_string = stop;
    const Json json =
        Json::parse(MakeMessagesEncoder("0")->Whole(RoutedStart(), {answer}, FinishedBy(reason)));
    return json["stop_reason"].get<std::string>() + " " + json["stop_sequence"].dump();
  };
  EXPECT_EQ(reason_of(FinishReason::kStop, ""), "end_turn null");
  EXPECT_EQ(reason_of(FinishReason::kStop, "x"), "stop_sequence \"x\"");
  EXPECT_EQ(reason_of(FinishReason::kLength, ""), "max_tokens null");
}

TEST(MessagesApiTest, AStreamMayFail) {
  EXPECT_EQ(MakeMessagesEncoder("0")->Fail(Unavailable("It is gone.")),
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\","
            "\"message\":\"It is gone.\"}}\n\n");
}

}  // namespace
}  // namespace aio
