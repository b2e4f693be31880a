#include "app/bench_strategies.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "app/read_bandwidth.h"

namespace aio {

namespace {

double Ratio(double a, double b) { return b > 0 ? a / b : 0; }

// Of what was measured in turn: a machine that slows down slows both.
double MedianRatio(const std::vector<double>& a, const std::vector<double>& b) {
  AIO_CHECK(a.size() == b.size());
  std::vector<double> ratios;
  ratios.reserve(a.size());
  for (size_t i = 0; i < a.size(); ++i) ratios.push_back(Ratio(a[i], b[i]));
  return Median(ratios);
}

// All strategies on one workload.
class WorkloadBenchmark {
 public:
  WorkloadBenchmark(Backend& backend, const StrategyWorkload& workload,
                    const StrategyBenchOptions& options, const Clock& clock)
      : backend_(backend),
        workload_(workload),
        options_(options),
        clock_(clock),
        strategies_(AllStrategies()),
        answers_(workload.prompts.size()) {}

  // Warms up, and finds out which strategies there are.
  Status Start();
  Status RunOnce(int repeat, const std::function<void(int requests)>& on_done);
  std::vector<StrategyFigure> Figures() const;

 private:
  size_t num_prompts() const { return workload_.prompts.size(); }
  Request MakeRequest(size_t prompt, const Strategy& strategy) const;
  std::vector<Outcome> RunBatch(size_t first, const Strategy& strategy);
  Status CheckAnswers(size_t first, const std::vector<Outcome>& outcomes,
                      const std::string& strategy);

