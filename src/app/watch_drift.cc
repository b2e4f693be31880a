#include "app/watch_drift.h"

#include <spdlog/logger.h>

#include <utility>
#include <vector>

#include "server/metric_reading.h"

namespace aio {

std::vector<MetricReading> ReadDrift(const Router& router) {
  const std::optional<DriftReport> report = router.drift();
  if (!report) return {};
  const auto reading = [](const char* name, const char* help, bool is_counter, double value) {
    return MetricReading{.name = name, .help = help, .is_counter = is_counter, .value = value};
  };
  return {
      reading("aio_drift", "1 while requests are unlike those the policy was calibrated on", false,
              report->signals.drifted ? 1 : 0),
      reading("aio_drift_windows_total", "Windows of requests held against the calibration", true,
              static_cast<double>(report->windows)),
      reading("aio_drift_drifted_windows_total", "Of these, unlike it", true,
              static_cast<double>(report->drifted_windows)),
  };
}

std::function<void(const DriftSignals&)> WarnOfDrift(std::shared_ptr<spdlog::logger> logger) {
  return [logger = std::move(logger)](const DriftSignals& drift) {
    if (drift.drifted) {
      logger->warn("requests drift from what the policy was calibrated on: {}", drift.what);
    } else {
      logger->info("requests are again like those the policy was calibrated on");
    }
  };
}

void ConnectDrift(const Router& router, ServerOptions& options) {
  if (!router.drift()) return;
  options.metric_sources.push_back([&router] { return ReadDrift(router); });
}

}  // namespace aio
