#include "base/json_writer.h"

#include <gtest/gtest.h>

#include <limits>

namespace aio {
namespace {

TEST(JsonWriterTest, PutsCommasWhereTheyBelong) {
  JsonWriter json;
  json.BeginObject();
  json.Member("text", "one");
  json.Key("list");
  json.BeginArray();
  json.BeginObject();
  json.EndObject();
  json.Value(1);
  json.BeginArray();
  json.EndArray();
  json.Raw(R"({"as":"it is"})");
  json.EndArray();
  json.Member("flag", true);
  json.Member("nothing", nullptr);
  json.RawMember("raw", "[1,2]");
  json.EndObject();
  EXPECT_EQ(
      json.Take(),
      R"({"text":"one","list":[{},1,[],{"as":"it is"}],"flag":true,"nothing":null,"raw":[1,2]})");
  json.Value(int64_t{-9007199254740993});
  EXPECT_EQ(json.Take(), "-9007199254740993") << "it begins anew";
}

std::string Written(const auto& value) {
  JsonWriter json;
  json.Value(value);
  return json.Take();
}

TEST(JsonWriterTest, EscapesWhatMayNotStandInAString) {
  EXPECT_EQ(Written("a\"b\\c\n\t\r\b\f\x01\x1f/\x7f"), R"("a\"b\\c\n\t\r\b\f\u0001\u001f/)"
                                                       "\x7f\"");
  EXPECT_EQ(Written(std::string_view("a\0b", 3)), R"("a\u0000b")");
  EXPECT_EQ(Written("\u00e9\u6c34\U0001f600"), "\"\u00e9\u6c34\U0001f600\"");
  EXPECT_EQ(Written("a\xff\xe6\xb0"), "\"a\ufffd\ufffd\"") << "ill-formed UTF-8";
}

TEST(JsonWriterTest, WritesNumbersSoThatTheyReadTheSame) {
  EXPECT_EQ(Written(0.7f), "0.7");
  EXPECT_EQ(Written(0.0), "0.0");
  EXPECT_EQ(Written(-1.0), "-1.0");
  EXPECT_EQ(Written(100000.0), "100000.0");
  EXPECT_EQ(Written(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(Written(0.0001), "0.0001");
  EXPECT_EQ(Written(1e300), "1e+300");
  EXPECT_EQ(Written(-1.5e-9), "-1.5e-09");
  EXPECT_EQ(Written(std::numeric_limits<double>::denorm_min()), "5e-324");
  EXPECT_EQ(Written(std::numeric_limits<double>::max()), "1.7976931348623157e+308");
  EXPECT_EQ(Written(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(Written(std::numeric_limits<float>::quiet_NaN()), "null");
  EXPECT_EQ(Written(~uint64_t{0}), "18446744073709551615");
}

}  // namespace
}  // namespace aio
