#include "sim/simulated_model.h"

#include <algorithm>
#include <array>
#include <utility>

namespace aio {
namespace {

// What guesses are does not matter here, only how many there are.
constexpr std::array<int32_t, kSpeculativeTokensMax> kAnyGuesses = {};

Duration FromMs(double ms) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double, std::milli>(ms));
}

}  // namespace

SimulatedModel::SimulatedModel(const SimulatedModelOptions& options, const DeviceProfile& device)
    : options_(options),
      device_(device),
      blocks_(options.kv_blocks),
      prefixes_(blocks_),
      scheduler_(options.scheduler, blocks_, prefixes_, this),
      pacer_(options.prefill_step_max) {}

bool SimulatedModel::Fits(int positions) const {
  return BlockPool::BlocksFor(positions) <= blocks_.num_blocks();
}

void SimulatedModel::Add(std::unique_ptr<SimulatedSequence> sequence) {
  scheduler_.Add(std::move(sequence));
}

void SimulatedModel::PlanDrafts(std::span<Sequence* const> decoding, int /*prefill_tokens*/,
                                int count_max) {
  for (Sequence* sequence : decoding) {
    const int wanted = static_cast<SimulatedSequence*>(sequence)->guesses().per_step();
    const int count = std::min({wanted, sequence->draft_room(), count_max, kSpeculativeTokensMax});
    if (count <= 0) continue;
    sequence->SetDraft(std::span(kAnyGuesses).first(static_cast<size_t>(count)));
    count_max -= count;
  }
}

StepWork SimulatedModel::WorkOf(const StepPlan& plan) const {
  StepWork work = {.rows = plan.num_rows, .weights = options_.weights, .graph = options_.graph};
  for (const PlannedRows& rows : plan.rows) {
    work.context_tokens += rows.end();
    work.scored_pairs += int64_t{rows.count} * (rows.begin + rows.end() + 1) / 2;
  }
  // Prompts have as many rows as they like: they are launched kernel by kernel.
  if (plan.num_prefill_tokens > 0) work.graph = false;
  return work;
}

Duration SimulatedModel::Begin(TimePoint now, bool others_wait) {
  const bool is_paced = others_wait || scheduler_.is_decoding();
  scheduler_.Plan(now, is_paced ? pacer_.Tokens() : options_.scheduler.prefill_chunk_tokens, plan_);
  if (plan_.rows.empty()) return Duration::zero();
  const StepTime time = TimeOf(WorkOf(plan_), options_.costs, device_);
  ++counts_.steps;
  counts_.rows += plan_.num_rows;
  counts_.weight_bytes += time.weight_bytes;
  counts_.kv_bytes += time.kv_bytes;
  counts_.step_ms += time.total_ms;
  counts_.memory_ms += time.memory_ms;
  step_ = std::max(Duration(1), FromMs(time.total_ms));
  return step_;
}

void SimulatedModel::End(TimePoint now) {
  for (const PlannedRows& rows : plan_.rows) {
    Sequence& sequence = *rows.sequence;
    const int before = sequence.num_tokens();
    sequence.CompleteRows(rows.count, {.count = rows.num_logit_rows()}, sampler_, now);
    counts_.answer_tokens += sequence.num_tokens() - before;
  }
  pacer_.Observe(plan_.num_prefill_tokens, step_);
  for (const auto& sequence : scheduler_.TakeFinished()) sequence->ReleaseBlocks(prefixes_);
}

}  // namespace aio
