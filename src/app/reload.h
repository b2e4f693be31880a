// Takes over a changed configuration while serving: the models, the policy, the API keys, the
// queue's limits and the TLS files.
#ifndef AIO_APP_RELOAD_H_
#define AIO_APP_RELOAD_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "access/access_control.h"
#include "admission/admission_backend.h"
#include "app/config.h"
#include "app/current_router.h"
#include "base/clock.h"
#include "base/file_watch.h"
#include "base/status.h"
#include "router/router.h"
#include "server/server.h"

namespace spdlog {
class logger;
}

namespace aio {

// Of reloads, for metrics.
struct ReloadCounts {
  std::atomic<int64_t> succeeded = 0;
  std::atomic<int64_t> failed = 0;
  std::atomic<bool> last_succeeded = true;
};

// `counts` outlives the server.
void ConnectReloads(const ReloadCounts& counts, ServerOptions& options);

// Models that serve.
struct ServedModels {
  std::shared_ptr<void> owner;     // what keeps them
  RouterOptions options;           // of a router over them
  std::shared_ptr<Router> router;  // made from `options`; shares in owning them
};

// Loads what `config` names, with the conversations that the new router is to remember; null: none.
using ModelLoader = std::function<Result<ServedModels>(const AppConfig& config,
                                                       std::shared_ptr<SessionTable> sessions)>;

// The files that a configuration was read from, or says to read, as they are now. To be made before
// what takes long: a change that comes meanwhile is then seen.
struct ConfigFiles {
  explicit ConfigFiles(const AppConfig& config);

  FileWatch settings;  // its own, the policy's, the keys', the certificate's
  FileWatch models;
};

// What a reload changes; all outlive the Reloader.
struct ReloadTargets {
  CurrentRouter& router;
  ServedModels models;  // what it serves
  ModelLoader load_models;
  AdmissionBackend& admission;
  AccessControl& access;
  Server& server;
  const Clock& clock;
  // Told of each policy before it decides. May be empty.
  std::function<void(const RoutingPolicy&)> on_policy = {};
};

// Not thread-safe.
class Reloader {
 public:
  // `load` reads the configuration anew, with the command line laid over it; `running` is the one
  // that the program started with, `files` made when it was read.
  Reloader(std::function<Result<AppConfig>()> load, AppConfig running, ConfigFiles files,
           ReloadTargets targets, ReloadCounts& counts, std::shared_ptr<spdlog::logger> logger);

  // All or nothing: if anything in the new configuration is wrong, what is served goes on as it
  // was, and the log and the Status say what. Requests that run are not disturbed: they end on the
  // models and under the policy, the key and the certificate that they began with. Models are
  // loaded only if they, their files or the engine's options changed, beside those that serve
  // meanwhile. What cannot change while serving (address, timeouts, ...) is named in the log, and
  // waits for a restart.
  Status Reload();

  // Looks whether the settings' files have changed since they were read (see FileWatch::Poll()).
  bool FilesHaveChanged() { return files_.settings.Poll(); }

 private:
  Status Apply(AppConfig config);
  Result<ServedModels> NextModels(const AppConfig& config) const;
  void WarnOfRestart(const AppConfig& config) const;

  const std::function<Result<AppConfig>()> load_;
  AppConfig running_;
  ReloadTargets targets_;
  ConfigFiles files_;
  ReloadCounts& counts_;
  const std::shared_ptr<spdlog::logger> logger_;  // never null
};

// What of `after` makes a program that runs by `before` load models: "models.small.path", ...
std::vector<std::string> ChangesOfModels(const AppConfig& before, const AppConfig& after);
// ... and what needs a restart: "server.port", ...
std::vector<std::string> ChangesThatWait(const AppConfig& before, const AppConfig& after);

}  // namespace aio

#endif  // AIO_APP_RELOAD_H_
