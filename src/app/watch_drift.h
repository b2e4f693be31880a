// `aio serve` and its router's drift guard.
#ifndef AIO_APP_WATCH_DRIFT_H_
#define AIO_APP_WATCH_DRIFT_H_

#include <functional>
#include <memory>
#include <vector>

#include "router/router.h"
#include "router/signals.h"
#include "server/server.h"

namespace spdlog {
class logger;
}

namespace aio {

// Says in the log when drift begins and when it ends. For RouterOptions::on_drift.
std::function<void(const DriftSignals&)> WarnOfDrift(std::shared_ptr<spdlog::logger> logger);

// The guard's state as metrics; none if the policy has no guard.
std::vector<MetricReading> ReadDrift(const Router& router);

// Shows the guard's state in the server's metrics, if the policy has one. `router` outlives the
// server.
void ConnectDrift(const Router& router, ServerOptions& options);

}  // namespace aio

#endif  // AIO_APP_WATCH_DRIFT_H_
