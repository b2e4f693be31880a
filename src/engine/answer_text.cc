#include "engine/answer_text.h"

#include <utility>

namespace aio {

AnswerText::AnswerText(const Tokenizer& tokenizer, const std::vector<std::string>& stops,
                       bool wants_logprobs, bool continues_text)
    : tokenizer_(&tokenizer),
      wants_logprobs_(wants_logprobs),
      decoder_(tokenizer, continues_text),
      matcher_(stops) {}

void AnswerText::Push(const SampledToken& sampled) {
  const bool is_control = tokenizer_->TokenBytes(sampled.token).empty();
  pending_.push_back(
      {sampled.token, decoded_bytes_, is_control, sampled.entropy, Describe(sampled)});
  Show(decoder_.Push(sampled.token));
  ReleaseTokens();
}

void AnswerText::Flush() {
  if (stop_matched()) return;
  Show(decoder_.Flush());
  if (!stop_matched()) {
    matcher_.Flush(event_.text);
    shown_bytes_ = decoded_bytes_ + 1;  // nothing waits any longer
  }
  ReleaseTokens();
}

void AnswerText::Show(const std::string& decoded) {
  const size_t size_before = event_.text.size();
  matcher_.Push(decoded, event_.text);
  decoded_bytes_ += decoded.size();
  shown_bytes_ += event_.text.size() - size_before;
}

void AnswerText::ReleaseTokens() {
  auto next = pending_.begin();
  for (; next != pending_.end(); ++next) {
    const bool can_go = next->is_control ? next->begin <= shown_bytes_ : next->begin < shown_bytes_;
    if (!can_go) break;
    event_.tokens.push_back(next->token);
    if (next->entropy >= 0) event_.entropies.push_back(next->entropy);
    if (wants_logprobs_) event_.logprobs.push_back(std::move(next->logprob));
  }
  pending_.erase(pending_.begin(), next);
}

TokenLogprob AnswerText::Describe(const SampledToken& sampled) const {
  TokenLogprob described;
  if (!wants_logprobs_) return described;
  const auto fill = [this](int32_t token, float logprob, TokenLogprob& out) {
    out.token = token;
    out.bytes = tokenizer_->TokenBytes(token);
    out.logprob = logprob;
  };
  fill(sampled.token, sampled.logprob, described);
  described.top.resize(sampled.top.size());
  for (size_t i = 0; i < sampled.top.size(); ++i) {
    fill(sampled.top[i].token, sampled.top[i].logprob, described.top[i]);
  }
  return described;
}

void AnswerText::ClearEvent() {
  event_.text.clear();
  event_.tokens.clear();
  event_.logprobs.clear();
  event_.entropies.clear();
}

}  // namespace aio
