#include "api/json_body.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace aio {
namespace {

std::string Message(std::string_view body) {
  nlohmann::json json;
  const Status status = ParseJsonObject(body, json);
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(status.reason(), "invalid_json");
  return status.message();
}

TEST(JsonBodyTest, TakesAnObject) {
  nlohmann::json json;
  ASSERT_TRUE(ParseJsonObject(R"( {"a": [1, {"b": "\ud83d\ude00 ]]"}]} )", json).ok());
  EXPECT_EQ(json["a"][1]["b"], "\xF0\x9F\x98\x80 ]]");
}

TEST(JsonBodyTest, OfDuplicateKeysTheLastWins) {
  nlohmann::json json;
  ASSERT_TRUE(ParseJsonObject(R"({"a": [1, 2], "a": {"x": 1}, "a": 3})", json).ok());
  EXPECT_EQ(json["a"], 3);
}

TEST(JsonBodyTest, NamesTheByteOfASyntaxError) {
  EXPECT_NE(Message(R"({"model": oops})").find("at byte 11"), std::string::npos);
  EXPECT_NE(Message(R"({"model": "x")").find("at byte 14"), std::string::npos);
  EXPECT_NE(Message(R"({} {})").find("at byte 4"), std::string::npos);
}

TEST(JsonBodyTest, DoesNotRepeatTheTextItRead) {
  EXPECT_EQ(Message("{\"a\": \"my secret prompt\n\"}").find("secret"), std::string::npos);
}

TEST(JsonBodyTest, RefusesInvalidUtf8ByOffset) {
  EXPECT_NE(Message("{\"a\": \"\xC3\x28\"}").find("UTF-8 at byte 7"), std::string::npos);
  EXPECT_NE(Message("{\"a\": \"\xED\xA0\x80\"}").find("UTF-8 at byte 7"), std::string::npos);
  EXPECT_NE(Message("\xFF\xFE{}").find("UTF-8 at byte 0"), std::string::npos);
}

TEST(JsonBodyTest, RefusesAByteOrderMark) {
  EXPECT_NE(Message("\xEF\xBB\xBF{}").find("byte order mark"), std::string::npos);
}

TEST(JsonBodyTest, RefusesLoneSurrogates) {
  EXPECT_NE(Message(R"({"a": "\ud800"})").find("surrogate"), std::string::npos);
  EXPECT_NE(Message(R"({"a": "\udc00"})").find("surrogate"), std::string::npos);
  EXPECT_NE(Message(R"({"a": "\ud800A"})").find("surrogate"), std::string::npos);
}

TEST(JsonBodyTest, RefusesNumbersNoDoubleCanHold) {
  EXPECT_NE(Message(R"({"a": 1e400})").find("1e400"), std::string::npos);
  EXPECT_NE(Message(R"({"a": -1e400})").find("-1e400"), std::string::npos);
}

TEST(JsonBodyTest, RefusesDeepNesting) {
  const std::string inner(kJsonDepthMax - 1, '[');
  nlohmann::json json;
  const std::string closed(kJsonDepthMax - 1, ']');
  EXPECT_TRUE(ParseJsonObject("{\"a\":" + inner + closed + "}", json).ok());
  EXPECT_NE(Message("{\"a\":[" + inner + closed + "]}").find("deeper than"), std::string::npos);
  EXPECT_NE(Message(std::string(1 << 20, '[')).find("deeper than"), std::string::npos);
  // Brackets in strings nest nothing.
  EXPECT_TRUE(ParseJsonObject("{\"a\":\"\\\"" + std::string(1000, '[') + "\"}", json).ok());
}

TEST(JsonBodyTest, RefusesWhatIsNoObject) {
  EXPECT_NE(Message("").find("empty"), std::string::npos);
  EXPECT_NE(Message("[]").find("not array"), std::string::npos);
  EXPECT_NE(Message("null").find("not null"), std::string::npos);
  EXPECT_NE(Message("\"x\"").find("not string"), std::string::npos);
}

}  // namespace
}  // namespace aio
