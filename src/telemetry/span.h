// A span as OpenTelemetry has it. Plain data.
#ifndef AIO_TELEMETRY_SPAN_H_
#define AIO_TELEMETRY_SPAN_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "telemetry/trace_context.h"

namespace aio {

using AttributeValue = std::variant<std::string, int64_t, double, bool, std::vector<std::string>>;

struct SpanAttribute {
  std::string key;
  AttributeValue value;
};

// Numbers are OTLP's.
enum class SpanKind { kInternal = 1, kServer = 2 };

struct Span {
  TraceId trace_id{};
  SpanId id{};
  SpanId parent{};                // zeros: it has none
  bool parent_is_remote = false;  // it came in a traceparent
  std::string tracestate;
  std::string name;
  SpanKind kind = SpanKind::kInternal;
  int64_t start_unix_ns = 0;
  int64_t end_unix_ns = 0;
  std::vector<SpanAttribute> attributes;
  bool failed = false;  // its status is an error
  std::string failure;  // what it says of that; may be empty
};

}  // namespace aio

#endif  // AIO_TELEMETRY_SPAN_H_
