#include "engine/reading.h"

#include <utility>

namespace aio {

HiddenPoolOptions PoolOptionsFor(const ModelConfig& config, std::vector<int> layers,
                                 const TokenRange& text, int window_tokens) {
  return {.layers = std::move(layers),
          .text = text,
          .window_tokens = window_tokens,
          .hidden_size = config.hidden_size,
          .epsilon = config.rms_norm_epsilon};
}

ReadingCallback ScoreReading(std::shared_ptr<const ProbeHead> head, LabelScores scores,
                             LabelScoresCallback done) {
  return [head = std::move(head), scores = std::move(scores),
          done = std::move(done)](Result<Reading> reading) mutable {
    if (!reading.ok()) return done(reading.status());
    HeadScores applied = ApplyHead(*head, reading->windows.front());
    scores.logits = std::move(applied.logits);
    scores.window_logits = std::move(applied.window_logits);
    scores.probe_tokens = reading->tokens;
    scores.elapsed = reading->elapsed;
    scores.traffic = reading->traffic;
    done(std::move(scores));
  };
}

ReadingSequence::ReadingSequence(ReadingSetup setup)
    : Sequence(std::move(setup.sequence)), pool_(setup.pool), done_(std::move(setup.done)) {}

HiddenReader* ReadingSequence::hidden_reader(int position) {
  return position >= pool_.text().begin && position < pool_.text().end ? &pool_ : nullptr;
}

void ReadingSequence::Abort(Status why) {
  if (!finished()) failure_ = std::move(why);
}

void ReadingSequence::Consume(const LogitRows& /*logits*/, Sampler& /*sampler*/, TimePoint now,
                              std::vector<int32_t>& /*known*/) {
  reading_ = Reading{.windows = pool_.Take(),
                     .tokens = num_prompt_tokens(),
                     .traffic = traffic(),
                     .elapsed = now - accepted()};
}

void ReadingSequence::Deliver() {
  if (!finished() || !done_) return;
  const ReadingCallback done = std::exchange(done_, nullptr);
  try {
    if (failure_) {
      done(*failure_);
    } else {
      done(std::move(*reading_));
    }
  } catch (...) {
    // The caller's own affair; the other requests go on.
  }
}

}  // namespace aio
