// A traced request as spans: the request's own, and below it, in the order in which they happen,
//
//   queue    waits to be admitted (aio.queue = "admission")
//   probe    a look of the small model; a second look has more of them
//   decide   the router's own work, from the last look to the model's being asked
//   queue    waits for the model (aio.queue = "model")
//   prefill  the model reads the prompt, until the first token
//   decode   the first token to the last
//
// docs/tracing.md lists the attributes. Those of `gen_ai.` and `http.` are OpenTelemetry's semantic
// conventions, as of semantic-conventions-genai of 2026.
#ifndef AIO_TELEMETRY_REQUEST_SPANS_H_
#define AIO_TELEMETRY_REQUEST_SPANS_H_

#include <vector>

#include "telemetry/request_record.h"
#include "telemetry/span.h"

namespace aio {

// The request's own comes first. Ids of the others are made here.
std::vector<Span> SpansOf(const RequestRecord& record);

}  // namespace aio

#endif  // AIO_TELEMETRY_REQUEST_SPANS_H_
