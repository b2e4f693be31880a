#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/logger.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "access/access_control.h"
#include "api/json_text.h"
#include "app/commands.h"
#include "app/config_access.h"
#include "app/connect_dashboard.h"
#include "app/current_router.h"
#include "app/log_decisions.h"
#include "app/release_thread.h"
#include "app/reload.h"
#include "app/runtime.h"
#include "app/serve_admission.h"
#include "app/serve_limits.h"
#include "app/serve_log.h"
#include "app/serve_signals.h"
#include "app/serve_tracing.h"
#include "app/service_manager.h"
#include "app/system_memory.h"
#include "app/watch_drift.h"
#include "base/io_threads.h"
#include "base/open_files.h"
#include "dashboard/recent_decisions.h"
#include "kernels/target.h"
#include "postgres/url.h"
#include "server/headers.h"
#include "server/server.h"

namespace aio {

namespace {

// For traces to reach the collector once everything has been served.
constexpr auto kTracesFlush = std::chrono::seconds(5);

struct ServeFlags {
  RuntimeFlags runtime;
  LogFlags log;
  std::string host;
  int port = -1;
  std::string api_key;
  std::string decision_log;
  int drain_seconds = 30;
  bool dry_run = false;
  bool json = false;
  bool watch = false;
  bool no_dashboard = false;

  // The configuration file with the command line laid over it.
  Result<AppConfig> Resolve() const {
    AIO_ASSIGN_OR_RETURN(AppConfig config, runtime.Resolve());
    if (!host.empty()) config.server.host = host;
    if (port >= 0) config.server.port = port;
    if (!api_key.empty()) config.server.api_key = api_key;
    AIO_RETURN_IF_ERROR(TakeDecisionLog(config.decision_log));
    AIO_RETURN_IF_ERROR(AddTracingVariables(ReadProcessVariable, config.tracing));
    return config;
  }

