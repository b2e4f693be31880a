#include "grammar/json_schema.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "grammar/testing/accepts.h"
#include "grammar/testing/schema_validator.h"

namespace aio {
namespace {

struct Case {
  std::string schema;
  std::vector<std::string> accepted;
  std::vector<std::string> rejected;
};

void Check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const auto grammar = CompileText(GrammarSource::kJsonSchema, c.schema);
    ASSERT_TRUE(grammar.ok()) << c.schema << ": " << grammar.status().ToString();
    for (const std::string& text : c.accepted) {
      EXPECT_TRUE(Accepts(*grammar, text)) << c.schema << "\n" << text;
      // Otherwise the table itself is wrong.
      EXPECT_EQ(FindSchemaFault(c.schema, text), "") << c.schema << "\n" << text;
    }
    for (const std::string& text : c.rejected) {
      EXPECT_FALSE(Accepts(*grammar, text)) << c.schema << "\n" << text;
    }
  }
}

TEST(JsonSchemaTest, Types) {
  Check({
      {"true", {"1", "\"a\"", "[]", "{\"a\":null}"}, {"", "x"}},
      {"{}", {"1", "null"}, {""}},
      {R"({"type":"null"})", {"null"}, {"nul", "0"}},
      {R"({"type":"boolean"})", {"true", "false"}, {"1", "True"}},
      {R"({"type":"integer"})",
       {"0", "-1", "123456789012345678"},
       {"-0", "01", "1.0", "1e3", "1234567890123456789", "+1", ""}},
      {R"({"type":"number"})",
       {"0", "-0", "1.5", "-1e+10", "0.25E-3"},
       {".5", "1.", "1e", "1e999"}},
      {R"({"type":"string"})",
       {R"("")", R"("a\n\u00e9")", "\"\xC3\xA9\""},
       {R"("a)", "\"\n\"", R"("\x")", R"("\udc00")", "a"}},
      {R"({"type":["string","null"]})", {R"("a")", "null"}, {"1"}},
      {R"({"type":"array"})", {"[]", "[1, \"a\"]"}, {"[1,]", "{}"}},
      {R"({"type":"object"})", {"{}", "{\"a\": {\"b\":1}}"}, {"[]"}},
      {R"({"minLength":1})", {R"("a")"}, {R"("")", "1"}},
  });
}

TEST(JsonSchemaTest, Objects) {
  Check({
      {R"({"type":"object","properties":{"b":{"type":"integer"},"a":{"type":"string"}},
           "required":["b","a"]})",
       {R"({"b":1,"a":"x"})", R"({"b": 1, "a": "x"})", "{\n\t\"b\": 1,\n\t\"a\": \"x\"\n}"},
       {R"({"a":"x","b":1})", R"({"b":1})", "{}", R"({"b":1,"a":"x","c":1})", R"({"b":1 ,"a":"x"})",
        R"({"b":1,"a":"x"} )"}},
      {R"({"properties":{"a":{},"b":{},"c":{}},"required":["b"]})",
       {R"({"b":1})", R"({"a":1,"b":2})", R"({"b":2,"c":3})", R"({"a":1,"b":2,"c":3})"},
       {R"({"a":1,"c":3})", R"({"b":1,"a":1})", R"({"b":1,})", R"({,"b":1})", "{}"}},
      {R"({"properties":{"a":{"type":"integer"}}})", {"{}", R"({"a":1})"}, {R"({"b":1})"}},
      {R"({"type":"object","properties":{"a":{"type":"integer"}},"additionalProperties":true})",
       {"{}", R"({"a":1,"b":"x","c":2})", R"({"ab":1})", R"({"":1})", R"({"b":1})"},
       {R"({"a":"x"})", R"({"b":1,"a":"x"})", R"({"\u0061":"x"})", R"({"b":1,"\u0061":"x"})"}},
      {R"({"type":"object","additionalProperties":{"type":"integer"}})",
       {"{}", R"({"a":1,"\u0061b":2})"},
       {R"({"a":"x"})"}},
      {R"({"type":"object","additionalProperties":false})", {"{}", "{ }"}, {R"({"a":1})"}},
      {R"({"type":"object","required":["x y"]})", {R"({"x y":1})", R"({"x y":1,"z":2})"}, {"{}"}},
      {R"({"properties":{"a\"\n/~":{"type":"null"}},"required":["a\"\n/~"]})",
       {R"({"a\"\n/~":null})"},
       {"{}"}},
      {R"({"properties":{"n":{"type":"string"},"nn":{"type":"string"}},
           "additionalProperties":{"type":"integer"}})",
       {R"({"n":"a","nn":"b","nnn":1,"m":2,"n\n":3})"},
       {R"({"m":1,"nn":2})", R"({"n":2})"}},
  });
}

