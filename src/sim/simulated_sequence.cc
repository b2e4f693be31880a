#include "sim/simulated_sequence.h"

#include <algorithm>
#include <utility>

namespace aio {

SimulatedSequence::SimulatedSequence(SequenceSetup setup, GuessChances guesses,
                                     SequenceWatcher& watcher)
    : SimulatedSequence(setup.answer_tokens_max, std::move(setup), guesses, watcher) {}

SimulatedSequence::SimulatedSequence(int answer_tokens, SequenceSetup&& setup, GuessChances guesses,
                                     SequenceWatcher& watcher)
    : Sequence(std::move(setup)),
      guesses_(guesses),
      watcher_(watcher),
      answer_tokens_(answer_tokens) {}

void SimulatedSequence::Abort(Status /*why*/) { finished_ = true; }

void SimulatedSequence::OnAdmitted(TimePoint now) {
  if (admitted_ == TimePoint{}) admitted_ = now;
}

void SimulatedSequence::Consume(const LogitRows& /*logits*/, Sampler& /*sampler*/, TimePoint now,
                                std::vector<int32_t>& known) {
  if (given_ == 0) watcher_.OnFirstToken(id(), admitted_, now);
  const int wanted = 1 + guesses_.Draw(static_cast<int>(draft().size()));
  const int count = std::min(wanted, answer_tokens_ - given_);
  constexpr int32_t kAnyToken = 0;
  known.insert(known.end(), static_cast<size_t>(std::max(count, 0)), kAnyToken);
  given_ += count;
  if (count > 0) watcher_.OnTokens(id(), count);
  if (given_ < answer_tokens_) return;
  finished_ = true;
  watcher_.OnEnd(id(), now);
}

}  // namespace aio
