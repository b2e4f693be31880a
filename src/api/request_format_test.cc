#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

#include "api/messages_api.h"
#include "api/openai_request.h"
#include "api/responses_api.h"

namespace aio {
namespace {

using ::testing::HasSubstr;

Result<ApiRequest> Decode(const std::string& members) {
  return DecodeChatRequest(R"({"messages": [{"role": "user", "content": "Hi"}], )" + members + "}");
}

TEST(RequestFormatTest, EveryNameInUse) {
  // The order of a schema's properties is the client's.
  const std::string schema = R"({"type":"object", "properties":{"z":{}, "a":{}}})";
  using Kind = AnswerFormatKind;
  for (
      const auto& [members, kind, text, param] :
      std::vector<std::tuple<std::string, Kind, std::string, std::string>>{
          {R"("response_format": {"type": "text"})", Kind::kText, "", ""},
          {R"("response_format": null)", Kind::kText, "", ""},
          {R"("response_format": {"type": "json_object"})", Kind::kJsonObject, "",
           "response_format"},
          {R"("response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": )" +
               schema + R"(, "strict": true}})",
           Kind::kJsonSchema, schema, "response_format.json_schema.schema"},
          {R"("response_format": {"type": "json_object", "schema": )" + schema + "}",
           Kind::kJsonSchema, schema, "response_format.schema"},
          {"\"guided_json\": " + schema, Kind::kJsonSchema, schema, "guided_json"},
          {R"("guided_json": "{\"type\": \"null\"}")", Kind::kJsonSchema, R"({"type": "null"})",
           "guided_json"},
          {R"("guided_regex": "a+")", Kind::kRegex, "a+", "guided_regex"},
          {R"("guided_choice": ["b", "a"])", Kind::kChoice, R"(["b","a"])", "guided_choice"},
          {R"("guided_grammar": "root ::= \"a\"")", Kind::kGbnf, "root ::= \"a\"",
           "guided_grammar"},
          {R"("structured_outputs": {"json": )" + schema + "}", Kind::kJsonSchema, schema,
           "structured_outputs.json"},
          {R"("structured_outputs": {"regex": "a"})", Kind::kRegex, "a",
           "structured_outputs.regex"},
          {R"("structured_outputs": {"json_object": true})", Kind::kJsonObject, "",
           "structured_outputs.json_object"},
          {R"("structured_outputs": {"json_object": false})", Kind::kText, "", ""},
          {R"("grammar": "root ::= [a]")", Kind::kGbnf, "root ::= [a]", "grammar"},
          {R"("grammar": "")", Kind::kText, "", ""},
          {"\"json_schema\": " + schema, Kind::kJsonSchema, schema, "json_schema"},
      }) {
    const Result<ApiRequest> result = Decode(members);
    ASSERT_TRUE(result.ok()) << members << result.status().ToString();
    const AnswerFormat expected{kind, text, param};
    EXPECT_EQ(result->request.format, expected) << members;
  }
  EXPECT_EQ(DecodeCompletionRequest(R"({"prompt": "x", "guided_regex": "a"})")->request.format.kind,
            Kind::kRegex);
}

TEST(RequestFormatTest, NamesOfResponsesAndMessages) {
  const std::string schema = R"({"type":"object", "properties":{"z":{}, "a":{}}})";
  const std::string format = R"({"type": "json_schema", "name": "x", "schema": )" + schema + "}";
  const Result<ResponsesRequest> response =
      DecodeResponsesRequest(R"({"input": "Hi", "text": {"format": )" + format + "}}");
  ASSERT_TRUE(response.ok()) << response.status().ToString();
  EXPECT_EQ(response->api.request.format,
            (AnswerFormat{AnswerFormatKind::kJsonSchema, schema, "text.format.schema"}));
  EXPECT_EQ(response->echo.text_format, format);

  const std::string question =
      R"({"max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}], )";
  for (const auto& [members, param] : std::vector<std::tuple<std::string, std::string>>{
           {"\"output_format\": " + format, "output_format.schema"},
           {"\"output_config\": {\"effort\": \"high\", \"format\": " + format + "}",
            "output_config.format.schema"}}) {
    const Result<ApiRequest> message = DecodeMessagesRequest(question + members + "}");
    ASSERT_TRUE(message.ok()) << message.status().ToString();
    EXPECT_EQ(message->request.format,
              (AnswerFormat{AnswerFormatKind::kJsonSchema, schema, param}));
  }
  for (const auto& [members, param] : std::vector<std::tuple<std::string, std::string>>{
           {R"("output_format": {"type": "json_schema"})", "output_format.schema"},
           {R"("output_format": [])", "output_format"},
           {R"("output_config": {"format": {"type": "xml"}})", "output_config.format.type"},
           {R"("output_config": {"effort": "max"})", "output_config"}}) {
    const Result<ApiRequest> message = DecodeMessagesRequest(question + members + "}");
    ASSERT_FALSE(message.ok()) << members;
    EXPECT_EQ(message.status().param(), param) << members;
  }
}

TEST(RequestFormatTest, PriorityIsReadEverywhere) {
  EXPECT_EQ(Decode(R"("priority": -3)")->request.priority, -3);
  EXPECT_EQ(DecodeResponsesRequest(R"({"input": "Hi", "priority": 4})")->api.request.priority, 4);
  EXPECT_EQ(DecodeMessagesRequest(R"({"max_tokens": 9, "priority": 5,
                                      "messages": [{"role": "user", "content": "Hi"}]})")
                ->request.priority,
            5);
}

TEST(RequestFormatTest, FaultsNameTheField) {
  for (const auto& [members, param] : std::vector<std::pair<std::string, std::string>>{
           {R"("response_format": "text")", "response_format"},
           {R"("response_format": {})", "response_format.type"},
           {R"("response_format": {"type": "xml"})", "response_format.type"},
           {R"("response_format": {"type": "json_schema"})", "response_format.json_schema"},
           {R"("response_format": {"type": "json_schema", "json_schema": {"name": "x"}})",
            "response_format.json_schema.schema"},
           {R"("response_format": {"type": "json_schema", "json_schema": {"schema": 1}})",
            "response_format.json_schema.schema"},
           {R"("guided_regex": 1)", "guided_regex"},
           {R"("guided_choice": "a")", "guided_choice"},
           {R"("guided_json": [])", "guided_json"},
           {R"("structured_outputs": "x")", "structured_outputs"},
           {R"("structured_outputs": {"structural_tag": "x"})",
            "structured_outputs.structural_tag"},
           {R"("structured_outputs": {"json_object": 1})", "structured_outputs.json_object"},
       }) {
    const Result<ApiRequest> result = Decode(members);
    ASSERT_FALSE(result.ok()) << members;
    EXPECT_EQ(result.status().param(), param);
  }
}

TEST(RequestFormatTest, TwoFormatsContradict) {
  const Status status =
      Decode(R"("response_format": {"type": "json_object"}, "guided_regex": "a")").status();
  EXPECT_EQ(status.param(), "guided_regex");
  EXPECT_THAT(status.message(), HasSubstr("'response_format'"));
}

}  // namespace
}  // namespace aio
