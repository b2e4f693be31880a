// Random requests, each a pure function of a seed and its index: what `aio verify` compares
// answers of.
#ifndef AIO_APP_RANDOM_REQUESTS_H_
#define AIO_APP_RANDOM_REQUESTS_H_

#include <cstdint>
#include <initializer_list>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "backend/request.h"

namespace aio {

// Choices that are the same on every machine, unlike those of std::uniform_int_distribution.
class RandomChoices {
 public:
  // `stream` keeps choices for different ends apart.
  RandomChoices(uint64_t seed, uint64_t stream, uint64_t index);

  uint64_t Next() { return engine_(); }
  int Int(int min, int max);  // both included
  bool OneIn(int n) { return Int(1, n) == 1; }
  template <typename T>
  T OneOf(std::initializer_list<T> values) {
    return values.begin()[Int(0, static_cast<int>(values.size()) - 1)];
  }

 private:
  std::mt19937_64 engine_;
};

// What prompts are made of.
struct PromptSources {
  int vocabulary_size = 0;  // of the model's tokenizer
  bool chats = false;       // the model has a chat template
  // Whole prompts that were given, and pieces that are put together. Neither: built-in pieces.
  std::vector<std::vector<ChatMessage>> prompts;
};

// Prompt and sampling parameters; `model` is left empty. Random tokens, repeated fragments (which
// prompt lookup finds), sentences, the given prompts; as tokens, raw text and conversations.
Request RandomRequest(const PromptSources& sources, RandomChoices& random);

// `preset` with other parameters, where its kind has any.
Strategy RandomParameters(const Strategy& preset, RandomChoices& random);

// A few characters that occur in `text`, to stop at; empty when it has none.
std::string RandomStop(std::string_view text, RandomChoices& random);

// The prompt's first half, or nearly; for one that is too long.
void ShortenPrompt(Prompt& prompt);

// One line for people: the kind and beginning of the prompt, and what is not default.
std::string DescribeRequest(const Request& request);

}  // namespace aio

#endif  // AIO_APP_RANDOM_REQUESTS_H_
