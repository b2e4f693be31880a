#include "engine/scoring.h"

#include <utility>

namespace aio {

ScoringSequence::ScoringSequence(ScoringSetup setup)
    : Sequence(std::move(setup.sequence)),
      label_tokens_(std::move(setup.label_tokens)),
      prompt_tokens_(setup.prompt_tokens),
      held_prompt_(std::move(setup.held_prompt)),
      done_(std::move(setup.done)) {}

void ScoringSequence::Abort(Status why) {
  if (!finished()) failure_ = std::move(why);
}

void ScoringSequence::Consume(const LogitRows& logits, Sampler& /*sampler*/, TimePoint now,
                              std::vector<int32_t>& /*known*/) {
  LabelScores scores;
  const std::span<const float> row = logits.row(0);
  scores.logits.reserve(label_tokens_.size());
  for (int32_t token : label_tokens_) scores.logits.push_back(row[token]);
  scores.prompt_tokens = prompt_tokens_;
  scores.probe_tokens = num_prompt_tokens();
  scores.traffic = traffic();
  scores.elapsed = now - accepted();
  scores.held_prompt = std::move(held_prompt_);
  scores_ = std::move(scores);
}

void ScoringSequence::Deliver() {
  if (!finished() || !done_) return;
  const LabelScoresCallback done = std::exchange(done_, nullptr);
  try {
    if (failure_) {
      done(*failure_);
    } else {
      done(std::move(*scores_));
    }
  } catch (...) {
    // The caller's own affair; the other requests go on.
  }
}

}  // namespace aio
