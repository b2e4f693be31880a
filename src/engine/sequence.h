// One piece of work for one model: tokens that are known, and KV that is computed.
//
// There are no phases. A sequence knows tokens (the prompt, then every sampled one) and
// has computed KV for a prefix of them; a step computes some of the rest. The prompt is
// many known tokens at once, decoding is one at a time, speculation is a few that are not
// certain: draft tokens follow the known ones and are computed like them.
#ifndef AIO_ENGINE_SEQUENCE_H_
#define AIO_ENGINE_SEQUENCE_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "backend/events.h"
#include "base/clock.h"
#include "base/status.h"
#include "engine/block_pool.h"
#include "engine/prefix_cache.h"
#include "engine/sampler.h"
#include "model/forward.h"

namespace aio {

class Drafting;

struct SequenceSetup {
  uint64_t id = 0;              // distinct among the sequences of one scheduler
  std::vector<int32_t> prompt;  // not empty
  int answer_tokens_max = 0;    // 0: only the logits after the prompt are wanted
  TimePoint accepted{};
  TimePoint deadline = kNoDeadline;
  uint64_t arrival = 0;     // the order in which requests are served, the lowest first
  uint64_t cache_salt = 0;  // what KV may be shared: PrefixCache
  // Of the model, that are computed. With fewer than all, what they leave in the KV cache is of no
  // use to others.
  int num_layers = ForwardRow::kAllLayers;
};

// Not thread-safe: belongs to the thread that runs the steps, but for CompleteRows().
// What happens with logits and who is told is a derived class's business: generation.h,
// scoring.h. Admission: Admit(); each step: SetDraft(), CompleteRows(), Deliver(); at the end, or
// to make room for others, ReleaseBlocks(). One that released its blocks before its end is
// admitted again and computes again what it knows.
class Sequence {
 public:
  explicit Sequence(SequenceSetup setup);
  virtual ~Sequence() = default;

  uint64_t id() const { return id_; }
  TimePoint accepted() const { return accepted_; }
  TimePoint deadline() const { return deadline_; }
  uint64_t arrival() const { return arrival_; }
  uint64_t cache_salt() const { return cache_salt_; }
  int num_layers() const { return num_layers_; }

  int num_tokens() const { return static_cast<int>(tokens_.size()); }
  int num_prompt_tokens() const { return num_prompt_tokens_; }
  int num_computed() const { return num_computed_; }
  // Prompt tokens whose KV came with the first admission.
  int num_cached() const { return num_cached_; }
  bool was_admitted() const { return was_admitted_; }
  std::span<const int32_t> tokens() const { return tokens_; }
  std::span<const int32_t> draft() const { return draft_; }
  // Known and draft tokens not yet computed; never 0 between steps unless finished.
  int num_pending() const { return num_tokens() + static_cast<int>(draft_.size()) - num_computed_; }
  // There is more to compute before the next token can be sampled than the last one.
  bool is_behind() const { return num_computed_ < num_tokens() - 1; }
  // The token at `position`, known or draft.
  int32_t token_at(int position) const {
    return position < num_tokens() ? tokens_[position] : draft_[position - num_tokens()];
  }
  // Positions that can ever need KV: the last token of an answer is never computed.
  int num_positions_max() const { return num_positions_max_; }
  const BlockTable& blocks() const { return blocks_; }

  // The sequence takes part in steps from now on. Of `blocks` the first `num_cached` <
  // num_tokens() positions are computed.
  void Admit(BlockTable blocks, int num_cached, TimePoint now);
  // Adds `count` free blocks of `pool`; there must be as many.
  void Grow(BlockPool& pool, int count);

  // Whether logits from the last known token on are wanted; else Consume() gets none, once, when
  // all known tokens are computed.
  virtual bool wants_logits() const { return true; }
  // Who reads hidden states at `position`; null: nobody.
  virtual HiddenReader* hidden_reader(int /*position*/) { return nullptr; }
  // Positions at the beginning that need not be computed where their KV is known.
  virtual int num_reusable() const { return num_tokens() - 1; }

  // What the sequence speculates with; null: it does not.
  virtual Drafting* drafting() { return nullptr; }
  // Guesses that it has room for: each needs KV at its own position.
  int draft_room() const { return num_positions_max_ - num_tokens(); }
  // Guesses for the next step, at most draft_room(); given when one known token is pending, so
  // that the guesses' logits can be used at once.
  void SetDraft(std::span<const int32_t> draft);
  void DropDraft() { draft_.clear(); }

  // Memory that was read on its account.
  const Traffic& traffic() const { return traffic_; }
  void AddTraffic(const Traffic& traffic) { traffic_ += traffic; }

  // The next `count` pending tokens are computed. `logits` are those from the last known
  // token on, or none where that is not reached. May run on any thread, one at a time.
  void CompleteRows(int count, const LogitRows& logits, Sampler& sampler, TimePoint now);

  // What is computed and will not be written again is remembered in `cache`.
  void ShareBlocks(PrefixCache& cache);
  // The same of all that is computed, and the sequence has no blocks any more.
  void ReleaseBlocks(PrefixCache& cache);

  virtual bool finished() const = 0;
  // Ends the sequence before its time; no effect once finished. kCancelled is the
  // caller's own wish, all else a failure.
  virtual void Abort(Status why) = 0;
  // Tells whoever waits what is new. No lock is held; nothing is thrown.
  virtual void Deliver() = 0;

 protected:
  virtual void OnAdmitted(TimePoint /*now*/) {}
  // Logits as in CompleteRows(). Tokens that became known are appended to `known`.
  virtual void Consume(const LogitRows& logits, Sampler& sampler, TimePoint now,
                       std::vector<int32_t>& known) = 0;

 private:
  const uint64_t id_;
  const TimePoint accepted_;
  const TimePoint deadline_;
  const uint64_t arrival_;
  const uint64_t cache_salt_;
  const int num_layers_;
  const int num_prompt_tokens_;
  const int num_positions_max_;

  std::vector<int32_t> tokens_;
  std::vector<int32_t> draft_;
  int num_computed_ = 0;
  int num_cached_ = 0;
  bool was_admitted_ = false;
  BlockTable blocks_;
  Traffic traffic_;
};

}  // namespace aio

#endif  // AIO_ENGINE_SEQUENCE_H_
