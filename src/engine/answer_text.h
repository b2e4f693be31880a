// From sampled tokens to what a client may see: text without split characters or stop
// strings, and with it the tokens it came from.
//
// A token goes out together with the first byte of its text. So at every event the text
// sent is the text of the tokens sent, but for the tail of the last one that a possible
// stop string still withholds. A token with only part of a character waits for the rest
// of it; a control token has no text and waits only for tokens before it. When a stop
// string matched, the tokens that lie wholly inside it never go out.
#ifndef AIO_ENGINE_ANSWER_TEXT_H_
#define AIO_ENGINE_ANSWER_TEXT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "backend/events.h"
#include "engine/sampler.h"
#include "engine/stop_matcher.h"
#include "tokenizer/stream_decoder.h"
#include "tokenizer/tokenizer.h"

namespace aio {

// One per answer. `tokenizer` must outlive it. Not thread-safe.
class AnswerText {
 public:
  // `continues_text`: see StreamDecoder.
  AnswerText(const Tokenizer& tokenizer, const std::vector<std::string>& stops, bool wants_logprobs,
             bool continues_text);

  void Push(const SampledToken& sampled);
  // The answer ends here: what was withheld goes out. Does nothing after a match.
  void Flush();
  bool stop_matched() const { return matcher_.matched(); }
  const std::string& stop_match() const { return matcher_.match(); }

  // What may be sent since the last ClearEvent(), which keeps the memory for the next.
  bool has_event() const { return !event_.tokens.empty() || !event_.text.empty(); }
  const TokenEvent& event() const { return event_; }
  void ClearEvent();

 private:
  struct Pending {
    int32_t token;
    size_t begin;     // where its text begins in the decoded text, bytes
    bool is_control;  // it has no text
    float entropy;    // < 0: not wanted
    TokenLogprob logprob;
  };

  TokenLogprob Describe(const SampledToken& sampled) const;
  void Show(const std::string& decoded);
  void ReleaseTokens();

  const Tokenizer* tokenizer_;
  bool wants_logprobs_;
  StreamDecoder decoder_;
  StopMatcher matcher_;
  size_t decoded_bytes_ = 0;  // of text that went into the matcher
  size_t shown_bytes_ = 0;    // of these, that came out
  std::vector<Pending> pending_;
  TokenEvent event_;
};

}  // namespace aio

#endif  // AIO_ENGINE_ANSWER_TEXT_H_
