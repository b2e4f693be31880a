#include "traffic/random_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "eval/suite_draw.h"

namespace aio {
namespace {

constexpr std::array<std::string_view, 24> kSyllables = {
    "ba", "ro",  "ten", "mi",  "lu", "sar", "ko", "ne",  "pi", "dor", "va", "gel",
    "hi", "jun", "fo",  "ret", "wa", "cis", "zu", "mel", "to", "ang", "be", "lin"};

Result<int> Count(const Backend& backend, const std::string& model, bool raw, int64_t words) {
  Request request;
  request.id = "count";
  request.model = model;
  request.prompt = RandomWords(words, 1);
  if (!raw) request.prompt = std::vector<ChatMessage>{{"user", RandomWords(words, 1)}};
  return backend.CountPromptTokens(request);
}

}  // namespace

std::string RandomWords(int64_t words, uint64_t seed) {
  SuiteDraw draw(seed);
  std::string text;
  for (int64_t word = 0; word < words; ++word) {
    if (word > 0) text += ' ';
    for (size_t left = draw.Between(1, 3); left > 0; --left) text += draw.Any(kSyllables);
  }
  return text;
}

Result<RandomText> RandomText::Create(const Backend& backend, const std::string& model, bool raw) {
  constexpr int kFew = 20, kMany = 220;
  AIO_ASSIGN_OR_RETURN(const int few, Count(backend, model, raw, kFew));
  AIO_ASSIGN_OR_RETURN(const int many, Count(backend, model, raw, kMany));
  if (many <= few) {
    return Internal(fmt::format("'{}' counts {} tokens in {} words and {} in {}", model, few, kFew,
                                many, kMany));
  }
  RandomText text;
  text.tokens_per_word_ = static_cast<double>(many - few) / (kMany - kFew);
  text.template_tokens_ = std::max(0.0, few - kFew * text.tokens_per_word_);
  return text;
}

std::string RandomText::WithTokens(int tokens, uint64_t seed) const {
  // Two in a hundred less, so that a prompt that is to fill a context does not burst it.
  const double words = std::floor((tokens * 0.98 - template_tokens_) / tokens_per_word_);
  return RandomWords(static_cast<int64_t>(std::max(1.0, words)), seed);
}

}  // namespace aio
