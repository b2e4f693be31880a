// `aio bench load`: load on one server or on the embedded engine, from a mix or a trace.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/commands.h"
#include "app/print_mixed.h"
#include "app/record_lines.h"
#include "app/runtime.h"
#include "app/workload_flags.h"
#include "base/named_variable.h"
#include "base/progress.h"
#include "traffic/http_backend.h"
#include "traffic/load_generator.h"
#include "traffic/load_json.h"

namespace aio {

namespace {

struct BenchLoadFlags {
  RuntimeFlags runtime;
  WorkloadFlags workload;
  std::string url;
  std::string api_key_env;
  std::string model = "auto";
  int context_length = 0;
  std::string records_path;
  bool json = false;
};

// What load is put on.
struct LoadTarget {
  std::unique_ptr<HttpBackend> server;
  std::unique_ptr<Runtime> runtime;
  int context_length = 0;

  Backend& backend() const {
    return server != nullptr ? static_cast<Backend&>(*server) : *runtime->router;
  }
};

Result<LoadTarget> OpenServer(const BenchLoadFlags& flags) {
  constexpr int kContextDefault = 4096;
  LoadTarget target;
  HttpBackendOptions options{.url = flags.url, .api_key = ""};
  if (!flags.api_key_env.empty()) {
    Result<std::string> key = ReadNamedVariable(flags.api_key_env);
    if (!key.ok()) return key.status().WithContext("--api-key-env");
    options.api_key = *std::move(key);
  }
  AIO_ASSIGN_OR_RETURN(target.server, HttpBackend::Create(std::move(options)));
  target.context_length = flags.context_length > 0 ? flags.context_length : kContextDefault;
  return target;
}

Result<LoadTarget> OpenEngine(const BenchLoadFlags& flags) {
  LoadTarget target;
  AIO_ASSIGN_OR_RETURN(AppConfig config, flags.runtime.Resolve());
  config.engine.max_running =
      std::max(config.engine.max_running, flags.workload.loop_concurrency());
  AIO_ASSIGN_OR_RETURN(target.runtime, LoadEmbeddedRuntime(config));
  target.context_length = flags.context_length;
  for (const ModelInfo& model : target.runtime->engine->Models()) {
    if (target.context_length == 0 || model.context_length < target.context_length) {
      target.context_length = model.context_length;
    }
  }
  return target;
}

Result<std::vector<LoadRecord>> PutLoad(const BenchLoadFlags& flags, Backend& backend,
                                        const Workload& workload) {
  std::vector<LoadRequest> loads;
  loads.reserve(workload.requests.size());
  for (const WorkloadRequest& asked : workload.requests) {
    loads.push_back(asked.load);
    loads.back().request.model = flags.model;
  }
  const SystemClock clock;
  SystemWaiter waiter;
  ProgressBar bar("load", static_cast<int64_t>(loads.size()), clock);
  LoopOptions options{.concurrency = flags.workload.loop_concurrency()};
  options.on_done = [&](int64_t done) { bar.Update(done); };
  return RunLoad(backend, loads, options, waiter, clock);
}

// The first of its kind, for people.
void PrintErrors(const std::vector<LoadRecord>& records) {
  for (const LoadRecord& record : records) {
    if (record.error.ok()) continue;
    fmt::print("error of {}, such as: {}\n", record.id, record.error.ToString());
    return;
  }
}

Status BenchLoad(const BenchLoadFlags& flags) {
  std::unique_ptr<RecordLines> lines;
  if (!flags.records_path.empty()) {
    AIO_ASSIGN_OR_RETURN(lines, RecordLines::Create(flags.records_path));
  }
  AIO_ASSIGN_OR_RETURN(const LoadTarget target,
                       flags.url.empty() ? OpenEngine(flags) : OpenServer(flags));
  const SyntheticSource source{.backend = &target.backend(), .model = flags.model};
  AIO_ASSIGN_OR_RETURN(const std::vector<Workload> workloads,
                       flags.workload.Make(source, target.context_length));
  for (const Workload& workload : workloads) {
    AIO_ASSIGN_OR_RETURN(const std::vector<LoadRecord> records,
                         PutLoad(flags, target.backend(), workload));
    for (size_t i = 0; lines != nullptr && i < records.size(); ++i) {
      lines->Add(records[i], {{"workload", workload.name}, {"task", workload.requests[i].task}});
    }
    const LoadSummary summary = Summarise(records, 0, flags.workload.prices);
    if (flags.json) {
      fmt::print("{}\n", SummaryJson(summary, /*pretty=*/true));
      continue;
    }
    fmt::print("workload {}: {}\n", workload.name, flags.workload.ArrivalsText());
    if (!workload.note.empty()) fmt::print("{}\n", workload.note);
    fmt::print("{}", FormatLoad(summary));
    PrintErrors(records);
  }
  return lines != nullptr ? lines->Finish() : Status::Ok();
}

}  // namespace

void RegisterBenchLoad(CLI::App& bench, int& exit_status) {
  CLI::App* command = bench.add_subcommand(
      "load", "Load on a server or the embedded engine: a mix or a trace, open or closed loop");
  auto flags = std::make_shared<BenchLoadFlags>();
  flags->workload.AddTo(*command);
  command->add_option("--url", flags->url,
                      "a server of OpenAI's chat completions, http://HOST:PORT (default: the "
                      "embedded engine)");
  command->add_option("--api-key-env", flags->api_key_env,
                      "the environment variable that holds the server's key");
  command->add_option("-m,--model", flags->model, "what requests name")->capture_default_str();
  command
      ->add_option("--context", flags->context_length,
                   "tokens that a trace's longest request may have (default: the engine's "
                   "context; of a server 4096)")
      ->check(CLI::Range(2, 1 << 24));
  command->add_option("--records", flags->records_path, "write a line of JSON a request here");
  command->add_flag("--json", flags->json, "figures as JSON");
  flags->runtime.AddTo(*command);
  command->footer(
      "With --rate or --trace requests go out when they are due, whatever became of those before,\n"
      "and latencies count from the intended arrival (docs/traffic.md).\n"
      "Example:\n  aio bench load --trace AzureLLMInferenceTrace_code.csv --trace-for 60 "
      "--time-scale 4\n"
      "  aio bench load --url http://127.0.0.1:8080 --rate 2 -n 100");
  command->callback([flags, &exit_status] {
    const Status status = BenchLoad(*flags);
    exit_status = status.ok() ? kExitOk : Fail(status);
  });
}

}  // namespace aio
