// One model on a simulated device: the engine's own scheduler, with steps that take the time of a
// cost model in place of being computed.
#ifndef AIO_SIM_SIMULATED_MODEL_H_
#define AIO_SIM_SIMULATED_MODEL_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.h"
#include "engine/block_pool.h"
#include "engine/fair_share.h"
#include "engine/prefill_pacer.h"
#include "engine/prefix_cache.h"
#include "engine/sampler.h"
#include "engine/scheduler.h"
#include "sim/device_profile.h"
#include "sim/graph_cache.h"
#include "sim/simulated_sequence.h"
#include "sim/step_time.h"

namespace aio {

// Of a model on a device.
struct ModelOnDevice {
  int number = 0;  // on the device, for its graphs
  ModelCosts costs;
  SimWeights weights = SimWeights::kF16;
};

struct SimulatedModelOptions {
  ModelOnDevice model;
  std::optional<ModelOnDevice> drafter = {};  // that guesses for it
  SchedulerOptions scheduler = {};
  // Of KvCache::kBlockTokens positions; 0: what is left of the device's memory, as many as of its
  // other models.
  int kv_blocks = 0;
  Duration prefill_step_max = std::chrono::milliseconds(500);
  bool graph = false;  // steps are played back, on devices that have graphs
};

// Since the start.
struct ModelCounts {
  int64_t steps = 0;
  int64_t rows = 0;           // tokens that were computed
  int64_t answer_tokens = 0;  // that came out
  int64_t prefill_tokens = 0;
  int64_t weight_bytes = 0;  // moved, as the next
  int64_t kv_bytes = 0;
  double step_ms = 0;    // of all steps together
  double record_ms = 0;  // of the steps, for graphs of shapes that were not there
  double draft_ms = 0;   // of the steps, for the drafter's
};

// Not thread-safe.
class SimulatedModel final : private DraftPlanner {
 public:
  // `device` and `graphs`, the device's, outlive it.
  SimulatedModel(const SimulatedModelOptions& options, const DeviceProfile& device,
                 GraphCache& graphs);

  // Of a step of one token.
  double OneTokenMs() const;
  // Whether a request of so many tokens fits at all.
  bool Fits(int positions) const;
  void Add(std::unique_ptr<SimulatedSequence> sequence);
  // The same of one whose prompt's KV has come from another device: as much of it as there is room
  // for need not be computed.
  void AddWithKv(std::unique_ptr<SimulatedSequence> sequence);
  // All are taken out, in order of arrival: what they computed is lost.
  std::vector<uint64_t> Lose();
  bool has_work() const { return scheduler_.has_work(); }
  int num_running() const { return scheduler_.num_running(); }
  int num_waiting() const { return scheduler_.num_waiting(); }

  // A step of what there is to do, which begins `now`: how long it takes. Zero: there is nothing
  // that can be done. `others_wait` for it to end.
  Duration Begin(TimePoint now, bool others_wait);
  // What that step counts as among the models (fair_share.h).
  int64_t charged_bytes() const { return charged_bytes_; }
  // It has ended, `now`.
  void End(TimePoint now);

  const ModelCounts& counts() const { return counts_; }
  const SchedulerCounts& scheduler_counts() const { return scheduler_.counts(); }

 private:
  void PlanDrafts(std::span<Sequence* const> decoding, int prefill_tokens, int count_max) override;
  int AutoGuesses(std::span<Sequence* const> decoding) const;
  StepWork WorkOf(const StepPlan& plan) const;
  double RecordMs(const ModelOnDevice& model, const StepWork& work);
  double DraftMs(const StepPlan& plan, bool graph);

  const SimulatedModelOptions options_;
  const DeviceProfile& device_;
  GraphCache& graphs_;
  BlockPool blocks_;
  PrefixCache prefixes_;
  Scheduler scheduler_;
  PrefillPacer pacer_;
  Sampler sampler_;  // what CompleteRows() wants; nothing is sampled
  ModelCounts counts_;
  // Of the step that runs:
  StepPlan plan_;
  Duration step_{};
  int64_t charged_bytes_ = 0;
};

}  // namespace aio

#endif  // AIO_SIM_SIMULATED_MODEL_H_
