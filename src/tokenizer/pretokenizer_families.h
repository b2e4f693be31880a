// The pre-tokenizers that GGUF files name in `tokenizer.ggml.pre`.
#ifndef AIO_TOKENIZER_PRETOKENIZER_FAMILIES_H_
#define AIO_TOKENIZER_PRETOKENIZER_FAMILIES_H_

#include <span>
#include <string>
#include <string_view>

namespace aio {

struct PretokenizerFamily {
  std::string_view name;
  std::string_view aliases;  // other names of the same, separated by spaces
  std::span<const std::string_view> stages;
  bool ignore_merges = false;  // a word that is a token is taken whole, whatever the merges say
  bool adds_bos = false;       // unless the file says otherwise
};

// Null if `name` is no family and no alias.
const PretokenizerFamily* FindPretokenizerFamily(std::string_view name);

// The family whose patterns are `stages`, as tokenizer.json writes them, and whose
// ignore_merges is the same; null if there is none.
const PretokenizerFamily* MatchPretokenizerFamily(std::span<const std::string> stages,
                                                  bool ignore_merges);

// All names and aliases, comma-separated, for messages.
std::string SupportedPretokenizers();

}  // namespace aio

#endif  // AIO_TOKENIZER_PRETOKENIZER_FAMILIES_H_
