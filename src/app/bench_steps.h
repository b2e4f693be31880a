// The measurement of `aio bench steps`: what a decoding step costs that checks guesses.
#ifndef AIO_APP_BENCH_STEPS_H_
#define AIO_APP_BENCH_STEPS_H_

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "model/kv_cache.h"
#include "model/model.h"

namespace aio {

struct StepBenchOptions {
  int context = 512;  // tokens in the KV cache before the step
  int repeat = 5;
  int threads = 1;
  KvType kv_type = KvType::kF16;
};

// A step of one sequence with logits for every token of it.
struct StepFigure {
  int tokens = 0;
  double ms = 0;              // median of the rounds
  double over_one_token = 0;  // median of the ratios within each round
};

// `ms_by_round`: [rounds][sizes], the same sizes in every round, as many as `tokens` (the first
// is 1).
std::vector<StepFigure> SummariseSteps(const std::vector<int>& tokens,
                                       const std::vector<std::vector<double>>& ms_by_round);

// Steps of 1, 2, 3, 4, 5, 8, 12 and 16 tokens, in turn within each round. kInvalidArgument when
// the context does not fit into the model's, or its heads do not suit the KV type;
// kResourceExhausted when memory does not suffice.
Result<std::vector<StepFigure>> BenchSteps(
    const Model& model, const StepBenchOptions& options,
    const std::function<void(int64_t done, int64_t total)>& progress, const Clock& clock);

}  // namespace aio

#endif  // AIO_APP_BENCH_STEPS_H_
