// The OpenTelemetry protocol's JSON: what is sent to a collector and what it answers
// (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding).
#ifndef AIO_TELEMETRY_OTLP_JSON_H_
#define AIO_TELEMETRY_OTLP_JSON_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "telemetry/span.h"

namespace aio {

// An ExportTraceServiceRequest: `resource` says who speaks (service.name, ...).
std::string EncodeTraces(std::span<const SpanAttribute> resource, std::span<const Span> spans);

// What a collector that took a request did not take of it.
struct PartialSuccess {
  int64_t rejected_spans = 0;
  std::string message;  // perhaps a warning though nothing was rejected; may be empty
};

// Of the body of an ExportTraceServiceResponse; whatever is not one says nothing.
PartialSuccess ParseTracesResponse(std::string_view body);

}  // namespace aio

#endif  // AIO_TELEMETRY_OTLP_JSON_H_