  Backend& backend_;
  const StrategyWorkload& workload_;
  const StrategyBenchOptions& options_;
  const Clock& clock_;
  std::vector<NamedStrategy> strategies_;        // plain first
  std::vector<std::optional<Outcome>> answers_;  // [prompts] the first that came
  std::vector<std::vector<StrategyRun>> runs_;   // [strategies][repeats]
};

Request WorkloadBenchmark::MakeRequest(size_t prompt, const Strategy& strategy) const {
  const WorkloadPrompt& asked = workload_.prompts[prompt];
  Request request;
  request.id = "bench";
  request.model = options_.model;
  if (options_.raw) {
    request.prompt = asked.prompt;
  } else {
    request.prompt = std::vector<ChatMessage>{{"user", asked.prompt}};
  }
  request.sampling.temperature = options_.temperature;
  request.sampling.seed = prompt + 1;
  request.sampling.max_tokens = asked.max_tokens;
  request.strategy = strategy;
  request.intent = asked.intent;
  return request;
}

std::vector<Outcome> WorkloadBenchmark::RunBatch(size_t first, const Strategy& strategy) {
  std::vector<Request> batch;
  const size_t end = std::min(num_prompts(), first + static_cast<size_t>(options_.batch));
  for (size_t prompt = first; prompt < end; ++prompt) {
    batch.push_back(MakeRequest(prompt, strategy));
  }
  return RunRequests(backend_, batch, clock_);
}

Status WorkloadBenchmark::CheckAnswers(size_t first, const std::vector<Outcome>& outcomes,
                                       const std::string& strategy) {
  for (size_t i = 0; i < outcomes.size(); ++i) {
    const std::string where =
        fmt::format("prompt {} of workload {} under {}", first + i + 1, workload_.name, strategy);
    if (!outcomes[i].error.ok()) return Status(outcomes[i].error).WithContext(where);
    std::optional<Outcome>& answer = answers_[first + i];
    if (!answer) answer = outcomes[i];
    if (const auto difference = FirstDifference(*answer, outcomes[i])) {
      return Internal(
          fmt::format("{}: the answer is another one: {}: {} became {}; `aio verify` "
                      "looks for more",
                      where, difference->where, difference->expected, difference->actual));
    }
  }
  return Status::Ok();
}

Status WorkloadBenchmark::Start() {
  for (auto strategy = strategies_.begin(); strategy != strategies_.end();) {
    const std::vector<Outcome> outcomes = RunBatch(0, strategy->strategy);
    if (IsWithoutDraftModel(strategy->strategy, outcomes.front())) {
      strategy = strategies_.erase(strategy);
      continue;
    }
    AIO_RETURN_IF_ERROR(CheckAnswers(0, outcomes, strategy->name));
    ++strategy;
  }
  runs_.resize(strategies_.size());
  return Status::Ok();
}

Status WorkloadBenchmark::RunOnce(int repeat, const std::function<void(int requests)>& on_done) {
  for (std::vector<StrategyRun>& runs : runs_) runs.emplace_back();
  const auto step = static_cast<size_t>(options_.batch);
  for (size_t first = 0; first < num_prompts(); first += step) {
    for (size_t i = 0; i < strategies_.size(); ++i) {
      // Who comes first changes: what a strategy leaves in the caches is of use to the next.
      const size_t turn = (i + first / step + static_cast<size_t>(repeat)) % strategies_.size();
      const std::vector<Outcome> outcomes = RunBatch(first, strategies_[turn].strategy);
      AIO_RETURN_IF_ERROR(CheckAnswers(first, outcomes, strategies_[turn].name));
      runs_[turn].back().Add(outcomes);
      on_done(static_cast<int>(outcomes.size()));
    }
    // A strategy that is left out counts too, or the bar would not reach its end.
    const size_t left_out = AllStrategies().size() - strategies_.size();
    on_done(static_cast<int>(left_out * std::min(step, num_prompts() - first)));
  }
  return Status::Ok();
}

std::vector<StrategyFigure> WorkloadBenchmark::Figures() const {
  std::vector<StrategyFigure> figures;
  for (size_t i = 0; i < strategies_.size(); ++i) {
    StrategyFigure figure = Summarise(runs_[i], runs_.front());
    figure.workload = workload_.name;
    figure.strategy = strategies_[i].name;
    figures.push_back(std::move(figure));
  }
  return figures;
}

}  // namespace

double StrategyRun::tokens_per_second() const {
  return Ratio(static_cast<double>(decoded_tokens) * 1000, decode_ms);
}

void StrategyRun::Add(std::span<const Outcome> batch) {
  if (batch.empty()) return;
  TimePoint first = batch.front().first_token();
  TimePoint last = batch.front().last_token();
  for (const Outcome& outcome : batch) {
    first = std::min(first, outcome.first_token());
    last = std::max(last, outcome.last_token());
    completion_tokens += outcome.finish.usage.completion_tokens;
    decoded_tokens += outcome.decoded_tokens();
    draft_tokens += outcome.finish.speculation.draft_tokens;
    draft_accepted_tokens += outcome.finish.speculation.draft_accepted_tokens;
    traffic += outcome.finish.traffic;
  }
  decode_ms += ToMs(last - first);
}

StrategyFigure Summarise(const std::vector<StrategyRun>& runs,
                         const std::vector<StrategyRun>& plain_runs) {
  AIO_CHECK(!runs.empty() && runs.size() == plain_runs.size());
  StrategyFigure figure;
  std::vector<double> plain_rates;
  figure.rates.reserve(runs.size());
  plain_rates.reserve(plain_runs.size());
  for (const StrategyRun& run : runs) figure.rates.push_back(run.tokens_per_second());
  for (const StrategyRun& run : plain_runs) plain_rates.push_back(run.tokens_per_second());
  figure.tokens_per_second = Median(figure.rates);
  figure.speed_over_plain = MedianRatio(figure.rates, plain_rates);
  StrategyRun all;
  for (const StrategyRun& run : runs) {
    all.completion_tokens += run.completion_tokens;
    all.decoded_tokens += run.decoded_tokens;
    all.draft_tokens += run.draft_tokens;
    all.draft_accepted_tokens += run.draft_accepted_tokens;
    all.traffic += run.traffic;
  }
  figure.acceptance =
      Ratio(static_cast<double>(all.draft_accepted_tokens), static_cast<double>(all.draft_tokens));
  // A step gives one token and the guesses that were right.
  figure.tokens_per_step =
      Ratio(static_cast<double>(all.decoded_tokens),
            static_cast<double>(all.decoded_tokens - all.draft_accepted_tokens));
  figure.bytes_per_token =
      Ratio(static_cast<double>(all.traffic.weight_bytes + all.traffic.kv_bytes),
            static_cast<double>(all.completion_tokens));
  return figure;
}

std::vector<AutoFigure> CompareAuto(const std::vector<StrategyFigure>& figures) {
  const std::string_view auto_name = StrategyName(StrategyKind::kAuto);
  std::vector<AutoFigure> compared;
  for (const StrategyFigure& figure : figures) {
    if (figure.strategy != auto_name) continue;
    AutoFigure against;
    for (const StrategyFigure& other : figures) {
      if (other.workload != figure.workload || other.strategy == auto_name) continue;
      const double ratio = MedianRatio(figure.rates, other.rates);
      if (!against.best_fixed.empty() && ratio >= against.speed_over_best_fixed) continue;
      against = {figure.workload, other.strategy, ratio, figure.speed_over_plain};
    }
    if (!against.best_fixed.empty()) compared.push_back(std::move(against));
  }
  return compared;
}

std::vector<WorstFigure> WorstOverPlain(const std::vector<StrategyFigure>& figures) {
  std::vector<WorstFigure> worst;
  for (const StrategyFigure& figure : figures) {
    if (figure.strategy == StrategyName(StrategyKind::kPlain)) continue;
    auto known = std::find_if(worst.begin(), worst.end(),
                              [&](const WorstFigure& w) { return w.strategy == figure.strategy; });
    if (known == worst.end()) {
      worst.push_back({figure.strategy, figure.workload, figure.speed_over_plain});
    } else if (figure.speed_over_plain < known->speed_over_plain) {
      *known = {figure.strategy, figure.workload, figure.speed_over_plain};
    }
  }
  return worst;
}

Result<std::vector<StrategyFigure>> BenchStrategies(Backend& backend,
                                                    const std::vector<StrategyWorkload>& workloads,
                                                    const StrategyBenchOptions& options,
                                                    const BenchProgress& progress,
                                                    const Clock& clock) {
  int64_t done = 0, total = 0;
  std::vector<WorkloadBenchmark> benchmarks;
  for (const StrategyWorkload& workload : workloads) {
    total +=
        static_cast<int64_t>(workload.prompts.size() * AllStrategies().size()) * options.repeat;
    benchmarks.emplace_back(backend, workload, options, clock);
  }
  const auto on_done = [&](int requests) {
    done += requests;
    if (progress) progress(done, total);
  };
  for (WorkloadBenchmark& benchmark : benchmarks) AIO_RETURN_IF_ERROR(benchmark.Start());
  for (int repeat = 0; repeat < options.repeat; ++repeat) {
    for (WorkloadBenchmark& benchmark : benchmarks) {
      AIO_RETURN_IF_ERROR(benchmark.RunOnce(repeat, on_done));
    }
  }
  std::vector<StrategyFigure> figures;
  for (const WorkloadBenchmark& benchmark : benchmarks) {
    const std::vector<StrategyFigure> its = benchmark.Figures();
    figures.insert(figures.end(), its.begin(), its.end());
  }
  return figures;
}

}  // namespace aio
