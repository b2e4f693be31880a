#include "telemetry/otlp_json.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

namespace aio {
namespace {

using Json = nlohmann::json;

Span ExampleSpan() {
  Span span;
  span.trace_id.fill(0x0A);
  span.id.fill(0xB1);
  span.parent.fill(0xC2);
  span.parent_is_remote = true;
  span.tracestate = "a=1";
  span.name = "POST /v1/chat/completions";
  span.kind = SpanKind::kServer;
  span.start_unix_ns = 1'796'011'262'123'456'789;
  span.end_unix_ns = 1'796'011'263'000'000'000;
  return span;
}

Json Encoded(const Span& span, const std::vector<SpanAttribute>& resource = {}) {
  const Json json = Json::parse(EncodeTraces(resource, std::vector<Span>{span}));
  return json.at("resourceSpans").at(0);
}

TEST(OtlpJsonTest, WritesASpanAsTheProtocolHasIt) {
  const Json span = Encoded(ExampleSpan()).at("scopeSpans").at(0).at("spans").at(0);
  EXPECT_EQ(span.at("traceId"), "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a") << "hexadecimal, not base64";
  EXPECT_EQ(span.at("spanId"), "b1b1b1b1b1b1b1b1");
  EXPECT_EQ(span.at("parentSpanId"), "c2c2c2c2c2c2c2c2");
  EXPECT_EQ(span.at("traceState"), "a=1");
  EXPECT_EQ(span.at("name"), "POST /v1/chat/completions");
  EXPECT_EQ(span.at("kind"), 2) << "enumerations are numbers";
  EXPECT_EQ(span.at("startTimeUnixNano"), "1796011262123456789") << "64-bit integers are strings";
  EXPECT_EQ(span.at("endTimeUnixNano"), "1796011263000000000");
  EXPECT_EQ(span.at("flags"), 0x301) << "sampled, and its parent is remote";
  EXPECT_EQ(span.at("status"), Json::object());
}

TEST(OtlpJsonTest, ARootHasNoParent) {
  Span span = ExampleSpan();
  span.parent = {};
  span.parent_is_remote = false;
  span.failed = true;
  span.failure = "internal";
  const Json json = Encoded(span).at("scopeSpans").at(0).at("spans").at(0);
  EXPECT_FALSE(json.contains("parentSpanId"));
  EXPECT_EQ(json.at("flags"), 0x101);
  EXPECT_EQ(json.at("status"), (Json{{"code", 2}, {"message", "internal"}}));
}

TEST(OtlpJsonTest, WritesEachTypeOfAttribute) {
  Span span = ExampleSpan();
  const std::string odd = "say \"hi\"\\\n\x01 \xC3\xA4 \xFF";
  span.attributes = {{"text", odd},    {"int", std::numeric_limits<int64_t>::max()},
                     {"double", 0.25}, {"not a number", std::numeric_limits<double>::quiet_NaN()},
                     {"bool", true},   {"list", std::vector<std::string>{"stop", "length"}}};
  const Json json = Encoded(span).at("scopeSpans").at(0).at("spans").at(0).at("attributes");
  ASSERT_EQ(json.size(), 6u);
  EXPECT_EQ(json[0].at("key"), "text");
  EXPECT_EQ(json[0].at("value").at("stringValue"), "say \"hi\"\\\n\x01 \xC3\xA4 \xEF\xBF\xBD");
  EXPECT_EQ(json[1].at("value").at("intValue"), "9223372036854775807");
  EXPECT_EQ(json[2].at("value").at("doubleValue"), 0.25);
  EXPECT_EQ(json[3].at("value").at("doubleValue"), nullptr);
  EXPECT_EQ(json[4].at("value").at("boolValue"), true);
  EXPECT_EQ(json[5].at("value").at("arrayValue").at("values"),
            (Json{{{"stringValue", "stop"}}, {{"stringValue", "length"}}}));
}

TEST(OtlpJsonTest, SaysWhoSpeaks) {
  const Json json = Encoded(ExampleSpan(), {{"service.name", std::string("chat")}});
  EXPECT_EQ(json.at("resource").at("attributes").at(0),
            (Json{{"key", "service.name"}, {"value", {{"stringValue", "chat"}}}}));
  EXPECT_EQ(json.at("scopeSpans").at(0).at("scope").at("name"), "aio");
}

TEST(OtlpJsonTest, ReadsWhatACollectorDidNotTake) {
  const PartialSuccess partial = ParseTracesResponse(
      R"({"partialSuccess": {"rejectedSpans": "3", "errorMessage": "too old"}})");
  EXPECT_EQ(partial.rejected_spans, 3);
  EXPECT_EQ(partial.message, "too old");
  EXPECT_EQ(ParseTracesResponse(R"({"partialSuccess": {"rejectedSpans": 2}})").rejected_spans, 2);
  for (const char* nothing : {"", "{}", "[]", "no", R"({"partialSuccess": 1})",
                              R"({"partialSuccess": {"rejectedSpans": -4, "errorMessage": 1}})"}) {
    EXPECT_EQ(ParseTracesResponse(nothing).rejected_spans, 0) << nothing;
    EXPECT_EQ(ParseTracesResponse(nothing).message, "") << nothing;
  }
}

}  // namespace
}  // namespace aio
