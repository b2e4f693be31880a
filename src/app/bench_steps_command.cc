// `aio bench steps`: what checking guesses costs on this machine, which bounds what speculation
// can be worth.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/bench_steps.h"
#include "app/commands.h"
#include "app/runtime.h"
#include "app/system_cpu.h"
#include "base/clock.h"
#include "base/progress.h"
#include "formats/gguf.h"

namespace aio {

namespace {

using Json = nlohmann::ordered_json;

struct BenchStepsFlags {
  std::vector<std::string> paths;
  StepBenchOptions options{.threads = 0};
  std::string kv_type = "f16";
  bool json = false;
};

Result<std::vector<StepFigure>> MeasureSteps(const std::string& path,
                                             const StepBenchOptions& options) {
  const SystemClock clock;
  AIO_ASSIGN_OR_RETURN(auto file, GgufFile::Open(path));
  AIO_ASSIGN_OR_RETURN(const std::shared_ptr<const Model> model,
                       LoadWeights(path, std::move(file), options.threads, clock));
  std::optional<ProgressBar> bar;
  const auto on_progress = [&](int64_t done, int64_t total) {
    if (!bar) bar.emplace("measuring " + path, total, clock);
    bar->Update(done);
  };
  return BenchSteps(*model, options, on_progress, clock);
}

Json ToJson(const std::string& path, const StepBenchOptions& options,
            const std::vector<StepFigure>& figures) {
  Json rows = Json::array();
  for (const StepFigure& figure : figures) {
    rows.push_back(
        {{"tokens", figure.tokens}, {"ms", figure.ms}, {"over_one_token", figure.over_one_token}});
  }
  return {{"path", path},
          {"threads", options.threads},
          {"context", options.context},
          {"repeat", options.repeat},
          {"figures", std::move(rows)}};
}

void Print(const std::string& path, const StepBenchOptions& options,
           const std::vector<StepFigure>& figures) {
  fmt::print("{}: a step of one sequence after {} tokens, {} threads\n", path, options.context,
             options.threads);
  fmt::print("{:>6} {:>9} {:>7} {:>9}\n", "tokens", "ms", "x one", "ms/token");
  for (const StepFigure& figure : figures) {
    fmt::print("{:>6} {:>9.2f} {:>7.2f} {:>9.2f}\n", figure.tokens, figure.ms,
               figure.over_one_token, figure.ms / figure.tokens);
  }
}

Status RunBenchSteps(const BenchStepsFlags& flags) {
  StepBenchOptions options = flags.options;
  if (options.threads == 0) options.threads = UsableCores();
  options.kv_type = *KvTypeFromName(flags.kv_type);
  Json results = Json::array();
  for (const std::string& path : flags.paths) {
    AIO_ASSIGN_OR_RETURN(const std::vector<StepFigure> figures, MeasureSteps(path, options));
    if (flags.json) {
      results.push_back(ToJson(path, options, figures));
    } else {
      Print(path, options, figures);
    }
  }
  if (flags.json) fmt::print("{}\n", results.dump(2));
  return Status::Ok();
}

}  // namespace

void RegisterBenchSteps(CLI::App& bench, int& exit_status) {
  CLI::App* command = bench.add_subcommand(
      "steps", "A decoding step that checks guesses: its cost by the number of tokens");
  auto flags = std::make_shared<BenchStepsFlags>();
  StepBenchOptions& options = flags->options;
  command->add_option("models", flags->paths, "GGUF files")->required();
  command->add_option("--context", options.context, "tokens in the KV cache before the step")
      ->capture_default_str()
      ->check(CLI::Range(0, 1 << 20));
  command->add_option("--threads", options.threads, "default: one a usable core")
      ->check(CLI::Range(1, 1024));
  command->add_option("-r,--repeat", options.repeat, "the median of so many rounds is shown")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  command->add_option("--kv-type", flags->kv_type, "type of the KV cache")
      ->capture_default_str()
      ->check(CLI::IsMember({"f32", "f16", "q8_0"}));
  command->add_flag("--json", flags->json, "figures as JSON");
  command->footer(
      "The sizes take turns within each round; x one is the median of the ratios within rounds.\n"
      "Speculation gains where a step gives more tokens than it costs steps of one.\n"
      "Example:\n  aio bench steps models/pocket-large-f16.gguf --context 512");
  command->callback([flags, &exit_status] {
    const Status status = RunBenchSteps(*flags);
    exit_status = status.ok() ? kExitOk : Fail(status);
  });
}

}  // namespace aio
