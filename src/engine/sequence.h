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
#include <optional>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "engine/block_pool.h"
#include "engine/sampler.h"

namespace aio {

struct SequenceSetup {
  uint64_t id = 0;              // distinct among the sequences of one scheduler
  std::vector<int32_t> prompt;  // not empty
  int answer_tokens_max = 0;    // 0: only the logits after the prompt are wanted
  TimePoint accepted{};
  TimePoint deadline = kNoDeadline;
  std::optional<uint64_t> held_prompt;  // id in HeldPrompts to go on from, if still there
};

// Not thread-safe: belongs to the thread that runs the steps, but for CompleteRows().
// What happens with logits and who is told is a derived class's business: generation.h,
// scoring.h. Admission: Admit(); each step: Draft(), CompleteRows(), Deliver(); at the end
// TakeBlocks(), then a last Deliver().
class Sequence {
 public:
  explicit Sequence(SequenceSetup setup);
  virtual ~Sequence() = default;

  uint64_t id() const { return id_; }
  TimePoint accepted() const { return accepted_; }
  TimePoint deadline() const { return deadline_; }
  std::optional<uint64_t> held_prompt() const { return held_prompt_; }

  int num_tokens() const { return static_cast<int>(tokens_.size()); }
  int num_prompt_tokens() const { return num_prompt_tokens_; }
  int num_computed() const { return num_computed_; }
  // Tokens whose KV came with admission.
  int num_cached() const { return num_cached_; }
  std::span<const int32_t> tokens() const { return tokens_; }
  std::span<const int32_t> draft() const { return draft_; }
  // Known and draft tokens not yet computed; never 0 between steps unless finished.
  int num_pending() const { return num_tokens() + static_cast<int>(draft_.size()) - num_computed_; }
  // The token at `position`, known or draft.
  int32_t token_at(int position) const {
    return position < num_tokens() ? tokens_[position] : draft_[position - num_tokens()];
  }
  // Positions that can ever need KV: the last token of an answer is never computed.
  int num_positions_max() const { return num_positions_max_; }
  const BlockTable& blocks() const { return blocks_; }

  // The sequence takes part in steps from now on. `blocks` hold num_positions_max(), of
  // which the first `num_cached` < num_prompt_tokens() are computed.
  void Admit(BlockTable blocks, int num_cached, TimePoint now);

  // Guesses for the next step, at most `count_max`; called when one known token is
  // pending, so that the guesses' logits can be used at once.
  void Draft(int count_max);

  // The next `count` pending tokens are computed. `logits` are those from the last known
  // token on, or none where that is not reached. May run on any thread, one at a time.
  void CompleteRows(int count, const LogitRows& logits, Sampler& sampler, TimePoint now);

  // Gives the blocks away; for the end of the sequence.
  BlockTable TakeBlocks() { return std::move(blocks_); }

  virtual bool finished() const = 0;
  // Ends the sequence before its time; no effect once finished. kCancelled is the
  // caller's own wish, all else a failure.
  virtual void Abort(Status why) = 0;
  // Tells whoever waits what is new. No lock is held; nothing is thrown.
  virtual void Deliver() = 0;
  // The first so many tokens' KV should outlive the sequence (HeldPrompts).
  virtual int num_tokens_to_hold() const { return 0; }
  virtual void SetHeld(uint64_t /*held_prompt*/) {}

 protected:
  virtual void OnAdmitted(TimePoint /*now*/) {}
  virtual void AppendDraft(int /*count_max*/, std::vector<int32_t>& /*draft*/) {}
  // Logits as in CompleteRows(). Tokens that became known are appended to `known`.
  virtual void Consume(const LogitRows& logits, Sampler& sampler, TimePoint now,
                       std::vector<int32_t>& known) = 0;

 private:
  const uint64_t id_;
  const TimePoint accepted_;
  const TimePoint deadline_;
  const std::optional<uint64_t> held_prompt_;
  const int num_prompt_tokens_;
  const int num_positions_max_;

  std::vector<int32_t> tokens_;
  std::vector<int32_t> draft_;
  int num_computed_ = 0;
  int num_cached_ = 0;
  BlockTable blocks_;
};

}  // namespace aio

#endif  // AIO_ENGINE_SEQUENCE_H_