TEST(JsonSchemaTest, Arrays) {
  Check({
      {R"({"type":"array","items":{"type":"integer"}})", {"[]", "[1]", "[1,2, 3]"}, {"[\"a\"]"}},
      {R"({"items":{"type":"integer"},"minItems":2,"maxItems":3})",
       {"[1,2]", "[1,2,3]"},
       {"[]", "[1]", "[1,2,3,4]"}},
      {R"({"items":{"type":"integer"},"maxItems":0})", {"[]"}, {"[1]"}},
      {R"({"items":{"type":"integer"},"minItems":100,"maxItems":102})",
       {"[1" +
        std::string(198, ' ').replace(0, 198,
                                      [] {
                                        std::string rest;
                                        for (int i = 0; i < 99; ++i) rest += ",1";
                                        return rest;
                                      }()) +
        "]"},
       {"[1,1]"}},
      {R"({"items":false})", {"[]"}, {"[1]"}},
      {R"({"prefixItems":[{"type":"integer"},{"type":"string"}]})",
       {"[]", "[1]", "[1,\"a\"]"},
       {"[\"a\"]", "[1,\"a\",2]"}},
      {R"({"prefixItems":[{"type":"integer"},{"type":"string"}],"items":{"type":"null"},
           "minItems":1,"maxItems":3})",
       {"[1]", "[1,\"a\"]", "[1,\"a\",null]"},
       {"[]", "[1,\"a\",null,null]", "[1,null]"}},
      {R"({"prefixItems":[{},{},{}],"maxItems":1})", {"[]", "[1]"}, {"[1,1]"}},
      {R"({"uniqueItems":false,"items":{}})", {"[1,1]"}, {}},
  });
}

TEST(JsonSchemaTest, Strings) {
  const std::string long_text(300, 'x');
  Check({
      {R"({"minLength":2,"maxLength":3})",
       {R"("ab")", R"("abc")", R"("\n\u00e9")", "\"\xC3\xA9\xC3\xA9\xC3\xA9\"",
        R"("\ud83d\ude42a")"},
       {R"("a")", R"("abcd")", R"("")"}},
      {R"({"maxLength":300})", {"\"" + long_text + "\"", R"("")"}, {"\"x" + long_text + "\""}},
      {R"({"minLength":300})",
       {"\"" + long_text + "\"", "\"x" + long_text + "\""},
       {"\"" + long_text.substr(1) + "\""}},
      {R"({"maxLength":1000000000})", {R"("a")"}, {}},
      {R"({"pattern":"^[a-c]+$"})", {R"("abc")"}, {R"("")", R"("abd")"}},
      {R"({"pattern":"b+"})", {R"("abc")", R"("b")", R"("\"b\\")"}, {R"("ac")"}},
      {R"({"pattern":"^a"})", {R"("a")", R"("ab\n")"}, {R"("ba")"}},
      {R"({"pattern":"a$|^b"})", {R"("xa")", R"("bx")"}, {R"("ax")", R"("xb")"}},
      {R"({"pattern":"^\\w+\\s\"\\\\$"})", {R"("a \"\\")", R"("a\t\"\\")"}, {R"("a\"\\")"}},
      {R"({"pattern":"^[0-9]{3,80}$"})", {R"("123")"}, {R"("12")"}},
      {R"({"type":"string","format":"date"})",
       {R"("2024-02-29")", R"("1999-12-31")"},
       {R"("2023-02-29")", R"("2024-04-31")", R"("24-1-1")"}},
      {R"({"type":"string","format":"date-time"})",
       {R"("2024-02-29T23:59:59Z")", R"("2024-01-01T00:00:00.123+01:30")"},
       {R"("2024-01-01")", R"("2024-01-01T24:00:00Z")"}},
      {R"({"type":"string","format":"time"})", {R"("12:34:56Z")"}, {R"("12:34:56")"}},
      {R"({"format":"uuid"})", {R"("123e4567-e89b-12d3-a456-426614174000")"}, {R"("123e4567")"}},
      {R"({"format":"ipv4"})", {R"("192.168.0.255")"}, {R"("256.1.1.1")", R"("1.1.1")"}},
      {R"({"format":"email"})", {R"("a.b@example.org")"}, {R"("a@")", R"("@b")"}},
      {R"({"format":"hostname"})", {R"("a-b.example")"}, {R"("-a")", R"("a..b")"}},
  });
}

