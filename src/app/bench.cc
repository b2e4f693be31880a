// `aio bench engine`: how close the engine comes to what this machine's memory allows.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "app/bench_engine.h"
#include "app/commands.h"
#include "app/runtime.h"
#include "app/system_cpu.h"
#include "base/clock.h"
#include "formats/gguf.h"
#include "kernels/target.h"
#include "model/model.h"

namespace aio {

namespace {

using Json = nlohmann::ordered_json;

struct BenchFlags {
  std::vector<std::string> paths;
  std::vector<std::string> workloads;
  int threads = 0;
  int repetitions = 5;
  std::string kv_type = "f16";
  bool json = false;
};

Json ToJson(const EngineFigure& figure) {
  return {{"workload", figure.workload},
          {"context", figure.context},
          {"tokens", figure.tokens},
          {"tokens_per_second", figure.tokens_per_second},
          {"ms_per_step", figure.ms_per_step},
          {"weight_bytes_per_step", figure.weight_bytes},
          {"kv_bytes_per_step", figure.kv_bytes},
          {"gb_per_second", figure.gb_per_second},
          {"read_gb_per_second", figure.read_gb_per_second},
          {"share_of_read_bandwidth", figure.share}};
}

void PrintHeader() {
  fmt::print("{:<14} {:>7} {:>6} {:>10} {:>9} {:>7} {:>7} {:>6}\n", "workload", "context", "tokens",
             "tokens/s", "ms/step", "GB/s", "read", "share");
}

void PrintRow(const EngineFigure& figure) {
  fmt::print("{:<14} {:>7} {:>6} {:>10.2f} {:>9.2f} {:>7.1f} {:>7.1f} {:>6.2f}\n", figure.workload,
             figure.context, figure.tokens, figure.tokens_per_second, figure.ms_per_step,
             figure.gb_per_second, figure.read_gb_per_second, figure.share);
  std::fflush(stdout);
}

Result<Json> BenchModel(const std::string& path, const BenchFlags& flags, int threads) {
  const SystemClock clock;
  AIO_ASSIGN_OR_RETURN(auto file, GgufFile::Open(path));
  const TimePoint begin = clock.Now();
  AIO_ASSIGN_OR_RETURN(const std::shared_ptr<const Model> model,
                       LoadWeights(path, std::move(file), threads, clock));
  const double load_seconds = ToMs(clock.Now() - begin) / 1000;
  Json result = {{"path", path},
                 {"threads", threads},
                 {"instruction_set", ActiveTarget()},
                 {"load_seconds", load_seconds},
                 {"kv_type", flags.kv_type},
                 {"weight_bytes", model->summary().weight_bytes}};
  if (!flags.json) {
    fmt::print("{}: {:.2f} GB loaded in {:.2f} s, {} threads, {}\n", path,
               static_cast<double>(model->summary().weight_bytes) / 1e9, load_seconds, threads,
               ActiveTarget());
    PrintHeader();
  }
  EngineBenchmark benchmark(model, *KvTypeFromName(flags.kv_type), threads, clock);
  Json figures = Json::array();
  for (const EngineWorkload& workload : EngineWorkloads()) {
    const bool wanted = flags.workloads.empty() ||
                        std::find(flags.workloads.begin(), flags.workloads.end(), workload.name) !=
                            flags.workloads.end();
    if (!wanted || !benchmark.Fits(workload)) continue;
    AIO_ASSIGN_OR_RETURN(const EngineFigure figure, benchmark.Run(workload, flags.repetitions));
    if (flags.json) {
      figures.push_back(ToJson(figure));
    } else {
      PrintRow(figure);
    }
  }
  result["figures"] = figures;
  result["peak_memory_bytes"] = PeakMemoryBytes();
  if (!flags.json) {
    fmt::print("peak memory {:.2f} GB\n", static_cast<double>(PeakMemoryBytes()) / 1e9);
  }
  return result;
}

int RunBenchEngine(const BenchFlags& flags) {
  const int threads = flags.threads > 0 ? flags.threads : UsableCores();
  Json results = Json::array();
  for (const std::string& path : flags.paths) {
    const Result<Json> result = BenchModel(path, flags, threads);
    if (!result.ok()) return Fail(result.status());
    results.push_back(*result);
  }
  if (flags.json) fmt::print("{}\n", results.dump(2));
  return kExitOk;
}

}  // namespace

void RegisterBench(CLI::App& program, int& exit_status) {
  CLI::App* bench = program.add_subcommand("bench", "Measure parts of the system");
  bench->require_subcommand(1);
  RegisterBenchPair(*bench, exit_status);
  RegisterBenchStrategies(*bench, exit_status);
  RegisterBenchSteps(*bench, exit_status);
  RegisterBenchProbe(*bench, exit_status);
  RegisterBenchMixed(*bench, exit_status);
  RegisterBenchDevice(*bench, exit_status);
  RegisterBenchLoad(*bench, exit_status);
  CLI::App* engine = bench->add_subcommand(
      "engine", "Decoding and prefill of models, next to this machine's read bandwidth");
  auto flags = std::make_shared<BenchFlags>();
  std::vector<std::string> names;
  for (const EngineWorkload& workload : EngineWorkloads()) names.push_back(workload.name);
  engine->add_option("models", flags->paths, "GGUF files")->required();
  engine->add_option("-w,--workload", flags->workloads, "only these (default: all that fit)")
      ->check(CLI::IsMember(names));
  engine->add_option("--threads", flags->threads, "default: one a usable core")
      ->check(CLI::Range(1, 1024));
  engine->add_option("-r,--repetitions", flags->repetitions, "the median of so many is shown")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  engine->add_option("--kv-type", flags->kv_type, "type of the KV cache")
      ->capture_default_str()
      ->check(CLI::IsMember({"f32", "f16", "q8_0"}));
  engine->add_flag("--json", flags->json, "figures as JSON");
  engine->footer(
      "Every figure stands beside the streaming read bandwidth measured just before and\n"
      "after it with the same threads; share is their ratio.\n"
      "Example:\n  aio bench engine models/pocket-large-f16.gguf -w decode -w prefill-512");
  engine->callback([flags, &exit_status] { exit_status = RunBenchEngine(*flags); });
}

}  // namespace aio
