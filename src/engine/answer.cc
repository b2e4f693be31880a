#include "engine/answer.h"

#include <utility>

#include "base/check.h"

namespace aio {

Answer::Answer(const Tokenizer& tokenizer, SamplingParams params, std::span<const int32_t> prompt,
               int tokens_max, bool continues_text)
    : tokenizer_(&tokenizer),
      sampling_(std::move(params), prompt),
      text_(tokenizer, sampling_.params().stop, sampling_.params().top_logprobs >= 0,
            continues_text),
      tokens_max_(tokens_max) {
  AIO_CHECK(tokens_max >= 1);
}

void Answer::Append(const SampledToken& sampled) {
  AIO_CHECK(!finished_);
  ++num_tokens_;
  if (!sampling_.params().ignore_eos && tokenizer_->IsEndOfGeneration(sampled.token)) {
    return Finish(FinishReason::kStop);
  }
  const bool is_allowed = constraint_ == nullptr || constraint_->Append(sampled.token);
  if (!is_allowed)
    return Fail(Internal("the answer left its format: the grammar is too ambiguous"));
  sampling_.Append(sampled.token);
  text_.Push(sampled);
  if (text_.stop_matched()) return Finish(FinishReason::kStop);
  if (constraint_ != nullptr && constraint_->is_over()) return Finish(FinishReason::kStop);
  if (num_tokens_ == tokens_max_) Finish(FinishReason::kLength);
}

const TokenMask* Answer::NextMask() {
  if (constraint_ == nullptr || finished_) return nullptr;
  const TokenMask& mask = constraint_->NextMask();
  if (mask.CountAllowed() > 0) return &mask;
  Fail(InvalidArgument("no token of the model's vocabulary can go on with the format"));
  return nullptr;
}

void Answer::Fail(Status why) {
  failure_ = std::move(why);
  Finish(FinishReason::kStop);
}

void Answer::Finish(FinishReason reason) {
  text_.Flush();
  // The last characters may have completed a stop string after all.
  reason_ = text_.stop_matched() ? FinishReason::kStop : reason;
  finished_ = true;
}

}  // namespace aio
