#include <fmt/format.h>
#include <spdlog/async.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "access/access_control.h"
#include "api/json_text.h"
#include "app/commands.h"
#include "app/config_access.h"
#include "app/connect_dashboard.h"
#include "app/current_router.h"
#include "app/file_watch.h"
#include "app/log_decisions.h"
#include "app/reload.h"
#include "app/runtime.h"
#include "app/serve_admission.h"
#include "app/serve_signals.h"
#include "app/system_memory.h"
#include "app/watch_drift.h"
#include "dashboard/recent_decisions.h"
#include "kernels/target.h"
#include "server/server.h"

namespace aio {

namespace {

struct ServeFlags {
  RuntimeFlags runtime;
  std::string host;
  int port = -1;
  std::string api_key;
  std::string decision_log;
  int drain_seconds = 30;
  bool dry_run = false;
  bool json = false;
  bool quiet = false;
  bool watch = false;
  bool no_dashboard = false;

  // The configuration file with the command line laid over it.
  Result<AppConfig> Resolve() const {
    AIO_ASSIGN_OR_RETURN(AppConfig config, runtime.Resolve());
    if (!host.empty()) config.server.host = host;
    if (port >= 0) config.server.port = port;
    if (!api_key.empty()) config.server.api_key = api_key;
    if (!decision_log.empty()) config.decision_log.path = decision_log;
    return config;
  }
};

void Announce(const Runtime& runtime, const Server& server, int threads, bool json) {
  if (json) {
    OrderedJson models = OrderedJson::array();
    for (const ModelInfo& model : runtime.router->Models()) models.push_back(model.name);
    fmt::print("{}\n", ToText({{"url", server.url()}, {"models", models}, {"threads", threads}}));
  } else {
    const std::vector<ModelInfo> resident = ResidentModels(runtime);
    for (const ModelInfo& model : resident) {
      fmt::print("{:<6} {}: {} parameters, {} of weights, context {}{}\n", model.role, model.name,
                 model.parameters, FormatBytes(model.bytes), model.context_length,
                 DescribeUse(model, resident));
    }
    fmt::print("kernels for {}, {} threads\nlistening on {}\n", ActiveTarget(), threads,
               server.url());
  }
  std::fflush(stdout);
}

// Never blocks who writes to it: when nobody reads standard error, lines are lost instead.
std::shared_ptr<spdlog::logger> MakeLogger() {
  return spdlog::create_async_nb<spdlog::sinks::stderr_color_sink_mt>("aio");
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
  if (host != "localhost" && host != "::1" && !host.starts_with("127.")) {
    logger.warn(
        "no API key is asked for on {}: whoever reaches the port is served; set AIO_API_KEY, or "
        "server.keys_file",
        host);
  }
  return Status::Ok();
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

// Until a signal says to end.
void ServeAndReload(Reloader& reloader, const ServeSignals& signals, bool watch) {
  constexpr auto kWatchInterval = std::chrono::seconds(1);
  std::vector<std::string> files = reloader.Files();
  FileWatch changes(files);
  while (true) {
    const ServeSignal signal = watch ? signals.WaitFor(kWatchInterval) : signals.Wait();
    if (signal == ServeSignal::kEnd) return;
    if (signal != ServeSignal::kReload && !changes.Poll()) continue;
    if (!reloader.Reload().ok() || reloader.Files() == files) continue;
    files = reloader.Files();
    changes = FileWatch(files);
  }
}

// What `aio serve` keeps while it serves; later members use earlier ones.
struct Serving {
  const RecentDecisions* recent = nullptr;  // for the dashboard; null: there is none
  std::unique_ptr<Runtime> runtime;
  std::unique_ptr<CurrentRouter> router;
  std::unique_ptr<AdmissionBackend> admission;
  ReloadCounts reloads;
  std::unique_ptr<Server> server;
};

Status StartServing(const AppConfig& config, ServerOptions options, Serving& serving) {
  const Clock& clock = serving.runtime->clock;
  serving.router = std::make_unique<CurrentRouter>(serving.runtime->router);
  serving.admission =
      std::make_unique<AdmissionBackend>(*serving.router, EffectiveLimits(config), clock);
  options.metric_sources.push_back([&serving] { return ReadDrift(*serving.router->get()); });
  ConnectAdmission(*serving.admission, options);
  ConnectReloads(serving.reloads, options);
  if (serving.recent != nullptr) {
    ConnectDashboard([&serving] { return serving.router->get(); }, *serving.recent,
                     QuickReadBandwidth(config.engine.num_threads, clock), clock, options);
  }
  AIO_ASSIGN_OR_RETURN(serving.server,
                       Server::Create(*serving.admission, std::move(options), clock));
  return serving.server->Start();
}

int RunServe(const ServeFlags& flags) {
  Result<AppConfig> config = flags.Resolve();
  if (!config.ok()) return Fail(config.status());
  ServerOptions options = config->server;

  const ServeSignals signals;  // before any thread starts
  const std::shared_ptr<spdlog::logger> logger = MakeLogger();
  if (!flags.quiet) options.logger = logger;
  if (const Status access = CheckAccess(*config, *logger); !access.ok()) return Fail(access);
  const SystemClock clock;
  options.access =
      std::make_shared<AccessControl>(AllKeys(*config), AsksForKeys(*config), clock.Now());
  AccessControl& access = *options.access;
  Result<std::unique_ptr<DecisionLog>> log = LogDecisions(*config, logger, clock);  // may be null
  if (!log.ok()) return Fail(log.status());
  if (*log != nullptr) ConnectLog(**log, options);
  RecentDecisions recent(log->get(), clock);
  DecisionObserver* observer = log->get();
  if (!flags.no_dashboard) observer = &recent;
  Result<std::unique_ptr<Runtime>> runtime =
      LoadRuntime(*config, {.observer = observer, .on_drift = WarnOfDrift(logger)});
  if (!runtime.ok()) return Fail(runtime.status());
  if (flags.dry_run) {
    fmt::print("{}: fine\n", config->source);
    return kExitOk;
  }

  Serving serving;
  if (!flags.no_dashboard) serving.recent = &recent;
  serving.runtime = *std::move(runtime);
  const Status started = StartServing(*config, std::move(options), serving);
  if (!started.ok()) return Fail(started);
  Announce(*serving.runtime, *serving.server, config->engine.num_threads, flags.json);

  Reloader reloader([&flags] { return flags.Resolve(); }, *config,
                    {.router = *serving.router,
                     .router_options = serving.runtime->router_options,
                     .admission = *serving.admission,
                     .access = access,
                     .server = *serving.server,
                     .clock = serving.runtime->clock},
                    serving.reloads, logger);
  ServeAndReload(reloader, signals, flags.watch);
  Drain(*serving.server, signals, std::chrono::seconds(flags.drain_seconds), *logger);
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
                      "keep a row for every request in this SQLite file (see `aio replay`)");
  command->add_option("--drain-seconds", flags->drain_seconds, "time running requests get to end")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_flag("--watch", flags->watch,
                    "reload when the configuration, policy, keys or TLS files change, as SIGHUP "
                    "does");
  command->add_flag("--dry-run", flags->dry_run, "load everything, then exit");
  command->add_flag("--json", flags->json, "announce the address as JSON");
  command->add_flag("--no-dashboard", flags->no_dashboard, "nothing at /, and no /v1/aio/*");
  command->add_flag("-q,--quiet", flags->quiet, "no access log");
  command->footer(
      "Example:\n  aio serve --port 8080\n"
      "  curl -s localhost:8080/v1/chat/completions -d '{\"model\": \"auto\", "
      "\"messages\": [{\"role\": \"user\", \"content\": \"Hello!\"}]}'");
  command->callback([flags, &exit_status] { exit_status = RunServe(*flags); });
}

}  // namespace aio
