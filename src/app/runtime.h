// Everything a command needs to run models: configuration in, a Router over the embedded
// engine out.
#ifndef AIO_APP_RUNTIME_H_
#define AIO_APP_RUNTIME_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/config.h"
#include "app/remote_model.h"
#include "backend/backend.h"
#include "base/clock.h"
#include "base/status.h"
#include "engine/embedded_backend.h"
#include "formats/gguf.h"
#include "router/router.h"

namespace CLI {
class App;
}

namespace aio {

class IoThreads;

// The options that every command which loads models shares.
struct RuntimeFlags {
  std::string config_path;
  std::string small_path;
  std::string large_path;
  std::string policy_path;
  bool force_policy = false;
  int threads = -1;  // < 0: as configured

  void AddTo(CLI::App& command);
  // The configuration file with these flags laid over it.
  Result<AppConfig> Resolve() const;
};

// Owns the models and the router over them. Not movable: the router points at them.
struct Runtime {
  SystemClock clock;
  std::unique_ptr<EmbeddedBackend> engine;  // null: all models are held elsewhere
  std::vector<ServedElsewhere> elsewhere;
  std::vector<std::unique_ptr<Backend>> fronts;  // RuntimeHooks::front_of_models
  RouterOptions router_options;                  // over the models; what `router` was made from
  std::shared_ptr<Router> router;
};

// Who else listens to the router: see RouterOptions.
struct RuntimeHooks {
  std::shared_ptr<IoThreads> io = nullptr;  // that calls of other servers wait on; null: others
  std::shared_ptr<SessionTable> sessions = nullptr;
  DecisionObserver* observer = nullptr;
  std::function<void(const DriftSignals&)> on_drift = {};
  // Gives a Backend that the router asks in place of the models, which it passes on to.
  std::function<std::unique_ptr<Backend>(Backend& models)> front_of_models = {};
  // When looking for the replicas of the model of that name fails, and when it works again (ok).
  // From other threads.
  std::function<void(const std::string& model, const Status& fault)> on_discovery = {};
  // The names of its replicas: first, and when they have changed; likewise.
  std::function<void(const std::string& model, const std::vector<std::string>& replicas)>
      on_replicas = {};
  // When one of them gets no requests from now on, and when it does again; likewise.
  std::function<void(const std::string& model, const std::string& replica, ReplicaState state,
                     std::string_view why)>
      on_replica = {};
  // Asked while weights are loaded: true gives up, as kCancelled.
  std::function<bool()> cancelled = {};
};

// Loads the weights in `file` with a progress bar that calls them `name`.
Result<std::shared_ptr<const Model>> LoadWeights(const std::string& name,
                                                 std::shared_ptr<const GgufFile> file, int threads,
                                                 const Clock& clock,
                                                 std::function<bool()> cancelled = {});

// Loads one model from `file`, which is that of `settings`, with a progress bar.
Result<EmbeddedModel> LoadModel(const ModelSettings& settings, int threads, const Clock& clock,
                                std::shared_ptr<const GgufFile> file);

// Checks that the models fit in memory and to each other (check_models.h) before it loads their
// weights. Those held elsewhere are not waited for.
Result<std::unique_ptr<Runtime>> LoadRuntime(const AppConfig& config, RuntimeHooks hooks = {});
// Likewise, for commands that look into the engine: kInvalidArgument if a model is held elsewhere.
Result<std::unique_ptr<Runtime>> LoadEmbeddedRuntime(const AppConfig& config);

// What `config` says of a router, but for the models that it routes over, into `options`, which has
// them. Fails if the probe's head is not for the small one.
Status ConfigureRouter(const AppConfig& config, RouterOptions& options);

// What is resident, for people: a router's models but for the names that route.
std::vector<ModelInfo> ResidentModels(const Router& router);
// Its size, and what it is for beside its role: "15.0 MiB of weights, drafts for pocket-large",
// "held by other servers".
std::string DescribeModel(const ModelInfo& model, const std::vector<ModelInfo>& resident);

}  // namespace aio

#endif  // AIO_APP_RUNTIME_H_
