// What all requests of a server share. Held by shared_ptr, since a backend may still report
// the end of a generation after its server is gone. Internal to server/.
#ifndef AIO_SERVER_CONTEXT_H_
#define AIO_SERVER_CONTEXT_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "access/access_control.h"
#include "backend/backend.h"
#include "base/clock.h"
#include "server/metrics.h"
#include "server/server.h"

namespace aio {

struct ServerContext {
  Backend& backend;
  const Clock& clock;
  const std::shared_ptr<spdlog::logger> logger;  // may be null
  const std::shared_ptr<AccessControl> access;   // never null
  const std::vector<std::string> cors_origins;   // empty: no other site's pages may ask
  const bool on_loopback;                        // only this machine reaches the server
  const Duration request_timeout;                // 0: none
  const int64_t started_at;                      // Unix seconds
  const FeedbackHandler feedback;                // may be empty
  const std::vector<MetricSource> metric_sources;
  const std::vector<ServerPage> pages;
  const LogFormat log_format;
  const std::shared_ptr<Tracer> tracer;  // may be null
  Metrics metrics;
  std::atomic<Server::State> state{Server::State::kCreated};

  // What GET /metrics answers.
  std::string MetricsText() const {
    std::vector<MetricReading> readings;
    for (const MetricSource& source : metric_sources) {
      for (MetricReading& reading : source()) readings.push_back(std::move(reading));
    }
    return metrics.Text(backend.Load(), readings);
  }
};

}  // namespace aio

#endif  // AIO_SERVER_CONTEXT_H_
