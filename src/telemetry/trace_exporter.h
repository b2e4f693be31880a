// Sends traces to a collector from a thread of its own: in batches, from a bounded queue, again
// when the collector is gone or busy. No request ever waits, or fails, for it.
#ifndef AIO_TELEMETRY_TRACE_EXPORTER_H_
#define AIO_TELEMETRY_TRACE_EXPORTER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "telemetry/otlp_transport.h"
#include "telemetry/span.h"
#include "telemetry/tracer.h"

namespace aio {

struct TraceExporterOptions {
  std::vector<SpanAttribute> resource = {};           // who speaks: service.name, ...
  int queue_max = 2048;                               // requests that wait; beyond: dropped
  int batch_max = 128;                                // requests in one message
  Duration batch_interval = std::chrono::seconds(1);  // for which a batch is gathered
  Duration send_timeout = std::chrono::seconds(10);   // OTLP's default
  // Of a batch that the collector could not take: exponential, with jitter, for so long.
  Duration retry_initial = std::chrono::milliseconds(500);
  Duration retry_interval_max = std::chrono::seconds(30);
  Duration retry_for = std::chrono::minutes(1);
  // Told when sending begins to fail and, with an ok Status, when it works again. From the
  // exporter's thread. May be empty.
  std::function<void(const Status&)> on_health = {};
};

// Of requests, since the start.
struct TraceExporterCounts {
  int64_t exported = 0;        // sent, and taken
  int64_t dropped = 0;         // lost: the queue was full, or the collector would not have them
  int64_t errors = 0;          // attempts to send that failed
  int64_t rejected_spans = 0;  // of those taken, spans that the collector would not have
  int64_t waiting = 0;         // now
};

// Thread-safe. Waits are of the machine's own time, whatever the clock.
class TraceExporter final : public TraceSink {
 public:
  // `clock` outlives it.
  TraceExporter(std::unique_ptr<OtlpTransport> transport, TraceExporterOptions options,
                const Clock& clock);
  ~TraceExporter() override;  // Shutdown(0)

  void Add(std::unique_ptr<const RequestRecord> record) override;

  // Sends what waits and ends the thread, within `timeout` and a second: what cannot be sent by
  // then is dropped, as is all that comes after. Idempotent.
  void Shutdown(Duration timeout);

  TraceExporterCounts counts() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Whether the collector may take the same later: it cannot be reached, or says 429, 502, 503 or
// 504.
bool IsRetryable(const OtlpReply& reply);

// The wait after attempt `attempt` (from 0): `initial` doubled each time, `max` at most, and of
// that between half and all, as `jitter` (0..1) says; `retry_after` at least.
Duration RetryDelay(const TraceExporterOptions& options, int attempt, double jitter,
                    const std::optional<Duration>& retry_after);

}  // namespace aio

#endif  // AIO_TELEMETRY_TRACE_EXPORTER_H_
