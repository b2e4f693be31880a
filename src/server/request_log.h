// What the server writes to the log, in either format. Never text of prompts or answers. Internal
// to server/.
#ifndef AIO_SERVER_REQUEST_LOG_H_
#define AIO_SERVER_REQUEST_LOG_H_

#include <optional>
#include <string_view>

#include "base/clock.h"
#include "server/context.h"
#include "telemetry/request_record.h"
#include "telemetry/trace_context.h"

namespace aio {

// A request ended, `took` after its arrival; at info. `trace` is absent where none is known.
void LogRequest(const ServerContext& context, const RequestFacts& facts,
                const std::optional<TraceContext>& trace, Duration took);

// A request fails by no fault of the client's; at warn.
void LogFailure(const ServerContext& context, const RequestFacts& facts,
                const std::optional<TraceContext>& trace);

// What came was no request; at info.
struct Refusal {
  std::string_view id;
  int status = 0;
  std::string_view remote;  // "127.0.0.1:54321"
  std::string_view message;
};
void LogRefusal(const ServerContext& context, const Refusal& refusal);

}  // namespace aio

#endif  // AIO_SERVER_REQUEST_LOG_H_
