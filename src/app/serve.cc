#include <fmt/format.h>
#include <pthread.h>
#include <spdlog/async.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "api/json_text.h"
#include "app/commands.h"
#include "app/connect_dashboard.h"
#include "app/log_decisions.h"
#include "app/runtime.h"
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
  bool no_dashboard = false;
};

// Blocks SIGTERM and SIGINT in this thread and those it starts, so that Wait() alone
// receives them: no handler, nothing to race with.
class TerminationSignals {
 public:
  TerminationSignals() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGTERM);
    sigaddset(&signals_, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    // A client that closes its socket early is an error code, not the end of the program.
    std::signal(SIGPIPE, SIG_IGN);
    // Likewise a file that may not grow, such as the decision log's.
    std::signal(SIGXFSZ, SIG_IGN);
  }

  void Wait() const {
    int signal = 0;
    while (sigwait(&signals_, &signal) != 0) {
    }
  }

 private:
  sigset_t signals_{};
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
Status CheckAccess(const ServerOptions& options, spdlog::logger& logger) {
  if (!options.api_key.empty()) return Status::Ok();
  if (std::getenv("AIO_API_KEY") != nullptr) {  // NOLINT(concurrency-mt-unsafe): at start
    return InvalidArgument(
        "the environment variable AIO_API_KEY is empty: set it to a key, or unset it to serve "
        "everyone");
  }
  const std::string& host = options.host;
  if (host != "localhost" && host != "::1" && !host.starts_with("127.")) {
    logger.warn(
        "no API key is asked for on {}: whoever reaches the port is served; set AIO_API_KEY", host);
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
void Drain(Server& server, const TerminationSignals& signals, std::chrono::seconds time,
           spdlog::logger& logger) {
  ExitAfter([signals] { signals.Wait(); });
  logger.info("draining: running requests have {} s (a second signal ends at once)", time.count());
  server.Drain(time);
  // What is left takes a moment, unless nobody reads the log's last lines.
  ExitAfter([] { std::this_thread::sleep_for(std::chrono::seconds(10)); });
}

int RunServe(const ServeFlags& flags) {
  Result<AppConfig> config = flags.runtime.Resolve();
  if (!config.ok()) return Fail(config.status());
  ServerOptions& options = config->server;
  if (!flags.host.empty()) options.host = flags.host;
  if (flags.port >= 0) options.port = flags.port;
  if (!flags.api_key.empty()) options.api_key = flags.api_key;
  if (!flags.decision_log.empty()) config->decision_log.path = flags.decision_log;

  const TerminationSignals signals;  // before any thread starts
  const std::shared_ptr<spdlog::logger> logger = MakeLogger();
  if (!flags.quiet) options.logger = logger;
  if (const Status access = CheckAccess(options, *logger); !access.ok()) return Fail(access);
  const SystemClock clock;
  Result<std::unique_ptr<DecisionLog>> log = LogDecisions(*config, logger, clock);  // may be null
  if (!log.ok()) return Fail(log.status());
  if (*log != nullptr) ConnectLog(**log, options);
  RecentDecisions recent(log->get(), clock);
  Result<std::unique_ptr<Runtime>> runtime =
      LoadRuntime(*config, {.observer = flags.no_dashboard ? log->get() : &recent,
                            .on_drift = WarnOfDrift(logger)});
  if (!runtime.ok()) return Fail(runtime.status());
  ConnectDrift(*(*runtime)->router, options);
  if (!flags.no_dashboard) {
    ConnectDashboard(*(*runtime)->router, recent,
                     QuickReadBandwidth(config->engine.num_threads, clock), clock, options);
  }
  if (flags.dry_run) {
    fmt::print("{}: fine\n", config->source);
    return kExitOk;
  }

  Result<std::unique_ptr<Server>> server =
      Server::Create(*(*runtime)->router, options, (*runtime)->clock);
  if (!server.ok()) return Fail(server.status());
  if (const Status started = (*server)->Start(); !started.ok()) return Fail(started);
  Announce(**runtime, **server, config->engine.num_threads, flags.json);

  signals.Wait();
  Drain(**server, signals, std::chrono::seconds(flags.drain_seconds), *logger);
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
