// `aio serve` and the limits that it shares with other servers.
#ifndef AIO_APP_SERVE_LIMITS_H_
#define AIO_APP_SERVE_LIMITS_H_

#include <memory>

#include "access/access_control.h"
#include "access/shared_limits.h"
#include "app/config.h"
#include "base/clock.h"
#include "base/status.h"
#include "server/server.h"

namespace spdlog {
class logger;
}

namespace aio {

// Shares the limits of `access` by the database that the configuration names; null if it names
// none. That the database is away, and that it is back, goes to `logger`.
Result<std::unique_ptr<SharedLimits>> ShareLimits(const AppConfig& config,
                                                  std::shared_ptr<AccessControl> access,
                                                  std::shared_ptr<spdlog::logger> logger,
                                                  const Clock& clock);

// Gives the server its counts. `limits` outlives the server.
void ConnectLimits(const SharedLimits& limits, ServerOptions& options);

}  // namespace aio

#endif  // AIO_APP_SERVE_LIMITS_H_
