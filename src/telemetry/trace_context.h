// Which trace a request belongs to: W3C Trace Context, as the headers `traceparent` and
// `tracestate` carry it (https://www.w3.org/TR/trace-context/).
#ifndef AIO_TELEMETRY_TRACE_CONTEXT_H_
#define AIO_TELEMETRY_TRACE_CONTEXT_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/hex.h"

namespace aio {

// All zeros: none.
using TraceId = std::array<uint8_t, 16>;
using SpanId = std::array<uint8_t, 8>;

struct TraceContext {
  TraceId trace_id{};
  SpanId span_id{};        // of the span that speaks
  bool sampled = false;    // whether spans are recorded
  std::string tracestate;  // of other vendors, handed on as it came; may be empty

  friend bool operator==(const TraceContext&, const TraceContext&) = default;
};

// What a client says. Absent if `traceparent` is not well-formed. A `tracestate` that is not
// well-formed is left out, and the rest stands.
std::optional<TraceContext> ParseTraceContext(std::string_view traceparent,
                                              std::string_view tracestate);

// "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01": also what `traceresponse` says.
std::string FormatTraceparent(const TraceContext& context);

// Random, never all zeros. Not secret: who sees many can guess the next. Thread-safe.
TraceId NewTraceId();
SpanId NewSpanId();

// Whether a trace that nobody has decided about yet is recorded, of `ratio` (0..1) of all. By the
// last 56 bits of its id, so that all who sample by the same ratio choose the same traces
// (OpenTelemetry's consistent probability sampling).
bool SamplesTrace(const TraceId& trace_id, double ratio);

}  // namespace aio

#endif  // AIO_TELEMETRY_TRACE_CONTEXT_H_
