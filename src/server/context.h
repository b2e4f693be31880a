// What all requests of a server share. Held by shared_ptr, since a backend may still report
// the end of a generation after its server is gone. Internal to server/.
#ifndef AIO_SERVER_CONTEXT_H_
#define AIO_SERVER_CONTEXT_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "backend/backend.h"
#include "base/clock.h"
#include "server/metrics.h"
#include "server/server.h"

namespace aio {

struct ServerContext {
  Backend& backend;
  const Clock& clock;
  const std::shared_ptr<spdlog::logger> logger;  // may be null
  const std::string api_key;                     // empty: none is asked for
  const Duration request_timeout;                // 0: none
  const int64_t started_at;                      // Unix seconds
  Metrics metrics;
  std::atomic<Server::State> state{Server::State::kCreated};
};

}  // namespace aio

#endif  // AIO_SERVER_CONTEXT_H_
