// The answer of one generation as it grows: sampling state, text, and when it ends.
#ifndef AIO_ENGINE_ANSWER_H_
#define AIO_ENGINE_ANSWER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "backend/events.h"
#include "backend/request.h"
#include "base/status.h"
#include "engine/answer_text.h"
#include "engine/constraint.h"
#include "engine/sampler.h"
#include "engine/sampling_state.h"
#include "tokenizer/tokenizer.h"

namespace aio {

// Grows by one token at a time whatever produced the token, so speculation cannot change
// where or how it ends. `tokenizer` must outlive it. Not thread-safe.
class Answer {
 public:
  // Ends with kLength after `tokens_max` >= 1 tokens if nothing else ends it before.
  // `continues_text`: see StreamDecoder.
  Answer(const Tokenizer& tokenizer, SamplingParams params, std::span<const int32_t> prompt,
         int tokens_max, bool continues_text);

  // Of the first so many tokens.
  void WantEntropies(int tokens) { entropies_wanted_ = tokens; }
  bool wants_entropy() const { return num_tokens_ < entropies_wanted_; }

  // The answer is to keep to `constraint`. It ends with kStop as soon as nothing can follow.
  void Constrain(std::unique_ptr<Constraint> constraint) { constraint_ = std::move(constraint); }
  Constraint* constraint() { return constraint_.get(); }
  // Which tokens Append() may get next; null: any. Where none can go on (a vocabulary that lacks
  // what the constraint asks for) the answer is finished, with a failure().
  const TokenMask* NextMask();
  const std::optional<Status>& failure() const { return failure_; }

  const SamplingState& sampling() const { return sampling_; }
  AnswerText& text() { return text_; }

  // Only while !finished().
  void Append(const SampledToken& sampled);

  bool finished() const { return finished_; }
  FinishReason reason() const { return reason_; }
  // That ended it; empty: none did.
  const std::string& stop_string() const { return text_.stop_match(); }
  // Tokens appended; the one that ended the answer counts.
  int num_tokens() const { return num_tokens_; }

 private:
  void Finish(FinishReason reason);
  void Fail(Status why);

  const Tokenizer* tokenizer_;
  SamplingState sampling_;
  AnswerText text_;
  std::unique_ptr<Constraint> constraint_;  // null: there is none
  std::optional<Status> failure_;
  int tokens_max_;
  int num_tokens_ = 0;
  int entropies_wanted_ = 0;
  bool finished_ = false;
  FinishReason reason_ = FinishReason::kStop;
};

}  // namespace aio

#endif  // AIO_ENGINE_ANSWER_H_
