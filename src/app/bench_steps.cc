#include "app/bench_steps.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <numeric>

#include "app/read_bandwidth.h"
#include "base/thread_pool.h"
#include "engine/block_pool.h"
#include "model/forward.h"

namespace aio {

namespace {

constexpr int kStepTokens[] = {1, 2, 3, 4, 5, 8, 12, 16};
constexpr int kStepTokensMax = 16;
constexpr int kChunk = 256;  // of the context

// One sequence, its context computed.
class Decoding {
 public:
  Decoding(const Model& model, const StepBenchOptions& options, std::unique_ptr<KvCache> cache)
      : model_(model),
        context_(options.context),
        pool_(options.threads),
        cache_(std::move(cache)),
        scratch_(model.config(), kChunk, kStepTokensMax),
        blocks_(cache_->num_blocks()) {
    std::iota(blocks_.begin(), blocks_.end(), 0);
    for (int first = 0; first < context_; first += kChunk) {
      Compute(first, std::min(kChunk, context_ - first), /*wants_logits=*/false);
    }
  }

  // Computes the same positions every time: guesses that were wrong.
  void Step(int tokens) { Compute(context_, tokens, /*wants_logits=*/true); }

 private:
  void Compute(int first, int count, bool wants_logits) {
    rows_.clear();
    for (int position = first; position < first + count; ++position) {
      const int token = (position * 7919 + 1) % model_.config().vocabulary_size;
      rows_.push_back({token, position, blocks_, wants_logits});
    }
    Forward(model_, rows_, *cache_, scratch_, pool_);
  }

  const Model& model_;
  const int context_;
  ThreadPool pool_;
  const std::unique_ptr<KvCache> cache_;
  ForwardScratch scratch_;
  std::vector<int32_t> blocks_;
  std::vector<ForwardRow> rows_;
};

}  // namespace

std::vector<StepFigure> SummariseSteps(const std::vector<int>& tokens,
                                       const std::vector<std::vector<double>>& ms_by_round) {
  std::vector<StepFigure> figures;
  for (size_t i = 0; i < tokens.size(); ++i) {
    std::vector<double> times, ratios;
    for (const std::vector<double>& round : ms_by_round) {
      times.push_back(round[i]);
      ratios.push_back(round[i] / round[0]);
    }
    figures.push_back({tokens[i], Median(times), Median(ratios)});
  }
  return figures;
}

Result<std::vector<StepFigure>> BenchSteps(
    const Model& model, const StepBenchOptions& options,
    const std::function<void(int64_t done, int64_t total)>& progress, const Clock& clock) {
  const int positions = options.context + kStepTokensMax;
  if (positions > model.config().context_length) {
    return InvalidArgument(
        fmt::format("--context {}: the model's context is {} tokens, {} of "
                    "which the step takes",
                    options.context, model.config().context_length, kStepTokensMax));
  }
  AIO_ASSIGN_OR_RETURN(
      std::unique_ptr<KvCache> cache,
      KvCache::Create(model.config(), options.kv_type, BlockPool::BlocksFor(positions)));
  Decoding decoding(model, options, std::move(cache));
  const auto ms_of = [&](int tokens, int steps) {
    const TimePoint begin = clock.Now();
    for (int i = 0; i < steps; ++i) decoding.Step(tokens);
    return std::max(1e-6, ToMs(clock.Now() - begin)) / steps;
  };
  ms_of(kStepTokensMax, 1);  // warms up
  ms_of(1, 1);
  // Long enough for the clock, short enough that the machine is the same for a whole round.
  const int steps = std::clamp(static_cast<int>(100 / ms_of(1, 1)), 1, 1000);
  const std::vector<int> tokens(std::begin(kStepTokens), std::end(kStepTokens));
  const int64_t total = int64_t{options.repeat} * static_cast<int64_t>(tokens.size());
  std::vector<std::vector<double>> rounds;
  for (int round = 0; round < options.repeat; ++round) {
    std::vector<double>& times = rounds.emplace_back();
    for (const int count : tokens) {
      times.push_back(ms_of(count, steps));
      const auto done = round * tokens.size() + times.size();
      if (progress) progress(static_cast<int64_t>(done), total);
    }
  }
  return SummariseSteps(tokens, rounds);
}

}  // namespace aio