TEST(JsonSchemaTest, Numbers) {
  Check({
      {R"({"type":"integer","minimum":3,"maximum":12})",
       {"3", "9", "10", "12"},
       {"2", "13", "03", "3.0", "-3", "1", "31"}},
      {R"({"type":"integer","minimum":-12,"maximum":5})",
       {"-12", "-1", "0", "5"},
       {"-13", "6", "-0"}},
      {R"({"type":"integer","exclusiveMinimum":0})", {"1", "999"}, {"0", "-1"}},
      {R"({"type":"integer","exclusiveMaximum":-5})", {"-6", "-100"}, {"-5", "0", "5"}},
      {R"({"type":"integer","minimum":0.5,"maximum":2.5})", {"1", "2"}, {"0", "3"}},
      {R"({"type":"integer","minimum":1e3,"maximum":1005})", {"1000", "1005"}, {"999", "1006"}},
      {R"({"type":"number","minimum":0,"maximum":1})",
       {"0", "1", "0.0", "0.999", "1.000"},
       {"1.001", "-0.1", "2", "1.01"}},
      {R"({"type":"number","minimum":-1.25,"maximum":1.5})",
       {"-1.25", "-1.2", "-1.250", "-1", "-0.01", "0", "1.5", "1.49", "1.50"},
       {"-1.26", "-1.251", "1.51", "1.501", "-2", "2"}},
      {R"({"type":"number","exclusiveMinimum":0,"exclusiveMaximum":0.1})",
       {"0.05", "0.0999", "0.001"},
       {"0", "0.0", "0.1", "0.10", "0.000"}},
      {R"({"type":"number","minimum":2.75})",
       {"2.75", "2.8", "3", "2.751", "10000000000"},
       {"2.7", "2", "2.749"}},
      {R"({"type":"number","maximum":-2.75})", {"-2.75", "-3", "-2.8"}, {"-2.7", "0", "2.8"}},
      {R"({"type":"integer","minimum":5,"exclusiveMinimum":5})", {"6"}, {"5"}},
      {R"({"type":"integer","format":"int64"})", {"7"}, {}},
  });
}

TEST(JsonSchemaTest, ValuesAndAlternatives) {
  Check({
      {R"({"enum":["a",1,null,{"b":[1,"c"]},1.50]})",
       {R"("a")", "1", "null", R"({"b":[1,"c"]})", R"({"b": [1, "c"]})", "1.50"},
       {R"("b")", "1.0", "1.5", R"({"b":[1]})"}},
      {R"({"const":"x\n\"\u00e9"})", {"\"x\\n\\\"\xC3\xA9\""}, {R"("x")"}},
      {R"({"type":"string","enum":["a",1]})", {R"("a")"}, {"1"}},
      {R"({"anyOf":[{"type":"integer"},{"type":"string","maxLength":1}]})",
       {"1", R"("a")"},
       {R"("ab")", "null"}},
      {R"({"oneOf":[{"const":1},{"type":"null"}],"title":"t","default":1})", {"1", "null"}, {"2"}},
      {R"({"allOf":[{"type":"integer"}]})", {"1"}, {"\"a\""}},
      {R"({"anyOf":[false,{"type":"null"}]})", {"null"}, {"1"}},
  });
}

