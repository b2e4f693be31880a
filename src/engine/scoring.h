// The sequence of one probe: reads the labels' logits after its last token.
#ifndef AIO_ENGINE_SCORING_H_
#define AIO_ENGINE_SCORING_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "backend/backend.h"
#include "engine/sequence.h"

namespace aio {

struct ScoringSetup {
  SequenceSetup sequence;                   // answer_tokens_max == 0
  std::vector<int32_t> label_tokens;        // one a label
  int prompt_tokens = 0;                    // of the generation that the probe is for
  std::shared_ptr<HeldPrompt> held_prompt;  // what that generation is to bring along
  LabelScoresCallback done;
};

class ScoringSequence final : public Sequence {
 public:
  explicit ScoringSequence(ScoringSetup setup);

  bool finished() const override { return scores_ || failure_; }
  void Abort(Status why) override;
  // What `done` throws is dropped.
  void Deliver() override;

 private:
  void Consume(const LogitRows& logits, Sampler& sampler, TimePoint now,
               std::vector<int32_t>& known) override;

  const std::vector<int32_t> label_tokens_;
  const int prompt_tokens_;
  std::shared_ptr<HeldPrompt> held_prompt_;
  LabelScoresCallback done_;  // empty after its call
  std::optional<LabelScores> scores_;
  std::optional<Status> failure_;
};

}  // namespace aio

#endif  // AIO_ENGINE_SCORING_H_
