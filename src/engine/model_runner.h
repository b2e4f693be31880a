// One model with all that is needed to run it: KV cache, scheduler, samplers.
#ifndef AIO_ENGINE_MODEL_RUNNER_H_
#define AIO_ENGINE_MODEL_RUNNER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "backend/backend.h"
#include "base/clock.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "engine/block_pool.h"
#include "engine/draft_model.h"
#include "engine/embedded_model.h"
#include "engine/prefill_pacer.h"
#include "engine/prefix_cache.h"
#include "engine/request_checks.h"
#include "engine/sampler.h"
#include "engine/scheduler.h"
#include "engine/sequence.h"
#include "engine/speculator.h"
#include "engine/step_costs.h"
#include "model/forward.h"
#include "model/kv_cache.h"

namespace aio {

class ModelRunner {
 public:
  // `options` are valid (EmbeddedBackend::Create checks them); `pool` must outlive the
  // result. kResourceExhausted when the KV cache does not fit into memory.
  static Result<std::unique_ptr<ModelRunner>> Create(EmbeddedModel model,
                                                     const EngineOptions& options, ThreadPool& pool,
                                                     const Clock& clock);

  // See EmbeddedBackend.
  static Result<int64_t> WorkingBytes(const ModelConfig& config, const EngineOptions& options);

  // --- From any thread.

  const EmbeddedModel& model() const { return model_; }
  ContextLimits limits() const;
  int running_max() const { return scheduler_options_.max_running; }
  bool has_draft_model() const { return speculator_.has_draft_model(); }
  ModelLoad Load() const;
  // A place in the queue for one sequence, to be taken before it is posted and given back
  // if it cannot be. kResourceExhausted with reason "queue_full" when there is none.
  Status TakeQueuePlace();
  void GiveBackQueuePlace() { queue_places_taken_.fetch_sub(1, std::memory_order_relaxed); }

  // --- Before the engine thread starts.

  // `drafter`, which outlives this, drafts for those sequences that ask for it.
  void SetDrafter(ModelRunner& drafter);
  // What a step with a static large model would read instead; see Traffic.
  struct StaticLarge {
    int64_t weight_bytes = 0;  // 0: there is no large model
    int64_t kv_token_bytes = 0;
  };
  StaticLarge AsStaticLarge() const { return {weight_bytes(), kv_token_bytes()}; }
  void SetStaticLarge(const StaticLarge& large) { static_large_ = large; }

  // --- From the engine thread.

  void Add(std::unique_ptr<Sequence> sequence);  // which has a place in the queue
  void Cancel(uint64_t sequence);
  bool has_work() const { return scheduler_.has_work(); }
  // Somebody reads an answer as it grows.
  bool is_decoding() const { return scheduler_.is_decoding(); }
  // Advances the sequences by one forward pass and returns about how many bytes it moved.
  // `others_wait`: for this step to end; then prompts are computed in smaller chunks.
  int64_t Step(bool others_wait);
  // Ends every sequence with the Status `why` says for it (and whether it was running).
  void AbortAll(const std::function<Status(bool was_running)>& why);

 private:
  ModelRunner(EmbeddedModel model, const EngineOptions& options, ThreadPool& pool,
              std::unique_ptr<KvCache> cache, const Clock& clock);

  void EndThoseWhoMust(TimePoint now);
  void CopyBlocks();
  void BuildRows();
  void Compute();
  void CompleteRows(const PlannedRows& planned, const LogitRows& logits, Sampler& sampler,
                    TimePoint now);
  void ShareNewPrompts();
  StepCosts MeasureSteps();
  int64_t weight_bytes() const { return model_.model->summary().bytes_per_token; }
  int64_t kv_token_bytes() const;
  // Of a token that is computed by the first so many layers.
  int64_t WeightBytes(int num_layers) const;
  int64_t KvTokenBytes(int num_layers) const;
  void SortByLayers();
  // Some of the step's rows end before the last layer.
  bool has_early_exit() const;
  int64_t BytesMoved() const;
  void CountTraffic();
  // `given`: tokens that the step added to the sequences in plan_.
  void ObserveStep(int given, Duration elapsed, Duration drafting);
  int TokensPlanned() const;
  int64_t StaticLargeBytes(const PlannedRows& planned, int tokens_before) const;
  void Leave(Sequence& sequence);
  void End(const std::vector<std::unique_ptr<Sequence>>& sequences,
           const std::function<Status(const Sequence&)>& why);
  void PublishLoad();

  const EmbeddedModel model_;
  const int max_waiting_;
  const SchedulerOptions scheduler_options_;
  const Clock& clock_;
  ThreadPool& pool_;
  StaticLarge static_large_;
  const std::unique_ptr<KvCache> cache_;
  ForwardScratch scratch_;
  std::vector<Sampler> samplers_;  // [threads]

  BlockPool blocks_;
  PrefixCache prefixes_;
  StepCosts costs_;
  bool costs_are_measured_;
  std::unique_ptr<DraftModel> as_drafter_;  // null: this model drafts for no other
  Speculator speculator_;
  Scheduler scheduler_;
  PrefillPacer pacer_;

  // One step's, kept for their memory.
  StepPlan plan_;
  std::vector<ForwardRow> rows_;
  std::vector<LogitRows> logits_;  // [plan_.rows]

  // Written by PublishLoad(), read from any thread.
  std::atomic<int> running_{0};
  std::atomic<int> blocks_used_{0};
  std::atomic<int> blocks_idle_{0};
  std::atomic<int64_t> preemptions_{0};
  std::atomic<int64_t> prefix_tokens_asked_{0};
  std::atomic<int64_t> prefix_tokens_found_{0};
  std::atomic<double> step_ms_{0};
  std::atomic<double> tokens_per_second_{0};
  // Sequences posted and not yet admitted; those of them that scheduler_ has are
  // known_waiting_.
  std::atomic<int> queue_places_taken_{0};
  int known_waiting_ = 0;
};

}  // namespace aio

#endif  // AIO_ENGINE_MODEL_RUNNER_H_
