// `aio serve` and its decision log.
#ifndef AIO_APP_LOG_DECISIONS_H_
#define AIO_APP_LOG_DECISIONS_H_

#include <memory>

#include "app/config.h"
#include "base/clock.h"
#include "base/status.h"
#include "decisions/decision_log.h"
#include "server/server.h"

namespace spdlog {
class logger;
}

namespace aio {

// The log that the configuration asks for, with its policy in it; null if it asks for none. That
// it cannot be written for a while, and that it can again, goes to `logger`.
Result<std::unique_ptr<DecisionLog>> LogDecisions(const AppConfig& config,
                                                  std::shared_ptr<spdlog::logger> logger,
                                                  const Clock& clock);

// Gives the server somewhere to put feedback, and the log's counts. `log` outlives the server.
void ConnectLog(DecisionLog& log, ServerOptions& options);

}  // namespace aio

#endif  // AIO_APP_LOG_DECISIONS_H_
