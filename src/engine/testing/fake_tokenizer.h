// A tokenizer of given words, for tests of what lies above tokenizers.
#ifndef AIO_ENGINE_TESTING_FAKE_TOKENIZER_H_
#define AIO_ENGINE_TESTING_FAKE_TOKENIZER_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenizer/tokenizer.h"

namespace aio {

// Token i stands for words[i]; an empty word is a control token, and the last word, empty
// too, ends an answer. Cannot encode.
class FakeTokenizer final : public Tokenizer {
 public:
  explicit FakeTokenizer(std::vector<std::string> words) : words_(std::move(words)) {
    words_.emplace_back();
  }

  int32_t end() const { return static_cast<int32_t>(words_.size()) - 1; }

  std::vector<int32_t> Encode(std::span<const TextPiece>, bool) const override { return {}; }
  std::string_view TokenBytes(int32_t id) const override { return words_[id]; }
  std::string_view TokenPiece(int32_t id) const override { return words_[id]; }
  bool IsControl(int32_t id) const override { return words_[id].empty(); }
  bool IsEndOfGeneration(int32_t id) const override { return id == end(); }
  int vocabulary_size() const override { return static_cast<int>(words_.size()); }
  std::optional<int32_t> bos() const override { return std::nullopt; }
  std::optional<int32_t> eos() const override { return end(); }
  std::optional<int32_t> FindSpecial(std::string_view) const override { return std::nullopt; }
  bool adds_space_prefix() const override { return false; }
  std::string_view kind() const override { return "fake"; }
  uint64_t fingerprint() const override { return 0; }

 private:
  std::vector<std::string> words_;
};

}  // namespace aio

#endif  // AIO_ENGINE_TESTING_FAKE_TOKENIZER_H_
