#include "engine/scoring.h"

#include <algorithm>
#include <utility>

namespace aio {

namespace {

int CommonPrefix(std::span<const int32_t> a, std::span<const int32_t> b) {
  return static_cast<int>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

}  // namespace

ScoringSequence::ScoringSequence(ScoringSetup setup)
    : Sequence(std::move(setup.sequence)),
      label_tokens_(std::move(setup.label_tokens)),
      num_generation_prompt_tokens_(static_cast<int>(setup.generation_prompt.size())),
      num_common_(CommonPrefix(tokens(), setup.generation_prompt)),
      make_handle_(std::move(setup.make_handle)),
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
  scores.prompt_tokens = num_generation_prompt_tokens_;
  scores.probe_tokens = num_prompt_tokens();
  scores.elapsed = now - accepted();
  scores_ = std::move(scores);
}

void ScoringSequence::SetHeld(uint64_t held_prompt) {
  scores_->held_prompt = make_handle_(held_prompt);
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
