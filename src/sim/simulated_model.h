// One model on a simulated device: the engine's own scheduler, with steps that take the time of a
// cost model in place of being computed.
#ifndef AIO_SIM_SIMULATED_MODEL_H_
#define AIO_SIM_SIMULATED_MODEL_H_

#include <cstdint>
#include <memory>
#include <span>

#include "base/clock.h"
#include "engine/block_pool.h"
#include "engine/prefill_pacer.h"
#include "engine/prefix_cache.h"
#include "engine/sampler.h"
#include "engine/scheduler.h"
#include "sim/device_profile.h"
#include "sim/simulated_sequence.h"
#include "sim/step_time.h"

namespace aio {

struct SimulatedModelOptions {
  ModelCosts costs;
  SimWeights weights = SimWeights::kF16;
  SchedulerOptions scheduler = {};
  int kv_blocks = 0;  // of KvCache::kBlockTokens positions
  Duration prefill_step_max = std::chrono::milliseconds(500);
  bool graph = false;  // steps are played back, on devices that have graphs
};

// Since the start.
struct ModelCounts {
  int64_t steps = 0;
  int64_t rows = 0;           // tokens that were computed
  int64_t answer_tokens = 0;  // that came out
  int64_t weight_bytes = 0;   // moved, as the next
  int64_t kv_bytes = 0;
  double step_ms = 0;    // of all steps together
  double memory_ms = 0;  // that their bytes took by themselves
};

// Not thread-safe.
class SimulatedModel final : private DraftPlanner {
 public:
  // `device` outlives it.
  SimulatedModel(const SimulatedModelOptions& options, const DeviceProfile& device);

  // Whether a request of so many tokens fits at all.
  bool Fits(int positions) const;
  void Add(std::unique_ptr<SimulatedSequence> sequence);
  bool has_work() const { return scheduler_.has_work(); }
  int num_running() const { return scheduler_.num_running(); }
  int num_waiting() const { return scheduler_.num_waiting(); }

  // A step of what there is to do, which begins `now`: how long it takes. Zero: there is nothing
  // that can be done. `others_wait` for it to end.
  Duration Begin(TimePoint now, bool others_wait);
  // It has ended, `now`.
  void End(TimePoint now);

  const ModelCounts& counts() const { return counts_; }
  const SchedulerCounts& scheduler_counts() const { return scheduler_.counts(); }

 private:
  void PlanDrafts(std::span<Sequence* const> decoding, int prefill_tokens, int count_max) override;
  StepWork WorkOf(const StepPlan& plan) const;

  const SimulatedModelOptions options_;
  const DeviceProfile& device_;
  BlockPool blocks_;
  PrefixCache prefixes_;
  Scheduler scheduler_;
  PrefillPacer pacer_;
  Sampler sampler_;  // what CompleteRows() wants; nothing is sampled
  ModelCounts counts_;
  // Of the step that runs:
  StepPlan plan_;
  Duration step_{};
};

}  // namespace aio

#endif  // AIO_SIM_SIMULATED_MODEL_H_
