// The log of `aio serve`: standard error, as text or JSON.
#ifndef AIO_APP_SERVE_LOG_H_
#define AIO_APP_SERVE_LOG_H_

#include <memory>
#include <string>

#include "server/server.h"
#include "telemetry/log_format.h"

namespace CLI {
class App;
}
namespace spdlog {
class logger;
}

namespace aio {

struct LogFlags {
  std::string format = "text";
  std::string level = "info";
  bool quiet = false;  // no line a request

  void AddTo(CLI::App& command);
};

// Never blocks who writes to it: when nobody reads standard error, lines are lost instead.
std::shared_ptr<spdlog::logger> MakeLogger(const LogFlags& flags);

// Gives the server what it logs to.
void ConnectLogger(const std::shared_ptr<spdlog::logger>& logger, const LogFlags& flags,
                   ServerOptions& options);

}  // namespace aio

#endif  // AIO_APP_SERVE_LOG_H_
