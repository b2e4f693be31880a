// The sequence that reads hidden states of a text: a probe by a learned head, or what such a head
// is fitted on. It has no use for logits.
#ifndef AIO_ENGINE_READING_H_
#define AIO_ENGINE_READING_H_

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "backend/backend.h"
#include "backend/probe_head.h"
#include "engine/hidden_pool.h"
#include "engine/sequence.h"
#include "model/config.h"

namespace aio {

struct Reading {
  std::vector<HiddenWindows> windows;  // one a layer asked for, in that order
  int tokens = 0;                      // of the pass, cached ones included
  Traffic traffic;
  Duration elapsed{};  // from acceptance
};

using ReadingCallback = std::function<void(Result<Reading>)>;

// Of a model with `config`.
HiddenPoolOptions PoolOptionsFor(const ModelConfig& config, std::vector<int> layers,
                                 const TokenRange& text, int window_tokens);
// Applies `head` to what was read for it and tells `done`, with what `scores` holds already.
ReadingCallback ScoreReading(std::shared_ptr<const ProbeHead> head, LabelScores scores,
                             LabelScoresCallback done);

struct ReadingSetup {
  SequenceSetup sequence;  // answer_tokens_max == 0; num_layers: at least those that are read
  HiddenPoolOptions pool;
  ReadingCallback done;
};

class ReadingSequence final : public Sequence {
 public:
  explicit ReadingSequence(ReadingSetup setup);

  bool wants_logits() const override { return false; }
  HiddenReader* hidden_reader(int position) override;
  int num_reusable() const override { return pool_.next_position(); }
  bool finished() const override { return reading_ || failure_; }
  void Abort(Status why) override;
  // What `done` throws is dropped.
  void Deliver() override;

 private:
  void Consume(const LogitRows& logits, Sampler& sampler, TimePoint now,
               std::vector<int32_t>& known) override;

  HiddenPool pool_;
  ReadingCallback done_;  // empty after its call
  std::optional<Reading> reading_;
  std::optional<Status> failure_;
};

}  // namespace aio

#endif  // AIO_ENGINE_READING_H_
