// Which tokens of a vocabulary may come next.
#ifndef AIO_GRAMMAR_TOKEN_MASK_H_
#define AIO_GRAMMAR_TOKEN_MASK_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace aio {

// A bit for each token; plain data.
class TokenMask {
 public:
  TokenMask() = default;
  explicit TokenMask(int vocabulary_size)
      : words_((static_cast<size_t>(vocabulary_size) + 63) / 64, 0) {}

  void Allow(int32_t token) { words_[Word(token)] |= Bit(token); }
  void AllowAll(std::span<const int32_t> tokens) {
    for (const int32_t token : tokens) Allow(token);
  }
  void Clear() { std::fill(words_.begin(), words_.end(), 0); }
  void Forbid(int32_t token) { words_[Word(token)] &= ~Bit(token); }
  void AllowAll(const TokenMask& other) {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
  }
  // False for tokens beyond the vocabulary.
  bool Allows(int32_t token) const {
    return token >= 0 && Word(token) < words_.size() && (words_[Word(token)] & Bit(token)) != 0;
  }
  // [vocabulary / 64, rounded up], the lowest bit first.
  std::span<const uint64_t> words() const { return words_; }
  bool empty() const { return words_.empty(); }
  int CountAllowed() const {
    int count = 0;
    for (const uint64_t word : words_) count += __builtin_popcountll(word);
    return count;
  }

  friend bool operator==(const TokenMask&, const TokenMask&) = default;

 private:
  static size_t Word(int32_t token) { return static_cast<uint32_t>(token) / 64; }
  static uint64_t Bit(int32_t token) { return uint64_t{1} << (static_cast<uint32_t>(token) % 64); }

  std::vector<uint64_t> words_;
};

}  // namespace aio

#endif  // AIO_GRAMMAR_TOKEN_MASK_H_
