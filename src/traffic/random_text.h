// Prompts of a given length that mean nothing, for traces, which have no texts, and for models with
// random weights.
#ifndef AIO_TRAFFIC_RANDOM_TEXT_H_
#define AIO_TRAFFIC_RANDOM_TEXT_H_

#include <cstdint>
#include <string>

#include "backend/backend.h"
#include "base/status.h"

namespace aio {

// `words` made-up words of one to three syllables; the same seed gives the same. A text of fewer
// words with the same seed is the beginning of one with more.
std::string RandomWords(int64_t words, uint64_t seed);

// Makes texts of about as many tokens as are wanted, as `model` counts them.
class RandomText {
 public:
  // Asks `backend` to count the tokens of two chats (`raw`: plain texts), hence what a chat's
  // template takes and what a word does.
  static Result<RandomText> Create(const Backend& backend, const std::string& model,
                                   bool raw = false);

  // As a chat's only message it has about `tokens` tokens, template included, and seldom more: the
  // count varies from text to text by some per cent. At least one word.
  std::string WithTokens(int tokens, uint64_t seed) const;

  double tokens_per_word() const { return tokens_per_word_; }
  double template_tokens() const { return template_tokens_; }

 private:
  double tokens_per_word_ = 1;
  double template_tokens_ = 0;
};

}  // namespace aio

#endif  // AIO_TRAFFIC_RANDOM_TEXT_H_
