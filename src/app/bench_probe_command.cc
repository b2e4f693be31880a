// `aio bench probe`: what looking at a request costs one that the small model then answers.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "app/commands.h"
#include "app/read_bandwidth.h"
#include "app/run_to_end.h"
#include "app/runtime.h"
#include "base/progress.h"

namespace aio {

namespace {

struct BenchProbeFlags {
  RuntimeFlags runtime;
  int tokens = 500;
  int answer_tokens = 1;
  int repeat = 50;
  bool json = false;
};

struct ProbeFigures {
  double without_ms = 0;  // medians, from the request to the end of its answer
  double with_ms = 0;
  double over_without = 0;  // median of the ratios within each round
};

class ProbeBenchmark {
 public:
  ProbeBenchmark(const BenchProbeFlags& flags, Runtime& runtime, const AppConfig& config)
      : flags_(flags),
        engine_(*runtime.engine),
        clock_(runtime.clock),
        labels_(config.probe),
        small_(config.models.front().name),
        vocabulary_size_(engine_.Models().front().vocabulary_size) {}

  Result<ProbeFigures> Run() {
    std::vector<double> without, with, ratios;
    ProgressBar bar("measuring", flags_.repeat, clock_);
    for (int round = 0; round <= flags_.repeat; ++round) {
      AIO_ASSIGN_OR_RETURN(const double plain_ms, Time(/*probed=*/false));
      AIO_ASSIGN_OR_RETURN(const double probed_ms, Time(/*probed=*/true));
      bar.Update(round);
      if (round == 0) continue;  // warms up
      without.push_back(plain_ms);
      with.push_back(probed_ms);
      ratios.push_back(probed_ms / plain_ms);
    }
    return ProbeFigures{Median(without), Median(with), Median(ratios)};
  }

 private:
  // A prompt that nobody has sent before: the prefix cache must not know it.
  Request NewRequest() {
    std::vector<int32_t> prompt(flags_.tokens);
    std::uniform_int_distribution<int32_t> token(0, vocabulary_size_ - 1);
    for (int32_t& id : prompt) id = token(random_);
    Request request;
    request.id = "bench";
    request.model = small_;
    request.prompt = std::move(prompt);
    request.sampling.temperature = 0;
    request.sampling.ignore_eos = true;
    request.sampling.max_tokens = flags_.answer_tokens;
    return request;
  }

  Result<double> Time(bool probed) {
    Request request = NewRequest();
    const TimePoint begin = clock_.Now();
    if (probed) {
      std::promise<Result<LabelScores>> scored;
      AIO_RETURN_IF_ERROR(
          engine_
              .ScoreLabels(request, labels_,
                           [&](Result<LabelScores> scores) { scored.set_value(std::move(scores)); })
              .status());
      AIO_ASSIGN_OR_RETURN(LabelScores scores, scored.get_future().get());
      request.held_prompt = std::move(scores.held_prompt);
    }
    AIO_RETURN_IF_ERROR(RunToEnd(engine_, std::move(request)).status());
    return ToMs(clock_.Now() - begin);
  }

  const BenchProbeFlags& flags_;
  EmbeddedBackend& engine_;
  const Clock& clock_;
  const LabelQuery labels_;
  const std::string small_;
  const int vocabulary_size_;
  std::mt19937 random_{1};
};

void Print(const BenchProbeFlags& flags, const ProbeFigures& figures) {
  if (flags.json) {
    const nlohmann::ordered_json json = {
        {"prompt_tokens", flags.tokens},    {"answer_tokens", flags.answer_tokens},
        {"repeat", flags.repeat},           {"without_probe_ms", figures.without_ms},
        {"with_probe_ms", figures.with_ms}, {"over_without", figures.over_without}};
    fmt::print("{}\n", json.dump(2));
    return;
  }
  fmt::print(
      "{} tokens of prompt, {} of answer: {:.2f} ms without a probe, {:.2f} ms with one "
      "({:+.1f} %)\n",
      flags.tokens, flags.answer_tokens, figures.without_ms, figures.with_ms,
      100 * (figures.over_without - 1));
}

int RunBenchProbe(const BenchProbeFlags& flags) {
  const Result<AppConfig> config = flags.runtime.Resolve();
  if (!config.ok()) return Fail(config.status());
  const Result<std::unique_ptr<Runtime>> runtime = LoadEmbeddedRuntime(*config);
  if (!runtime.ok()) return Fail(runtime.status());
  const Result<ProbeFigures> figures = ProbeBenchmark(flags, **runtime, *config).Run();
  if (!figures.ok()) return Fail(figures.status());
  Print(flags, *figures);
  return kExitOk;
}

}  // namespace

void RegisterBenchProbe(CLI::App& bench, int& exit_status) {
  CLI::App* command = bench.add_subcommand(
      "probe", "What the probe adds to a request that the small model answers");
  auto flags = std::make_shared<BenchProbeFlags>();
  command->add_option("--tokens", flags->tokens, "of each prompt")
      ->capture_default_str()
      ->check(CLI::Range(1, 1 << 20));
  command->add_option("--answer-tokens", flags->answer_tokens, "1: the time to the first token")
      ->capture_default_str()
      ->check(CLI::Range(1, 1 << 20));
  command->add_option("-r,--repeat", flags->repeat, "the median of so many is shown")
      ->capture_default_str()
      ->check(CLI::Range(1, 100'000));
  command->add_flag("--json", flags->json, "figures as JSON");
  flags->runtime.AddTo(*command);
  command->footer(
      "Every prompt is new; with and without a probe take turns. The generation goes on from the\n"
      "prompt's KV that the probe computed, so what is added is a step over the template.\n"
      "Example:\n  aio bench probe --tokens 500");
  command->callback([flags, &exit_status] { exit_status = RunBenchProbe(*flags); });
}

}  // namespace aio
