#include <fmt/format.h>
#include <pthread.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "api/json_text.h"
#include "app/commands.h"
#include "app/runtime.h"
#include "app/system_memory.h"
#include "kernels/target.h"
#include "server/server.h"

namespace aio {

namespace {

struct ServeFlags {
  RuntimeFlags runtime;
  std::string host;
  int port = -1;
  std::string api_key;
  int drain_seconds = 30;
  bool dry_run = false;
  bool json = false;
  bool quiet = false;
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
  }

  int Wait() const {
    int signal = 0;
    while (sigwait(&signals_, &signal) != 0) {
    }
    return signal;
  }

 private:
  sigset_t signals_{};
};

void Announce(const Runtime& runtime, const Server& server, int threads, bool json) {
  if (json) {
    OrderedJson models = OrderedJson::array();
    for (const ModelInfo& model : runtime.router->Models()) models.push_back(model.name);
    fmt::print("{}\n",
               OrderedJson{{"url", server.url()}, {"models", models}, {"threads", threads}}.dump());
  } else {
    for (const ModelInfo& model : runtime.engine->Models()) {
      fmt::print("{:<6} {}: {} parameters, {} of weights, context {}\n", model.role, model.name,
                 model.parameters, FormatBytes(model.bytes), model.context_length);
    }
    fmt::print("kernels for {}, {} threads\nlistening on {}\n", ActiveTarget(), threads,
               server.url());
  }
  std::fflush(stdout);
}

int RunServe(const ServeFlags& flags) {
  Result<AppConfig> config = flags.runtime.Resolve();
  if (!config.ok()) return Fail(config.status());
  ServerOptions& options = config->server;
  if (!flags.host.empty()) options.host = flags.host;
  if (flags.port >= 0) options.port = flags.port;
  if (!flags.api_key.empty()) options.api_key = flags.api_key;

  const TerminationSignals signals;  // before any thread starts
  Result<std::unique_ptr<Runtime>> runtime = LoadRuntime(*config);
  if (!runtime.ok()) return Fail(runtime.status());
  if (flags.dry_run) {
    fmt::print("{}: fine\n", config->source);
    return kExitOk;
  }

  if (!flags.quiet) options.logger = spdlog::stderr_color_mt("aio");
  Result<std::unique_ptr<Server>> server =
      Server::Create(*(*runtime)->router, options, (*runtime)->clock);
  if (!server.ok()) return Fail(server.status());
  if (const Status started = (*server)->Start(); !started.ok()) return Fail(started);
  Announce(**runtime, **server, config->engine.num_threads, flags.json);

  signals.Wait();
  fmt::print(stderr, "draining: running requests have {} s (a second signal ends at once)\n",
             flags.drain_seconds);
  std::thread([signals] {
    signals.Wait();
    std::_Exit(kExitFailed);
  }).detach();
  (*server)->Drain(std::chrono::seconds(flags.drain_seconds));
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
      ->envname("AIO_API_KEY");
  command->add_option("--drain-seconds", flags->drain_seconds, "time running requests get to end")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_flag("--dry-run", flags->dry_run, "load everything, then exit");
  command->add_flag("--json", flags->json, "announce the address as JSON");
  command->add_flag("-q,--quiet", flags->quiet, "no access log");
  command->footer(
      "Example:\n  aio serve --port 8080\n"
      "  curl -s localhost:8080/v1/chat/completions -d '{\"model\": \"auto\", "
      "\"messages\": [{\"role\": \"user\", \"content\": \"Hello!\"}]}'");
  command->callback([flags, &exit_status] { exit_status = RunServe(*flags); });
}

}  // namespace aio
