// `aio bench pair`: what routing between two resident models is worth on this machine.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "app/bench_engine.h"
#include "app/bench_pair.h"
#include "app/commands.h"
#include "app/load_named_models.h"
#include "app/system_cpu.h"
#include "base/clock.h"

namespace aio {

namespace {

using Json = nlohmann::ordered_json;

struct BenchPairFlags {
  std::vector<std::string> paths;  // small, large
  int threads = 0;
  int repetitions = 5;
  bool json = false;
};

// What `aio bench pair` says at its end.
struct PairSummary {
  double speed_ratio = 0;  // small over large, each alone
  double byte_ratio = 0;
  int64_t weight_and_kv_bytes = 0;
  int64_t peak_bytes = 0;

  double memory_ratio() const {
    return static_cast<double>(peak_bytes) / static_cast<double>(weight_and_kv_bytes);
  }
};

Json ToJson(const std::vector<PairFigure>& figures, const PairSummary& summary) {
  Json rows = Json::array();
  for (const PairFigure& figure : figures) {
    rows.push_back({{"model", figure.model},
                    {"alone", figure.is_alone},
                    {"first_token_ms", figure.first_token_ms},
                    {"tokens_per_second", figure.tokens_per_second},
                    {"gb_per_second", figure.gb_per_second},
                    {"read_gb_per_second", figure.read_gb_per_second},
                    {"share_of_read_bandwidth", figure.share()}});
  }
  return {{"figures", rows},
          {"speed_ratio", summary.speed_ratio},
          {"byte_ratio", summary.byte_ratio},
          {"weight_and_kv_bytes", summary.weight_and_kv_bytes},
          {"peak_memory_bytes", summary.peak_bytes},
          {"peak_over_weights_and_kv", summary.memory_ratio()}};
}

void Print(const std::vector<PairFigure>& figures, const PairSummary& summary) {
  fmt::print("{:<24} {:<9} {:>14} {:>9} {:>7} {:>7} {:>6}\n", "model", "", "first token/ms",
             "tokens/s", "GB/s", "read", "share");
  for (const PairFigure& figure : figures) {
    const std::string first =
        figure.is_alone ? fmt::format("{:.0f}", figure.first_token_ms) : std::string("-");
    fmt::print("{:<24} {:<9} {:>14} {:>9.2f} {:>7.1f} {:>7.1f} {:>6.2f}\n", figure.model,
               figure.is_alone ? "alone" : "together", first, figure.tokens_per_second,
               figure.gb_per_second, figure.read_gb_per_second, figure.share());
  }
  fmt::print("small is {:.2f} x as fast and reads {:.2f} x less: {:.2f} of what bytes promise\n",
             summary.speed_ratio, summary.byte_ratio, summary.speed_ratio / summary.byte_ratio);
  fmt::print("peak memory {:.2f} GB, {:.3f} x weights and KV\n",
             static_cast<double>(summary.peak_bytes) / 1e9, summary.memory_ratio());
}

Status BenchPair(const BenchPairFlags& flags) {
  const SystemClock clock;
  const int threads = flags.threads > 0 ? flags.threads : UsableCores();
  AIO_ASSIGN_OR_RETURN(std::vector<EmbeddedModel> models,
                       LoadNamedModels(flags.paths, threads, clock));
  AIO_ASSIGN_OR_RETURN(const auto benchmark,
                       PairBenchmark::Create(std::move(models), threads, clock));
  std::vector<PairFigure> figures;
  for (int model = 0; model < 2; ++model) {
    AIO_ASSIGN_OR_RETURN(PairFigure figure, benchmark->RunAlone(model, flags.repetitions));
    figures.push_back(std::move(figure));
  }
  AIO_ASSIGN_OR_RETURN(const std::vector<PairFigure> together, benchmark->RunTogether());
  PairSummary summary;
  // By shares, since the bandwidth moves between the readings.
  summary.byte_ratio = benchmark->ByteRatio();
  summary.speed_ratio = figures[0].share() / figures[1].share() * summary.byte_ratio;
  summary.weight_and_kv_bytes = benchmark->WeightAndKvBytes();
  summary.peak_bytes = PeakMemoryBytes();
  figures.insert(figures.end(), together.begin(), together.end());
  if (flags.json) {
    fmt::print("{}\n", ToJson(figures, summary).dump(2));
  } else {
    Print(figures, summary);
  }
  return Status::Ok();
}

}  // namespace

void RegisterBenchPair(CLI::App& bench, int& exit_status) {
  CLI::App* pair = bench.add_subcommand(
      "pair", "Requests to a small and a large model that are resident at once");
  auto flags = std::make_shared<BenchPairFlags>();
  pair->add_option("models", flags->paths, "GGUF files: the small and the large model")
      ->required()
      ->expected(2);
  pair->add_option("--threads", flags->threads, "default: one a usable core")
      ->check(CLI::Range(1, 1024));
  pair->add_option("-r,--repetitions", flags->repetitions, "the median of so many is shown")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  pair->add_flag("--json", flags->json, "figures as JSON");
  pair->footer(
      "Requests of 200 prompt tokens go through the whole engine, to each model alone, then to\n"
      "both at once; then each gets half of the memory bandwidth.\n"
      "Example:\n  aio bench pair models/pocket-small-f16.gguf models/pocket-large-f16.gguf");
  pair->callback([flags, &exit_status] {
    const Status status = BenchPair(*flags);
    exit_status = status.ok() ? kExitOk : Fail(status);
  });
}

}  // namespace aio