  // In place of the configuration's, wherever that is.
  Status TakeDecisionLog(DecisionLogOptions& log) const {
    if (decision_log.empty()) return Status::Ok();
    const bool is_url = IsPostgresUrl(decision_log);
    log.path = is_url ? "" : decision_log;
    log.url = is_url ? decision_log : "";
    if (!is_url) return Status::Ok();
    Status checked = CheckPostgresUrl(log.url);
    return checked.ok() ? checked : std::move(checked).WithContext("--decision-log");
  }
};

void Announce(const Router& router, const Server& server, int threads, bool json) {
  if (json) {
    OrderedJson models = OrderedJson::array();
    for (const ModelInfo& model : router.Models()) models.push_back(model.name);
    fmt::print("{}\n", ToText({{"url", server.url()}, {"models", models}, {"threads", threads}}));
  } else {
    const std::vector<ModelInfo> resident = ResidentModels(router);
    for (const ModelInfo& model : resident) {
      fmt::print("{:<6} {}: {}\n", model.role, model.name, DescribeModel(model, resident));
    }
    fmt::print("kernels for {}, {} threads\nlistening on {}\n", ActiveTarget(), threads,
               server.url());
  }
  std::fflush(stdout);
}

// An empty key would leave the server open to all, where its owner meant the contrary.
Status CheckAccess(const AppConfig& config, spdlog::logger& logger) {
  if (!config.server.api_key.empty()) return Status::Ok();
  if (std::getenv("AIO_API_KEY") != nullptr) {  // NOLINT(concurrency-mt-unsafe): at start
    return InvalidArgument(
        "the environment variable AIO_API_KEY is empty: set it to a key, or unset it to serve "
        "everyone");
  }
  if (AsksForKeys(config)) {
    if (config.keys.empty()) {
      logger.warn("{} has no keys: nobody is served; see `aio keys add`", config.keys_file);
    }
    return Status::Ok();
  }
  const std::string& host = config.server.host;
  if (!IsLoopback(host)) {
    logger.warn(
        "no API key is asked for on {}: whoever reaches the port is served; set AIO_API_KEY, or "
        "server.keys_file",
        host);
  }
  return Status::Ok();
}

// Every connection is an open file; some more are models, logs and the like.
void CheckOpenFiles(int connections_max, spdlog::logger& logger) {
  constexpr int kOthers = 64;
  const int64_t files = RaiseOpenFilesLimit();
  if (files >= connections_max + kOthers) return;
  logger.warn(
      "the system allows {} open files, fewer than server.connections_max = {} needs: raise the "
      "limit (ulimit -n, or LimitNOFILE= of systemd)",
      files, connections_max);
}

// Ends the program, whatever else it is about, when `wait` returns.
template <typename Wait>
void ExitAfter(Wait wait) {
  std::thread([wait] {
    wait();
    std::_Exit(kExitFailed);
  }).detach();
}

// Lets running requests end.
void Drain(Server& server, const ServeSignals& signals, std::chrono::seconds time,
           spdlog::logger& logger) {
  ExitAfter([signals] { signals.WaitForEnd(); });
  logger.info("draining: running requests have {} s (a second signal ends at once)", time.count());
  server.Drain(time);
  // What is left takes a moment, unless nobody reads the log's last lines.
  ExitAfter([] { std::this_thread::sleep_for(std::chrono::seconds(10)); });
}

// What the router is to ask in place of the models; empty if nothing is traced.
std::function<std::unique_ptr<Backend>(Backend&)> FrontOfModels(const ServeTracing* tracing) {
  if (tracing == nullptr) return {};
  return [tracing](Backend& models) { return tracing->InFront(models, TracedPlace::kModels); };
}

std::function<void(const std::string&, const Status&)> LogDiscovery(
    std::shared_ptr<spdlog::logger> logger) {
  return [logger = std::move(logger)](const std::string& model, const Status& fault) {
    if (fault.ok()) {
      logger->info("replicas of '{}' are found again", model);
    } else {
      logger->warn("looking for replicas of '{}': {}", model, fault.message());
    }
  };
}

decltype(RuntimeHooks::on_replicas) LogReplicaSets(std::shared_ptr<spdlog::logger> logger) {
  return [logger = std::move(logger)](const std::string& model,
                                      const std::vector<std::string>& replicas) {
    constexpr size_t kNamedMax = 20;
    const std::span named = std::span(replicas).first(std::min(replicas.size(), kNamedMax));
    logger->info("replicas of '{}', {} in all: {}{}", model, replicas.size(),
                 fmt::join(named, ", "), replicas.size() > kNamedMax ? ", ..." : "");
  };
}

decltype(RuntimeHooks::on_replica) LogReplicas(std::shared_ptr<spdlog::logger> logger) {
  return [logger = std::move(logger)](const std::string& model, const std::string& replica,
                                      ReplicaState state, std::string_view why) {
    constexpr size_t kWhyBytesMax = 300;
    if (state == ReplicaState::kReady) {
      logger->info("replica {} of '{}' gets requests again", replica, model);
    } else {
      logger->warn("replica {} of '{}' gets no requests for now: {}", replica, model,
                   PrintableAscii(why, kWhyBytesMax));
    }
  };
}

// That the service manager cannot be told is no reason to stop.
void Warn(const Status& told, spdlog::logger& logger) {
  if (!told.ok()) logger.warn("{}", told.message());
}

Status Reload(Reloader& reloader, const ServiceManager& manager, spdlog::logger& logger) {
  Warn(manager.Reloading(), logger);
  Status reloaded = reloader.Reload();
  Warn(manager.Ready(reloaded.ok() ? "serving"
                                   : "serving; the last reload was refused, see the log"),
       logger);
  return reloaded;
}

// Until a signal says to end.
void ServeAndReload(Reloader& reloader, const ServeSignals& signals, bool watch,
                    const std::function<Status()>& reload) {
  constexpr auto kWatchInterval = std::chrono::seconds(1);
  while (true) {
    const ServeSignal signal = watch ? signals.WaitFor(kWatchInterval) : signals.Wait();
    if (signal == ServeSignal::kEnd) return;
    // That it fails is in the log.
    if (signal == ServeSignal::kReload || reloader.FilesHaveChanged()) (void)reload();
  }
}

// Each time beside the models that serve, which go when nothing runs on them any more.
ModelLoader MakeModelLoader(const RuntimeHooks& hooks, ReleaseThread& releases,
                            std::shared_ptr<spdlog::logger> logger) {
  return [hooks, &releases, logger = std::move(logger)](
             const AppConfig& config,
             std::shared_ptr<SessionTable> sessions) -> Result<ServedModels> {
    RuntimeHooks now = hooks;
    now.sessions = std::move(sessions);
    AIO_ASSIGN_OR_RETURN(std::unique_ptr<Runtime> runtime, LoadRuntime(config, std::move(now)));
    const std::shared_ptr<Runtime> owner =
        releases.Share(std::move(runtime), [logger] { logger->info("models have been released"); });
    return ServedModels{.owner = owner,
                        .options = owner->router_options,
                        .router = std::shared_ptr<Router>(owner, owner->router.get())};
  };
}

// So that the decision log has the text of each that decided.
std::function<void(const RoutingPolicy&)> RecordPolicies(DecisionLog* log) {
  if (log == nullptr) return {};
  return [log](const RoutingPolicy& policy) { log->AddPolicy(policy); };
}

// What serves: later members use earlier ones.
struct Serving {
  std::unique_ptr<CurrentRouter> router;
  std::unique_ptr<Backend> traced_router;  // in front of it; null: nothing is traced
  std::unique_ptr<AdmissionBackend> admission;
  ReloadCounts reloads;
  std::unique_ptr<QuickReadBandwidth> bandwidth;  // null without a dashboard
  std::unique_ptr<Server> server;
};

// `recent`, for the dashboard, and `tracing` may be null; all outlive `serving`.
Status StartServing(const AppConfig& config, std::shared_ptr<Router> router, ServerOptions options,
                    const RecentDecisions* recent, const ServeTracing* tracing, const Clock& clock,
                    Serving& serving) {
  serving.router = std::make_unique<CurrentRouter>(std::move(router));
  Backend* admitted = serving.router.get();
  if (tracing != nullptr) {
    serving.traced_router = tracing->InFront(*admitted, TracedPlace::kRouter);
    admitted = serving.traced_router.get();
    tracing->Connect(options);
  }
  serving.admission = std::make_unique<AdmissionBackend>(*admitted, EffectiveLimits(config), clock);
  options.metric_sources.push_back([&serving] { return ReadDrift(*serving.router->get()); });
  ConnectAdmission(*serving.admission, options);
  ConnectReloads(serving.reloads, options);
  if (recent != nullptr) {
    serving.bandwidth = std::make_unique<QuickReadBandwidth>(config.engine.num_threads, clock);
    ConnectDashboard([&serving] { return serving.router->get(); }, *recent, *serving.bandwidth,
                     clock, options);
  }
  AIO_ASSIGN_OR_RETURN(serving.server,
                       Server::Create(*serving.admission, std::move(options), clock));
  return serving.server->Start();
}

int RunServe(const ServeFlags& flags) {
  const Result<AppConfig> config = flags.Resolve();
  if (!config.ok()) return Fail(config.status());
  ConfigFiles files(*config);
  ServerOptions options = config->server;

  const ServeSignals signals;  // before any thread starts, as the next
  const ServiceManager manager = ServiceManager::FromEnvironment();
  const std::shared_ptr<spdlog::logger> logger = MakeLogger(flags.log);
  ConnectLogger(logger, flags.log, options);
  if (const Status access = CheckAccess(*config, *logger); !access.ok()) return Fail(access);
  CheckOpenFiles(options.http.connections_max, *logger);
  const SystemClock clock;
  const auto access =
      std::make_shared<AccessControl>(AllKeys(*config), AsksForKeys(*config), clock.Now());
  options.access = access;
  const auto log = LogDecisions(*config, logger, clock);  // may be null
  if (!log.ok()) return Fail(log.status());
  if (*log != nullptr) ConnectLog(**log, options);
  RecentDecisions recent(log->get(), clock);
  const auto tracing = StartTracing(config->tracing, logger, clock);  // may be null
  DecisionObserver* observer = log->get();
  if (!flags.no_dashboard) observer = &recent;
  // Outlive all that waits on them.
  options.http.io = std::make_shared<IoThreads>(options.http.io_threads);
  ReleaseThread releases;
  const ModelLoader load_models =
      MakeModelLoader({.io = options.http.io,
                       .observer = observer,
                       .on_drift = WarnOfDrift(logger),
                       .front_of_models = FrontOfModels(tracing.get()),
                       .on_discovery = LogDiscovery(logger),
                       .on_replicas = LogReplicaSets(logger),
                       .on_replica = LogReplicas(logger),
                       .cancelled = [&signals] { return signals.EndIsPending(); }},
                      releases, logger);
  Result<ServedModels> models = load_models(*config, nullptr);
  if (!models.ok()) return Fail(models.status());
  if (flags.dry_run) {
    fmt::print("{}: fine\n", config->source);
    return kExitOk;
  }

  // As late as can be: who shares limits takes a share from the others. Outlives the server.
  const auto limits = ShareLimits(*config, access, logger, clock);  // may be null
  if (!limits.ok()) return Fail(limits.status());
  if (*limits != nullptr) ConnectLimits(**limits, options);

  Serving serving;
  const Status started =
      StartServing(*config, models->router, std::move(options),
                   flags.no_dashboard ? nullptr : &recent, tracing.get(), clock, serving);
  if (!started.ok()) return Fail(started);
  Announce(*models->router, *serving.server, config->engine.num_threads, flags.json);

  Reloader reloader([&flags] { return flags.Resolve(); }, *config, std::move(files),
                    {.router = *serving.router,
                     .models = *std::move(models),
                     .load_models = load_models,
                     .admission = *serving.admission,
                     .access = *access,
                     .server = *serving.server,
                     .clock = clock,
                     .on_policy = RecordPolicies(log->get())},
                    serving.reloads, logger);
  Warn(manager.Ready("serving"), *logger);
  ServeAndReload(reloader, signals, flags.watch,
                 [&] { return Reload(reloader, manager, *logger); });
  Warn(manager.Stopping("draining"), *logger);
  Drain(*serving.server, signals, std::chrono::seconds(flags.drain_seconds), *logger);
  if (tracing != nullptr) tracing->Shutdown(kTracesFlush);
  return kExitOk;
}

}  // namespace

void RegisterServe(CLI::App& program, int& exit_status) {
  CLI::App* command = program.add_subcommand("serve", "Serve the OpenAI API over both models");
  auto flags = std::make_shared<ServeFlags>();
  flags->runtime.AddTo(*command);
  command->add_option("--host", flags->host, "address to listen on (default 127.0.0.1)");
  command->add_option("--port", flags->port, "port to listen on; 0 takes a free one (default 8080)")
      ->check(CLI::Range(0, 65535));
  command
      ->add_option("--api-key", flags->api_key,
                   "ask for this key (better by the environment than on the command line)")
      ->check([](const std::string& key) { return key.empty() ? "the key is empty" : ""; })
      ->envname("AIO_API_KEY");
  command->add_option("--decision-log", flags->decision_log,
                      "keep a row for every request in this SQLite file, or in the database of a "
                      "postgresql:// URL (see `aio replay`)");
  command->add_option("--drain-seconds", flags->drain_seconds, "time running requests get to end")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_flag("--watch", flags->watch,
                    "reload when the configuration, policy, keys or TLS files change, as SIGHUP "
                    "does");
  command->add_flag("--dry-run", flags->dry_run, "load everything, then exit");
  command->add_flag("--json", flags->json, "announce the address as JSON");
  command->add_flag("--no-dashboard", flags->no_dashboard, "nothing at /, and no /v1/aio/*");
  flags->log.AddTo(*command);
  command->footer(
      "Example:\n  aio serve --port 8080\n"
      "  curl -s localhost:8080/v1/chat/completions -d '{\"model\": \"auto\", "
      "\"messages\": [{\"role\": \"user\", \"content\": \"Hello!\"}]}'");
  command->callback([flags, &exit_status] { exit_status = RunServe(*flags); });
}

}  // namespace aio
