// The traces of `aio serve`.
#ifndef AIO_APP_SERVE_TRACING_H_
#define AIO_APP_SERVE_TRACING_H_

#include <memory>

#include "backend/backend.h"
#include "base/clock.h"
#include "server/server.h"
#include "telemetry/otlp_transport.h"
#include "telemetry/trace_exporter.h"
#include "telemetry/traced_backend.h"
#include "telemetry/tracer.h"
#include "telemetry/tracing_settings.h"

namespace spdlog {
class logger;
}

namespace aio {

// Outlives the server, and the models' last event.
class ServeTracing {
 public:
  // That sending fails, and works again, goes to `logger`. `clock` outlives it.
  ServeTracing(const TracingSettings& settings, std::unique_ptr<OtlpTransport> transport,
               std::shared_ptr<spdlog::logger> logger, const Clock& clock);

  // Gives the server the tracer and the exporter's counts.
  void Connect(ServerOptions& options) const;
  // Of what stands before the models, and before the router.
  std::unique_ptr<Backend> InFront(Backend& backend, TracedPlace place) const;

  // TraceExporter::Shutdown().
  void Shutdown(Duration timeout) { exporter_.Shutdown(timeout); }
  TraceExporterCounts counts() const { return exporter_.counts(); }

 private:
  TraceExporter exporter_;
  std::shared_ptr<Tracer> tracer_;
};

// By HTTP to where the settings say; null if they name no endpoint.
std::unique_ptr<ServeTracing> StartTracing(const TracingSettings& settings,
                                           std::shared_ptr<spdlog::logger> logger,
                                           const Clock& clock);

}  // namespace aio

#endif  // AIO_APP_SERVE_TRACING_H_
