// Where traces go and which: the table [tracing] of the configuration, and OpenTelemetry's own
// variables of the environment where the table leaves it open.
#ifndef AIO_TELEMETRY_TRACING_SETTINGS_H_
#define AIO_TELEMETRY_TRACING_SETTINGS_H_

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "base/toml_table.h"

namespace aio {

inline constexpr int kTraceQueueMax = 1 << 20;

struct TracingSettings {
  std::string endpoint;  // URL of the collector's traces: ".../v1/traces"; empty: nothing is traced
  std::vector<std::pair<std::string, std::string>> headers;  // for it: name, value
  double sample_ratio = 1;   // of requests whose client has not decided, 0..1
  std::string service_name;  // empty: "aio"
  int queue_max = 2048;      // requests whose spans wait for the collector, 1..kTraceQueueMax

  friend bool operator==(const TracingSettings&, const TracingSettings&) = default;
};

// The value of a variable of the environment; absent: it is not set.
using ReadVariable = std::function<std::optional<std::string>(const std::string& name)>;
std::optional<std::string> ReadProcessVariable(const std::string& name);

// The table [tracing] of a document, whose faults come out of its Finish(). In values of headers
// "${NAME}" stands for the variable NAME, so that no secret need stand in the file.
//
//   [tracing]
//   endpoint = "http://127.0.0.1:4318"  # of a collector; "/v1/traces" is added if it is not there
//   headers = ["authorization: Bearer ${OTLP_TOKEN}"]
//   sample_ratio = 0.1
//   service_name = "aio"
//   queue_max = 2048
TracingSettings ReadTracing(TomlTable& root, const ReadVariable& variable);

// Adds what the table does not have: OTEL_EXPORTER_OTLP_TRACES_ENDPOINT (as it is) or
// OTEL_EXPORTER_OTLP_ENDPOINT ("/v1/traces" is added), OTEL_EXPORTER_OTLP_TRACES_HEADERS or
// OTEL_EXPORTER_OTLP_HEADERS (name=value,name=value; percent-encoded), OTEL_SERVICE_NAME.
// OTEL_SDK_DISABLED=true turns everything off. kInvalidArgument names a variable that will not do.
Status AddTracingVariables(const ReadVariable& variable, TracingSettings& settings);

}  // namespace aio

#endif  // AIO_TELEMETRY_TRACING_SETTINGS_H_
