#include "app/serve_tracing.h"

#include <spdlog/logger.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "telemetry/curl_transport.h"

namespace aio {
namespace {

int64_t UnixNs() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

TraceExporterOptions OptionsOf(const TracingSettings& settings,
                               std::shared_ptr<spdlog::logger> logger) {
  TraceExporterOptions options;
  options.queue_max = settings.queue_max;
  options.resource = {
      {"service.name", settings.service_name.empty() ? "aio" : settings.service_name},
      {"service.instance.id", ToHex(NewTraceId())}};
  options.on_health = [logger = std::move(logger)](const Status& status) {
    if (status.ok()) {
      logger->info("traces reach the collector again");
    } else {
      logger->warn("traces do not reach the collector: {}", status.message());
    }
  };
  return options;
}

std::vector<MetricReading> ReadCounts(const TraceExporter& exporter) {
  const TraceExporterCounts counts = exporter.counts();
  const auto reading = [](const char* name, const char* help, bool is_counter, int64_t value) {
    return MetricReading{
        .name = name, .help = help, .is_counter = is_counter, .value = static_cast<double>(value)};
  };
  return {
      reading("aio_traces_exported_total", "Traced requests that the collector has", true,
              counts.exported),
      reading("aio_traces_dropped_total", "Traced requests that it will never have", true,
              counts.dropped),
      reading("aio_trace_export_errors_total", "Attempts to send traces that failed", true,
              counts.errors),
      reading("aio_trace_spans_rejected_total", "Spans that the collector would not have", true,
              counts.rejected_spans),
      reading("aio_traces_waiting", "Traced requests that wait to be sent", false, counts.waiting),
  };
}

}  // namespace

ServeTracing::ServeTracing(const TracingSettings& settings,
                           std::unique_ptr<OtlpTransport> transport,
                           std::shared_ptr<spdlog::logger> logger, const Clock& clock)
    : exporter_(std::move(transport), OptionsOf(settings, std::move(logger)), clock),
      tracer_(std::make_shared<Tracer>(settings.sample_ratio, clock, UnixNs, exporter_)) {}

void ServeTracing::Connect(ServerOptions& options) const {
  options.tracer = tracer_;
  options.metric_sources.push_back([this] { return ReadCounts(exporter_); });
}

std::unique_ptr<Backend> ServeTracing::InFront(Backend& backend, TracedPlace place) const {
  return std::make_unique<TracedBackend>(backend, *tracer_, place);
}

std::unique_ptr<ServeTracing> StartTracing(const TracingSettings& settings,
                                           std::shared_ptr<spdlog::logger> logger,
                                           const Clock& clock) {
  if (settings.endpoint.empty()) return nullptr;
  return std::make_unique<ServeTracing>(
      settings, MakeCurlTransport(settings.endpoint, settings.headers), std::move(logger), clock);
}

}  // namespace aio
