// The sequence of one probe: reads the labels' logits after its last token.
#ifndef AIO_ENGINE_SCORING_H_
#define AIO_ENGINE_SCORING_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "backend/backend.h"
#include "engine/sequence.h"

namespace aio {

struct ScoringSetup {
  SequenceSetup sequence;             // answer_tokens_max == 0
  std::vector<int32_t> label_tokens;  // one a label
  // Whose common prefix is to be held; only the constructor looks at it.
  std::span<const int32_t> generation_prompt;
  // Makes the handle of an entry of HeldPrompts.
  std::function<std::shared_ptr<HeldPrompt>(uint64_t)> make_handle;
  LabelScoresCallback done;
};

class ScoringSequence final : public Sequence {
 public:
  explicit ScoringSequence(ScoringSetup setup);

  bool finished() const override { return scores_ || failure_; }
  void Abort(Status why) override;
  // What `done` throws is dropped.
  void Deliver() override;
  int num_tokens_to_hold() const override { return scores_ ? num_common_ : 0; }
  void SetHeld(uint64_t held_prompt) override;

 private:
  void Consume(const LogitRows& logits, Sampler& sampler, TimePoint now,
               std::vector<int32_t>& known) override;

  const std::vector<int32_t> label_tokens_;
  const int num_generation_prompt_tokens_;
  const int num_common_;  // tokens that the probe and the generation prompt begin with
  const std::function<std::shared_ptr<HeldPrompt>(uint64_t)> make_handle_;
  LabelScoresCallback done_;  // empty after its call
  std::optional<LabelScores> scores_;
  std::optional<Status> failure_;
};

}  // namespace aio

#endif  // AIO_ENGINE_SCORING_H_
