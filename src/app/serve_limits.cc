#include "app/serve_limits.h"

#include <spdlog/logger.h>

#include <utility>
#include <vector>

#include "access/postgres_limit_store.h"

namespace aio {
namespace {

std::vector<MetricReading> ReadCounts(const SharedLimits& limits) {
  const SharedLimitsCounts counts = limits.counts();
  const auto reading = [](const char* name, const char* help, bool is_counter, auto value) {
    return MetricReading{
        .name = name, .help = help, .is_counter = is_counter, .value = static_cast<double>(value)};
  };
  return {
      reading("aio_shared_limits_up", "0 while keys are limited by this server's share alone",
              false, counts.up ? 1 : 0),
      reading("aio_shared_limits_members", "Servers that share the limits, as last known", false,
              counts.members),
      reading("aio_shared_limits_exchanges_total", "Exchanges with the database of shared limits",
              true, counts.exchanges),
      reading("aio_shared_limits_errors_total", "Exchanges with it that failed", true,
              counts.errors),
  };
}

}  // namespace

Result<std::unique_ptr<SharedLimits>> ShareLimits(const AppConfig& config,
                                                  std::shared_ptr<AccessControl> access,
                                                  std::shared_ptr<spdlog::logger> logger,
                                                  const Clock& clock) {
  if (config.limits_url.empty()) return std::unique_ptr<SharedLimits>();
  SharedLimitsOptions options;
  options.on_health = [logger = std::move(logger)](const Status& status) {
    if (status.ok()) {
      logger->info("the limits of keys are shared again");
    } else {
      logger->warn("the limits of keys cannot be shared, this server keeps to its share: {}",
                   status.message());
    }
  };
  auto limits =
      std::make_unique<SharedLimits>(std::make_unique<PostgresLimitStore>(config.limits_url),
                                     std::move(access), std::move(options), clock);
  Status started = limits->Start();
  if (!started.ok()) return std::move(started).WithContext("server.limits_url_env");
  return limits;
}

void ConnectLimits(const SharedLimits& limits, ServerOptions& options) {
  options.metric_sources.push_back([&limits] { return ReadCounts(limits); });
}

}  // namespace aio