TEST(JsonSchemaTest, References) {
  Check({
      {R"({"$ref":"#/$defs/node","$defs":{"node":{"type":"object","properties":
           {"v":{"type":"integer"},"next":{"anyOf":[{"$ref":"#/$defs/node"},{"type":"null"}]}},
           "required":["v","next"]}}})",
       {R"({"v":1,"next":null})", R"({"v":1,"next":{"v":2,"next":null}})"},
       {R"({"v":1})", R"({"v":1,"next":{"v":2}})"}},
      {R"({"type":"array","items":{"$ref":"#"}})", {"[]", "[[],[[]]]"}, {"[1]"}},
      {R"({"properties":{"a":{"$ref":"#/definitions/x~1y%20z"}},"required":["a"],
           "definitions":{"x/y z":{"type":"null"}}})",
       {},
       {R"({"a":1})"}},
      {R"({"anyOf":[{"type":"integer"},{"$ref":"#/anyOf/0"}]})", {"1"}, {"\"a\""}},
  });
  const auto grammar =
      MustCompile(GrammarSource::kJsonSchema,
                  R"({"$ref":"#/definitions/x~1y%20z","definitions":{"x/y z":{"type":"null"}}})");
  EXPECT_TRUE(Accepts(grammar, "null"));
}

TEST(JsonSchemaTest, WhatIsNotSupportedIsRefusedByItsPointer) {
  for (const auto& [schema, pointer, what] :
       std::vector<std::tuple<std::string, std::string, std::string>>{
           {R"({"type":"object","properties":{"a/b":{"multipleOf":3}}})",
            "/properties/a~1b/multipleOf", "not supported"},
           {R"({"not":{}})", "/not", "not supported"},
           {R"({"if":{}})", "/if", "anyOf"},
           {R"({"type":"array","uniqueItems":true})", "/uniqueItems", "not supported"},
           {R"({"type":"array","contains":{}})", "/contains", "not supported"},
           {R"({"type":"array","items":[{}]})", "/items", "prefixItems"},
           {R"({"type":"object","patternProperties":{}})", "/patternProperties", "additional"},
           {R"({"type":"object","minProperties":1})", "/minProperties", "required"},
           {R"({"allOf":[{},{}]})", "/allOf", "merge"},
           {R"({"$ref":"#/x"})", "/$ref", "nothing"},
           {R"({"$ref":"other.json"})", "/$ref", "not supported"},
           {R"({"$ref":"#","type":"object"})", "/type", "beside $ref"},
           {R"({"anyOf":[{"type":"integer"},{"typ":"x"}]})", "/anyOf/1/typ", "not known"},
           {R"({"anyOf":[{}],"type":"object"})", "/type", "beside anyOf"},
           {R"({"anyOf":[]})", "/anyOf", "at least one"},
           {R"({"type":"text"})", "/type", "must be one of"},
           {R"({"type":[]})", "/type", "must be one of"},
           {R"x({"type":"string","pattern":"(?=a)"})x", "/pattern", "look-around"},
           {R"({"type":"string","pattern":"a","maxLength":2})", "/pattern", "beside"},
           {R"({"type":"string","format":"iri"})", "/format", "date-time"},
           {R"({"type":"string","minLength":-1})", "/minLength", "whole number"},
           {R"({"type":"string","minLength":3,"maxLength":2})", "/maxLength", "below"},
           {R"({"type":"array","minItems":3,"maxItems":2})", "/maxItems", "below"},
           {R"({"type":"integer","minimum":3,"maximum":2})", "/maximum", "below"},
           {R"({"type":"integer","minimum":"3"})", "/minimum", "number"},
           {R"({"type":"integer","maximum":1e30})", "/maximum", "digits"},
           {R"({"type":"integer","minLength":3})", "/minLength", "nothing about the type"},
           {R"({"type":"boolean","format":"date"})", "/format", "nothing about the type"},
           {R"({"type":"object","properties":{},"required":["a"]})", "/required", "\"a\""},
           {R"({"type":"object","properties":[]})", "/properties", "object of schemas"},
           {R"({"type":"object","properties":{"a":1}})", "/properties/a", "not a number"},
           {R"({"type":"string","enum":[1]})", "/enum", "no value"},
           {R"({"nullable":true})", "/nullable", "null"},
           {"[]", "root", "not an array"},
           {"{\"a\":1,\"a\":2}", "schema", "twice"},
           {"{", "schema", "no JSON from byte"},
           {R"({"$ref":"#"})", "schema", "no text"},
           {R"({"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]})", "schema",
            "no text"},
           {R"({"anyOf":[{"$ref":"#"},{"type":"null"}]})", "schema", "itself"},
           {std::string(100, '[') + std::string(100, ']'), "schema", "nested"},
       }) {
    const auto result = CompileText(GrammarSource::kJsonSchema, schema);
    ASSERT_FALSE(result.ok()) << schema;
    const Status status = result.status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_NE(status.message().find(pointer), std::string::npos) << schema << status.ToString();
    EXPECT_NE(status.message().find(what), std::string::npos) << schema << status.ToString();
  }
}

TEST(JsonSchemaTest, LargeSchemasCompileOrAreRefused) {
  std::string properties;
  for (int i = 0; i < 300; ++i) {
    properties += (i > 0 ? ",\"p" : "\"p") + std::to_string(i) + "\":{\"type\":\"string\"}";
  }
  const auto grammar =
      CompileText(GrammarSource::kJsonSchema, "{\"properties\":{" + properties + "}}");
  ASSERT_TRUE(grammar.ok()) << grammar.status().ToString();
  EXPECT_TRUE(Accepts(*grammar, R"({"p0":"a","p7":"b","p299":"c"})"));
  EXPECT_FALSE(Accepts(*grammar, R"({"p7":"a","p0":"b"})"));

  std::string values;
  for (int i = 0; i < 9000; ++i) values += (i > 0 ? ",\"" : "\"") + std::to_string(i) + "\"";
  EXPECT_TRUE(CompileText(GrammarSource::kJsonSchema, "{\"enum\":[" + values + "]}").ok());
  std::string many;
  for (int i = 0; i < 3000; ++i) {
    many += (i > 0 ? ",\"" : "\"") + std::to_string(i) + "\":{\"pattern\":\"x.*y.{0,9}\"}";
  }
  const auto huge = CompileText(GrammarSource::kJsonSchema, "{\"properties\":{" + many + "}}");
  if (!huge.ok()) {
    EXPECT_EQ(huge.status().code(), StatusCode::kInvalidArgument);
  }
}

// Long fixed texts nest nothing.
TEST(JsonSchemaTest, LongNamesAndValues) {
  for (const int length : {63, 64, 65, 245, 400}) {
    const std::string name(length, 'n');
    const auto grammar = CompileText(
        GrammarSource::kJsonSchema,
        R"({"properties":{")" + name + R"(":{"type":"null"}},"additionalProperties":{"const":1}})");
    ASSERT_TRUE(grammar.ok()) << length << grammar.status().ToString();
    EXPECT_TRUE(Accepts(*grammar, "{\"" + name + "\":null}"));
    EXPECT_FALSE(Accepts(*grammar, "{\"" + name + "\":1}")) << length;
    for (const std::string& other : {name + "x", name.substr(1), name.substr(1) + "x",
                                     name.substr(0, 20) + "x\\u0041", std::string("x")}) {
      EXPECT_TRUE(Accepts(*grammar, "{\"" + other + "\":1}")) << length << other;
      EXPECT_FALSE(Accepts(*grammar, "{\"" + other + "\":null}")) << length << other;
    }
  }
  const std::string longer(401, 'n');
  const Status refused =
      CompileText(GrammarSource::kJsonSchema,
                  R"({"properties":{")" + longer + R"(":true},"additionalProperties":true})")
          .status();
  EXPECT_NE(refused.message().find("400 bytes"), std::string::npos) << refused.ToString();

  std::string items = "0";
  for (int i = 1; i < 3000; ++i) items += "," + std::to_string(i);
  for (const char* keyword : {"const", "enum"}) {
    const bool is_const = std::string(keyword) == "const";
    const auto grammar = CompileText(
        GrammarSource::kJsonSchema, std::string("{\"") + keyword + "\":" +
                                        (is_const ? "[" + items + "]" : "[[" + items + "]]") + "}");
    ASSERT_TRUE(grammar.ok()) << keyword << grammar.status().ToString();
    EXPECT_TRUE(Accepts(*grammar, "[" + items + "]"));
    EXPECT_TRUE(Accepts(*grammar, "[ " + items + "\n ]"));
    EXPECT_FALSE(Accepts(*grammar, "[" + items + ",3000]"));
    EXPECT_FALSE(Accepts(*grammar, "[0]"));
  }
  const auto empty = CompileText(GrammarSource::kJsonSchema, R"({"enum":[[],[[]]]})");
  ASSERT_TRUE(empty.ok());
  EXPECT_TRUE(Accepts(*empty, "[]") && Accepts(*empty, "[[]]"));
}

}  // namespace
}  // namespace aio
