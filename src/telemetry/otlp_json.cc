#include "telemetry/otlp_json.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <variant>

#include "base/json_writer.h"

namespace aio {
namespace {

constexpr int kStatusError = 2;
constexpr int kSampledFlag = 0x001;
constexpr int kHasIsRemoteFlag = 0x100;
constexpr int kIsRemoteFlag = 0x200;

// 64-bit integers are strings: not every reader of JSON can hold them.
void WriteLong(int64_t value, JsonWriter& json) { json.Value(std::to_string(value)); }

struct ValueWriter {
  JsonWriter& json;

  void operator()(const std::string& text) const { json.Member("stringValue", text); }
  void operator()(int64_t value) const {
    json.Key("intValue");
    WriteLong(value, json);
  }
  void operator()(double value) const { json.Member("doubleValue", value); }
  void operator()(bool value) const { json.Member("boolValue", value); }
  void operator()(const std::vector<std::string>& texts) const {
    json.Key("arrayValue");
    json.BeginObject();
    json.Key("values");
    json.BeginArray();
    for (const std::string& text : texts) {
      json.BeginObject();
      json.Member("stringValue", text);
      json.EndObject();
    }
    json.EndArray();
    json.EndObject();
  }
};

void WriteAttributes(std::span<const SpanAttribute> attributes, JsonWriter& json) {
  json.Key("attributes");
  json.BeginArray();
  for (const SpanAttribute& attribute : attributes) {
    json.BeginObject();
    json.Member("key", attribute.key);
    json.Key("value");
    json.BeginObject();
    std::visit(ValueWriter{json}, attribute.value);
    json.EndObject();
    json.EndObject();
  }
  json.EndArray();
}

void WriteSpan(const Span& span, JsonWriter& json) {
  json.BeginObject();
  json.Member("traceId", ToHex(span.trace_id));
  json.Member("spanId", ToHex(span.id));
  if (!span.tracestate.empty()) json.Member("traceState", span.tracestate);
  if (span.parent != SpanId{}) json.Member("parentSpanId", ToHex(span.parent));
  json.Member("flags",
              kSampledFlag | kHasIsRemoteFlag | (span.parent_is_remote ? kIsRemoteFlag : 0));
  json.Member("name", span.name);
  json.Member("kind", static_cast<int>(span.kind));
  json.Key("startTimeUnixNano");
  WriteLong(span.start_unix_ns, json);
  json.Key("endTimeUnixNano");
  WriteLong(span.end_unix_ns, json);
  WriteAttributes(span.attributes, json);
  json.Key("status");
  json.BeginObject();
  if (span.failed) {
    json.Member("code", kStatusError);
    if (!span.failure.empty()) json.Member("message", span.failure);
  }
  json.EndObject();
  json.EndObject();
}

// A number, or one in a string.
int64_t LongOf(const nlohmann::json& value) {
  if (value.is_number_integer()) return value.get<int64_t>();
  if (!value.is_string()) return 0;
  const auto& text = value.get_ref<const std::string&>();
  int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

std::string EncodeTraces(std::span<const SpanAttribute> resource, std::span<const Span> spans) {
  constexpr size_t kSpanBytesGuess = 700;
  JsonWriter json;
  json.reserve((spans.size() + 1) * kSpanBytesGuess);
  json.BeginObject();
  json.Key("resourceSpans");
  json.BeginArray();
  json.BeginObject();
  json.Key("resource");
  json.BeginObject();
  WriteAttributes(resource, json);
  json.EndObject();
  json.Key("scopeSpans");
  json.BeginArray();
  json.BeginObject();
  json.Key("scope");
  json.BeginObject();
  json.Member("name", "aio");
  json.EndObject();
  json.Key("spans");
  json.BeginArray();
  for (const Span& span : spans) WriteSpan(span, json);
  json.EndArray();
  json.EndObject();
  json.EndArray();
  json.EndObject();
  json.EndArray();
  json.EndObject();
  return json.Take();
}

PartialSuccess ParseTracesResponse(std::string_view body) {
  PartialSuccess partial;
  const auto json = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("partialSuccess")) return partial;
  const nlohmann::json& said = json["partialSuccess"];
  if (!said.is_object()) return partial;
  if (const auto rejected = said.find("rejectedSpans"); rejected != said.end()) {
    partial.rejected_spans = std::max<int64_t>(0, LongOf(*rejected));
  }
  if (const auto message = said.find("errorMessage");
      message != said.end() && message->is_string()) {
    partial.message = message->get<std::string>();
  }
  return partial;
}

}  // namespace aio
