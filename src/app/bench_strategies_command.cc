// `aio bench strategies`: what speculation is worth on this machine, by workload.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/bench_strategies.h"
#include "app/commands.h"
#include "app/run_to_end.h"
#include "app/runtime.h"
#include "app/strategy_workloads.h"
#include "base/clock.h"
#include "base/progress.h"

namespace aio {

namespace {

using Json = nlohmann::ordered_json;

struct BenchStrategiesFlags {
  RuntimeFlags runtime;
  std::string workloads_path;
  std::vector<std::string> workloads;
  StrategyBenchOptions options{.model = "large"};
  bool json = false;
};

struct StrategyReport {
  std::string source;  // the file of workloads
  std::vector<StrategyFigure> figures;
};

Json ToJson(const BenchStrategiesFlags& flags, const StrategyReport& report) {
  Json figures = Json::array();
  for (const StrategyFigure& figure : report.figures) {
    figures.push_back({{"workload", figure.workload},
                       {"strategy", figure.strategy},
                       {"tokens_per_second", figure.tokens_per_second},
                       {"speed_over_plain", figure.speed_over_plain},
                       {"acceptance", figure.acceptance},
                       {"tokens_per_step", figure.tokens_per_step},
                       {"bytes_per_token", figure.bytes_per_token}});
  }
  Json autos = Json::array();
  for (const AutoFigure& figure : CompareAuto(report.figures)) {
    autos.push_back({{"workload", figure.workload},
                     {"best_fixed", figure.best_fixed},
                     {"speed_over_best_fixed", figure.speed_over_best_fixed},
                     {"speed_over_plain", figure.speed_over_plain}});
  }
  Json worst = Json::array();
  for (const WorstFigure& figure : WorstOverPlain(report.figures)) {
    worst.push_back({{"strategy", figure.strategy},
                     {"workload", figure.workload},
                     {"speed_over_plain", figure.speed_over_plain}});
  }
  return {{"workloads", report.source},     {"model", flags.options.model},
          {"batch", flags.options.batch},   {"temperature", flags.options.temperature},
          {"repeat", flags.options.repeat}, {"figures", std::move(figures)},
          {"auto", std::move(autos)},       {"worst_over_plain", std::move(worst)}};
}

std::string OrDash(double value, const std::string& text) { return value > 0 ? text : "-"; }

void Print(const StrategyReport& report) {
  fmt::print("{:<14} {:<20} {:>9} {:>8} {:>10} {:>11} {:>9}\n", "workload", "strategy", "tokens/s",
             "x plain", "acceptance", "tokens/step", "MB/token");
  for (const StrategyFigure& figure : report.figures) {
    const double megabytes = figure.bytes_per_token / 1e6;
    fmt::print("{:<14} {:<20} {:>9.1f} {:>8.2f} {:>10} {:>11.2f} {:>9}\n", figure.workload,
               figure.strategy, figure.tokens_per_second, figure.speed_over_plain,
               OrDash(figure.acceptance, fmt::format("{:.2f}", figure.acceptance)),
               figure.tokens_per_step, OrDash(megabytes, fmt::format("{:.2f}", megabytes)));
  }
  for (const AutoFigure& figure : CompareAuto(report.figures)) {
    fmt::print("{}: auto is {:.2f} x the best fixed strategy, {}\n", figure.workload,
               figure.speed_over_best_fixed, figure.best_fixed);
  }
  for (const WorstFigure& figure : WorstOverPlain(report.figures)) {
    fmt::print("{}: at worst {:.2f} x plain, on {}\n", figure.strategy, figure.speed_over_plain,
               figure.workload);
  }
}

// As routed requests have them: what guesses are worth is learnt by intent.
Status AskForIntents(Backend& router, const std::string& auto_name,
                     std::vector<StrategyWorkload>& workloads) {
  for (StrategyWorkload& workload : workloads) {
    for (WorkloadPrompt& asked : workload.prompts) {
      Request request;
      request.id = "bench";
      request.model = auto_name;
      request.prompt = std::vector<ChatMessage>{{"user", asked.prompt}};
      request.sampling.max_tokens = asked.max_tokens;
      AIO_ASSIGN_OR_RETURN(Decision decision, DecideAndWait(router, request));
      asked.intent = std::move(decision.intent);
    }
  }
  return Status::Ok();
}

Result<StrategyReport> MeasureStrategies(const BenchStrategiesFlags& flags) {
  StrategyReport report;
  report.source = flags.workloads_path;
  if (report.source.empty()) {
    AIO_ASSIGN_OR_RETURN(report.source, FindDefaultWorkloads());
  }
  AIO_ASSIGN_OR_RETURN(std::vector<StrategyWorkload> workloads,
                       ReadStrategyWorkloads(report.source));
  AIO_ASSIGN_OR_RETURN(workloads, ChooseWorkloads(std::move(workloads), flags.workloads));
  AIO_ASSIGN_OR_RETURN(AppConfig config, flags.runtime.Resolve());
  config.engine.max_running = std::max(config.engine.max_running, flags.options.batch);
  AIO_ASSIGN_OR_RETURN(const std::unique_ptr<Runtime> runtime, LoadEmbeddedRuntime(config));
  if (!flags.options.raw && !config.virtual_names.empty()) {
    AIO_RETURN_IF_ERROR(AskForIntents(*runtime->router, config.virtual_names.front(), workloads));
  }
  std::optional<ProgressBar> bar;
  const BenchProgress on_progress = [&](int64_t done, int64_t total) {
    if (!bar) bar.emplace("measuring", total, runtime->clock);
    bar->Update(done);
  };
  AIO_ASSIGN_OR_RETURN(report.figures, BenchStrategies(*runtime->engine, workloads, flags.options,
                                                       on_progress, runtime->clock));
  return report;
}

int RunBenchStrategies(const BenchStrategiesFlags& flags) {
  const Result<StrategyReport> report = MeasureStrategies(flags);
  if (!report.ok()) return Fail(report.status());
  if (flags.json) {
    fmt::print("{}\n", ToJson(flags, *report).dump(2));
  } else {
    Print(*report);
  }
  return kExitOk;
}

}  // namespace

void RegisterBenchStrategies(CLI::App& bench, int& exit_status) {
  CLI::App* command = bench.add_subcommand(
      "strategies", "Decoding of each workload under each strategy, next to plain decoding");
  auto flags = std::make_shared<BenchStrategiesFlags>();
  StrategyBenchOptions& options = flags->options;
  command->add_option("--workloads", flags->workloads_path,
                      "JSON lines with \"workload\", \"prompt\" and \"max_tokens\" (default: "
                      "models/pocket-workloads.jsonl)");
  command->add_option("-w,--workload", flags->workloads, "only these (default: all)");
  command->add_option("-m,--model,--role", options.model, "small, large, or a model's name")
      ->capture_default_str();
  command->add_option("--temperature", options.temperature, "0 is greedy")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command->add_option("-b,--batch", options.batch, "requests at once")
      ->capture_default_str()
      ->check(CLI::Range(1, EngineLimits::kRunningMax));
  command->add_option("-r,--repeat", options.repeat, "the median of so many is shown")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  command->add_flag("--raw", options.raw, "no chat template: continue the prompts as they stand");
  command->add_flag("--json", flags->json, "figures as JSON");
  flags->runtime.AddTo(*command);
  command->footer(
      "The strategies take turns prompt by prompt, and their answers must be the same. Requests\n"
      "have the intent that the probe gives them, as if they had been routed. tokens/s\n"
      "counts the tokens after an answer's first, over the time from the first to the last (of a\n"
      "batch: of all its answers); x plain is the median of the ratios within each repeat.\n"
      "MB/token is all that a request read, its prompt's steps included, by the answer's tokens.\n"
      "Example:\n  aio bench strategies -w copy -w code --repeat 3");
  command->callback([flags, &exit_status] { exit_status = RunBenchStrategies(*flags); });
}

}  // namespace aio
