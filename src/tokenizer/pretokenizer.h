// Cuts text into the words that byte-level BPE encodes one by one.
#ifndef AIO_TOKENIZER_PRETOKENIZER_H_
#define AIO_TOKENIZER_PRETOKENIZER_H_

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace aio {

// Stages are applied one after another, each to every word of the stage before; what a
// stage's pattern matches and what lies between two matches become words. Look-around sees
// one word only. Immutable, thread-safe.
class Pretokenizer {
 public:
  // `stages`: regular expressions as the tokenizers' authors publish them. `\s` means
  // Unicode White_Space. kInvalidArgument if one does not compile.
  static Result<Pretokenizer> Create(std::span<const std::string_view> stages);
  Pretokenizer(Pretokenizer&&) noexcept;
  Pretokenizer& operator=(Pretokenizer&&) noexcept;
  ~Pretokenizer();

  // Replaces `ends` by the end offset of each word, in order; the words are not empty and
  // together are `text`. Any bytes: one that is not UTF-8 becomes a word of its own.
  // Never fails and takes near-linear time.
  void Split(std::string_view text, std::vector<size_t>& ends) const;

 private:
  struct Impl;
  explicit Pretokenizer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace aio

#endif  // AIO_TOKENIZER_PRETOKENIZER_H_
