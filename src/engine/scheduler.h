// Decides which sequences of one model advance by how many tokens in the next step. Pure
// logic: no thread, no clock, no model, so that tests and simulation drive the real one.
//
// Each step takes, within its limits and in this order:
//   1. of every running sequence the tokens after its prompt: the last sampled one and
//      what its drafter guesses to follow (while max_draft_tokens last, oldest first);
//   2. prompt tokens of running sequences, oldest first, then of waiting ones as they are
//      admitted, first come first served, while prefill_chunk_tokens last.
// Admission takes the blocks for all positions the sequence can ever need, so a running
// sequence never lacks one. The head of the queue waits for blocks and those behind it
// wait too: nobody starves. Held prompts give way to admissions (held_prompts.h).
#ifndef AIO_ENGINE_SCHEDULER_H_
#define AIO_ENGINE_SCHEDULER_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "engine/block_pool.h"
#include "engine/held_prompts.h"
#include "engine/sequence.h"

namespace aio {

struct SchedulerOptions {
  int max_running = 16;            // sequences
  int prefill_chunk_tokens = 256;  // prompt tokens a step, over all sequences
  int max_draft_tokens = 64;       // guesses a step, over all sequences

  // What a step can need at most.
  int max_rows() const { return prefill_chunk_tokens + max_running + max_draft_tokens; }
  int max_logit_rows() const { return max_running + max_draft_tokens; }
};

// Positions [begin, begin + count) of one sequence.
struct PlannedRows {
  Sequence* sequence = nullptr;
  int begin = 0;
  int count = 0;

  int end() const { return begin + count; }
  // The logits after the last known token and each guess are wanted.
  int num_logit_rows() const {
    const int first = sequence->num_tokens() - 1;
    return end() > first ? end() - (begin > first ? begin : first) : 0;
  }
};

struct BlockCopy {
  int32_t from = 0;
  int32_t to = 0;
};

// One step: first `copies`, in order, then all `rows` in one forward pass.
struct StepPlan {
  std::vector<BlockCopy> copies;    // KV blocks
  std::vector<PlannedRows> rows;    // one entry a sequence
  std::vector<Sequence*> admitted;  // began with this step
  int num_rows = 0;                 // sum of the counts
  int num_draft_tokens = 0;         // of these, guesses

  void Clear();
};

// Not thread-safe. `pool` and `held` must outlive it.
class Scheduler {
 public:
  Scheduler(const SchedulerOptions& options, BlockPool& pool, HeldPrompts& held);

  // Queues. The caller bounds the queue (model_runner.h) and refuses what needs more blocks
  // than the pool has (request_checks.h): here that is a broken invariant.
  void Add(std::unique_ptr<Sequence> sequence);

  // Admits what fits and fills `plan`. `now` is when the step begins. An empty plan means
  // that there is no work: whatever waits can be admitted once nothing runs.
  void Plan(TimePoint now, StepPlan& plan);

  // These take sequences out, in order of admission and arrival; the caller gives back
  // their blocks and says goodbye.
  std::vector<std::unique_ptr<Sequence>> TakeFinished();
  std::vector<std::unique_ptr<Sequence>> TakeExpired(TimePoint now);
  std::vector<std::unique_ptr<Sequence>> TakeAll();
  std::unique_ptr<Sequence> Take(uint64_t id);  // null when not here

  int num_running() const { return static_cast<int>(running_.size()); }
  int num_waiting() const { return static_cast<int>(waiting_.size()); }
  bool has_work() const { return !running_.empty() || !waiting_.empty(); }

 private:
  template <typename Condition>
  std::vector<std::unique_ptr<Sequence>> TakeIf(const Condition& condition);
  void PlanAnswerRows(StepPlan& plan);
  void PlanRows(Sequence& sequence, int count, StepPlan& plan);
  bool Admit(Sequence& sequence, TimePoint now, StepPlan& plan);

  const SchedulerOptions options_;
  BlockPool& pool_;
  HeldPrompts& held_;
  std::vector<std::unique_ptr<Sequence>> running_;  // in order of admission
  std::deque<std::unique_ptr<Sequence>> waiting_;   // in order of arrival
};

}  // namespace aio

#endif  // AIO_ENGINE_SCHEDULER_H_
