// The sequence of one generation: samples its answer and tells the sink.
#ifndef AIO_ENGINE_GENERATION_H_
#define AIO_ENGINE_GENERATION_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "engine/answer.h"
#include "engine/drafting.h"
#include "engine/sequence.h"
#include "grammar/token_grammar.h"

namespace aio {

struct GenerationSetup {
  SequenceSetup sequence;  // answer_tokens_max >= 1
  std::string model;       // the name that OnStart() tells
  std::shared_ptr<const Tokenizer> tokenizer;
  SamplingParams sampling;
  Strategy strategy;
  std::string intent;                                     // Request::intent
  int token_entropies_max = 0;                            // Request::token_entropies_max
  bool continues_text = false;                            // the answer continues the prompt's text
  std::shared_ptr<const TokenGrammar> grammar = nullptr;  // that it keeps to; null: none
  std::shared_ptr<HeldPrompt> held_prompt = nullptr;      // that OnStart() tells; may be null
  std::shared_ptr<EventSink> sink;
};

class GenerationSequence final : public Sequence {
 public:
  explicit GenerationSequence(GenerationSetup setup);

  bool finished() const override { return answer_.finished() || cancelled_ || failure_; }
  Drafting* drafting() override { return drafting_ ? &*drafting_ : nullptr; }
  void Abort(Status why) override;
  // A sink that throws gets no more calls and its generation ends.
  void Deliver() override;

 private:
  void OnAdmitted(TimePoint now) override;
  void Consume(const LogitRows& logits, Sampler& sampler, TimePoint now,
               std::vector<int32_t>& known) override;
  void Send();
  FinishEvent Summary() const;

  const std::string model_;
  const std::shared_ptr<const Tokenizer> tokenizer_;
  std::shared_ptr<HeldPrompt> held_prompt_;  // null once told
  Answer answer_;
  std::optional<Drafting> drafting_;  // absent: plain decoding
  std::shared_ptr<EventSink> sink_;   // null after the last event

  bool start_was_sent_ = false;
  bool cancelled_ = false;
  std::optional<Status> failure_;

  std::optional<TimePoint> first_step_;  // absent: never admitted
  std::optional<TimePoint> first_token_;
  TimePoint last_token_{};
  Speculation speculation_;
};

}  // namespace aio

#endif  // AIO_ENGINE_GENERATION_H_
