// A request at a simulated model: as many tokens as it is known to have, none of which mean
// anything.
#ifndef AIO_SIM_SIMULATED_SEQUENCE_H_
#define AIO_SIM_SIMULATED_SEQUENCE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "backend/backend.h"
#include "engine/sequence.h"
#include "sim/guess_chances.h"

namespace aio {

// What becomes of it is told to one of these.
class SequenceWatcher {
 public:
  virtual ~SequenceWatcher() = default;
  // It had waited for its first step until `admitted`.
  virtual void OnFirstToken(uint64_t id, TimePoint admitted, TimePoint now) = 0;
  // So many more tokens.
  virtual void OnTokens(uint64_t id, int count) = 0;
  // With all its tokens.
  virtual void OnEnd(uint64_t id, TimePoint now) = 0;
};

class SimulatedSequence final : public Sequence {
 public:
  // An answer of `setup.answer_tokens_max` tokens; 0: it asks for one look at the prompt alone.
  // `watcher` outlives it.
  SimulatedSequence(SequenceSetup setup, GuessChances guesses, SequenceWatcher& watcher);

  bool finished() const override { return finished_; }
  void Abort(Status why) override;
  void Deliver() override {}
  // What a step is to guess of it.
  const GuessChances& guesses() const { return guesses_; }

 protected:
  void OnAdmitted(TimePoint now) override;
  void Consume(const LogitRows& logits, Sampler& sampler, TimePoint now,
               std::vector<int32_t>& known) override;

 private:
  SimulatedSequence(int answer_tokens, SequenceSetup&& setup, GuessChances guesses,
                    SequenceWatcher& watcher);

  GuessChances guesses_;
  SequenceWatcher& watcher_;
  const int answer_tokens_;
  TimePoint admitted_{};
  int given_ = 0;
  bool finished_ = false;
};

}  // namespace aio

#endif  // AIO_SIM_SIMULATED_SEQUENCE_H_
