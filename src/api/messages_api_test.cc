#include "api/messages_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "api/golden_test_file.h"
#include "api/test_answers.h"

namespace aio {
namespace {

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
           {R"("tools": [{"name": "f"}])", "tools"},
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
  EXPECT_EQ(Refused(Messages(R"([{"role": "user", "content": [{"type": "tool_result"}]}])")),
            "messages[0].content[0].type");
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
