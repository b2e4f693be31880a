// The measurement of `aio bench strategies`: how fast each strategy decodes each workload.
#ifndef AIO_APP_BENCH_STRATEGIES_H_
#define AIO_APP_BENCH_STRATEGIES_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "app/strategy_runs.h"
#include "app/strategy_workloads.h"
#include "backend/backend.h"
#include "base/clock.h"
#include "base/status.h"

namespace aio {

struct StrategyBenchOptions {
  std::string model;  // its role or name
  float temperature = 0;
  int batch = 1;  // requests at once
  int repeat = 5;
  bool raw = false;  // prompts as text, without chat template
};

// What one strategy did on one workload, once.
struct StrategyRun {
  int64_t completion_tokens = 0;
  int64_t decoded_tokens = 0;  // all but the first of each answer, which comes with the prompt
  double decode_ms = 0;        // from the first token to the last; of a batch, of all its answers
  int64_t draft_tokens = 0;
  int64_t draft_accepted_tokens = 0;
  Traffic traffic;

  double tokens_per_second() const;          // of decoding
  void Add(std::span<const Outcome> batch);  // answers that were computed at once
};

struct StrategyFigure {
  std::string workload;
  std::string strategy;
  std::vector<double> rates;     // tokens per second, [repeats]
  double tokens_per_second = 0;  // their median
  double speed_over_plain = 0;   // median of the ratios within each repeat
  double acceptance = 0;         // of guesses; 0 without any
  double tokens_per_step = 0;    // decoded tokens by the steps that they took
  double bytes_per_token = 0;    // read, the prompt's steps included, for a token; 0: unknown
};
// `runs` and `plain_runs`: one a repeat, in the same order; not empty.
StrategyFigure Summarise(const std::vector<StrategyRun>& runs,
                         const std::vector<StrategyRun>& plain_runs);

// How auto fares on a workload.
struct AutoFigure {
  std::string workload;
  std::string best_fixed;            // of the other strategies, the one that it is slowest next to
  double speed_over_best_fixed = 0;  // median of the ratios within each repeat
  double speed_over_plain = 0;
};
std::vector<AutoFigure> CompareAuto(const std::vector<StrategyFigure>& figures);

// Where a strategy gains least.
struct WorstFigure {
  std::string strategy;
  std::string workload;
  double speed_over_plain = 0;
};
std::vector<WorstFigure> WorstOverPlain(const std::vector<StrategyFigure>& figures);

using BenchProgress = std::function<void(int64_t done, int64_t total)>;

// Every prompt under every strategy, which take turns prompt by prompt; a strategy that the model
// refuses for want of a draft model is left out. kInternal when two strategies give different
// answers.
Result<std::vector<StrategyFigure>> BenchStrategies(Backend& backend,
                                                    const std::vector<StrategyWorkload>& workloads,
                                                    const StrategyBenchOptions& options,
                                                    const BenchProgress& progress,
                                                    const Clock& clock);

}  // namespace aio

#endif  // AIO_APP_BENCH_STRATEGIES_H_
