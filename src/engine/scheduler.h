// Decides which sequences of one model advance by how many tokens in the next step. Pure
// logic: no thread, no clock, no model, so that tests and simulation drive the real one.
//
// Each step takes, within its limits and in this order:
//   1. of every running sequence that is not behind the last sampled token and what the
//      DraftPlanner guesses to follow (max_draft_tokens at most, over all);
//   2. the tokens that others are behind with (their prompts), oldest first, then those of
//      waiting sequences as they are admitted, first come first served, while the prefill
//      tokens of the step last.
// Admission takes the blocks for what is known and one more, where the prefix cache makes
// room for them; the head of the queue waits for blocks and those behind it wait too. An
// answer that outgrows its blocks gets more: from guesses, from the prefix cache, and in the
// end from the youngest running sequence, which is preempted: it goes back to the head of
// the queue and computes again what the prefix cache forgets meanwhile. So the oldest always
// advances and nobody starves.
#ifndef AIO_ENGINE_SCHEDULER_H_
#define AIO_ENGINE_SCHEDULER_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "base/clock.h"
#include "engine/block_pool.h"
#include "engine/prefix_cache.h"
#include "engine/sequence.h"

namespace aio {

struct SchedulerOptions {
  int max_running = 16;            // sequences
  int prefill_chunk_tokens = 256;  // prompt tokens a step at most, over all sequences
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
  // The logits after the last known token and each guess, where logits are wanted.
  int num_logit_rows() const {
    if (!sequence->wants_logits()) return 0;
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
  int num_prefill_tokens = 0;       // of these, what sequences are behind with

  void Clear();
};

// Who gives sequences their guesses.
class DraftPlanner {
 public:
  virtual ~DraftPlanner() = default;
  // Calls Sequence::SetDraft() of those of `decoding` that are to speculate, with at most
  // `count_max` guesses altogether. Each of `decoding` has one token to compute in the step,
  // which computes about `prefill_tokens` others.
  virtual void PlanDrafts(std::span<Sequence* const> decoding, int prefill_tokens,
                          int count_max) = 0;
};

// What has happened since the start.
struct SchedulerCounts {
  int64_t preemptions = 0;
  int64_t prefix_tokens_asked = 0;  // of sequences when first admitted
  int64_t prefix_tokens_found = 0;  // of these, that the prefix cache knew
};

// Not thread-safe. `pool`, `cache`, which is the pool's, and `drafts` must outlive it; without
// `drafts` nobody speculates.
class Scheduler {
 public:
  Scheduler(const SchedulerOptions& options, BlockPool& pool, PrefixCache& cache,
            DraftPlanner* drafts = nullptr);

  // Queues. The caller bounds the queue (model_runner.h) and refuses what needs more blocks
  // than the pool has (request_checks.h): here that is a broken invariant.
  void Add(std::unique_ptr<Sequence> sequence);

  // Admits what fits and fills `plan`, with at most `prefill_tokens` >= 1 tokens of those who
  // are behind (and no more than the options say). `now` is when the step begins. An empty
  // plan means that there is no work: whatever waits can be admitted once nothing runs.
  void Plan(TimePoint now, int prefill_tokens, StepPlan& plan);

  // These take sequences out, the running ones first, in order of arrival; the caller gives
  // back their blocks and says goodbye.
  std::vector<std::unique_ptr<Sequence>> TakeFinished();
  std::vector<std::unique_ptr<Sequence>> TakeExpired(TimePoint now);
  std::vector<std::unique_ptr<Sequence>> TakeAll();
  std::unique_ptr<Sequence> Take(uint64_t id);  // null when not here

  int num_running() const { return static_cast<int>(running_.size()); }
  int num_waiting() const { return static_cast<int>(waiting_.size()); }
  bool has_work() const { return !running_.empty() || !waiting_.empty(); }
  // A running sequence whose next token would wait for a step.
  bool is_decoding() const;
  const SchedulerCounts& counts() const { return counts_; }

 private:
  template <typename Condition>
  std::vector<std::unique_ptr<Sequence>> TakeIf(const Condition& condition);
  void PlanDrafts(int prefill_tokens);
  void PlanAnswers(StepPlan& plan);
  void PlanPrefills(TimePoint now, int prefill_tokens, StepPlan& plan);
  void PlanRows(Sequence& sequence, int count, StepPlan& plan);
  bool FindBlocks(Sequence& sequence);
  void PreemptYoungest();
  bool Admit(Sequence& sequence, TimePoint now, StepPlan& plan);

  const SchedulerOptions options_;
  BlockPool& pool_;
  PrefixCache& cache_;
  DraftPlanner* const drafts_;       // may be null
  std::vector<Sequence*> decoding_;  // one step's, kept for its memory
  SchedulerCounts counts_;
  // In order of arrival, both.
  std::vector<std::unique_ptr<Sequence>> running_;
  std::deque<std::unique_ptr<Sequence>> waiting_;
};

}  // namespace aio

#endif  // AIO_ENGINE_SCHEDULER_H_
