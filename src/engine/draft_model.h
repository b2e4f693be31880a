// A small model that drafts for a large one with the same vocabulary (Leviathan et al. 2023;
// Chen et al. 2023).
//
// Beside each sequence of the target it keeps the KV of the same tokens in the drafter's cache,
// in step: where the target turned a guess down, that is taken back, and what the target has
// beyond it is computed with the next guess. It draws each guess with the request's parameters
// and the random number that the target's own draw at that position will use, so that two
// models that mean the same draw the same at any temperature.
#ifndef AIO_ENGINE_DRAFT_MODEL_H_
#define AIO_ENGINE_DRAFT_MODEL_H_

#include <cstdint>
#include <functional>
#include <list>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/thread_pool.h"
#include "engine/block_pool.h"
#include "engine/drafting.h"
#include "engine/prefix_cache.h"
#include "engine/sampler.h"
#include "engine/sequence.h"
#include "engine/step_costs.h"
#include "model/forward.h"
#include "model/kv_cache.h"
#include "model/model.h"

namespace aio {

// One sequence of the target that wants guesses; `drafting` is its own.
struct DraftJob {
  Sequence* sequence = nullptr;
  Drafting* drafting = nullptr;
  int count_max = 0;
  int vocabulary_size = 0;  // tokens that the target knows
};

// Uses the drafter's cache, blocks and activations between the drafter's own steps, so it never
// waits and never makes the drafter's own requests wait for blocks: those it takes back from
// here, the least recently used companion first. Belongs to the thread that runs the steps.
class DraftModel {
 public:
  // The drafter's own; all must outlive this.
  struct Host {
    const Model& model;
    KvCache& cache;
    BlockPool& blocks;
    PrefixCache& prefixes;
    ForwardScratch& scratch;
    StepCosts& costs;
    ThreadPool& pool;
    int vocabulary_size;  // tokens that can be sampled; the target may know fewer, or more
  };
  explicit DraftModel(const Host& host);
  ~DraftModel();

  // Guesses for each of `jobs`, as many as its count_max while `goes_on` (asked after each)
  // says so, are given to Drafting::ProposeByModel(). None to one that lacks blocks, or whose
  // prompt is not computed here yet: of that it computes a piece. What was read is added to
  // the sequences' traffic. Returns the bytes moved in all.
  using GoesOn = std::function<bool(const DraftJob& job)>;
  int64_t Draft(std::span<const DraftJob> jobs, const Clock& clock, const GoesOn& goes_on);

  // How many tokens, >= 1, are to be computed here before the sequence's first guess; what the
  // prefix cache has of its prompt (a probe read it, say) is not among them.
  int NumBehind(const Sequence& sequence);
  const StepCosts& costs() const { return host_.costs; }

  // The sequence has ended, or never will ask again: what is computed is left to the prefix
  // cache.
  void Forget(const Sequence& sequence);

 private:
  struct Companion {
    BlockTable blocks;
    std::vector<int32_t> tokens;  // whose KV is computed
    int num_agreed = 0;           // of these, that are known to be the sequence's
    uint64_t salt = 0;
    std::list<uint64_t>::iterator use;
  };
  // One job while it is worked on.
  struct Work {
    const DraftJob* job = nullptr;
    Companion* companion = nullptr;
    int num_rows = 0;  // in this pass
    bool wants_guess = false;
    bool is_done = false;
  };

  using Companions = std::unordered_map<uint64_t, Companion>;

  Companion& CompanionOf(const Sequence& sequence);
  void TakePrefix(Companion& companion, std::span<const int32_t> tokens);
  void BuildRows(Work& work);
  bool KnowsTokens(const Sequence& sequence, int from) const;
  void CountBytes();
  void TakeGuess(Work& work, std::span<const float> logits, const GoesOn& goes_on);
  float ChanceOf(int32_t token, std::span<const float> logits);
  bool HasBlocks(Companion& companion, int positions);
  bool DropOldest();
  void Drop(Companions::iterator companion);

  const Host host_;
  const int64_t kv_token_bytes_;
  Companions companions_;       // by the sequence's id
  std::list<uint64_t> by_use_;  // least recently used first

  // One call's, kept for their memory.
  std::vector<Work> work_;
  std::vector<ForwardRow> rows_;
  std::vector<float> weights_;
  Sampler sampler_;
  int64_t bytes_moved_ = 0;
};

}  // namespace aio

#endif  // AIO_ENGINE_DRAFT_MODEL_H_
