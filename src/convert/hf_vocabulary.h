// The tokens of a Hugging Face model, from whichever of its files has them.
#ifndef AIO_CONVERT_HF_VOCABULARY_H_
#define AIO_CONVERT_HF_VOCABULARY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "convert/json_file.h"
#include "formats/sentencepiece.h"
#include "tokenizer/vocabulary.h"

namespace aio {

// What becomes `tokenizer.ggml.*`.
struct HfVocabulary {
  Vocabulary::Model model = Vocabulary::Model::kBpe;
  std::string pre;  // of BPE
  // By token id; as many as the model has rows of embeddings.
  std::vector<std::string> tokens;
  std::vector<TokenKind> kinds;  // kUndefined: no token of this id so far
  std::vector<float> scores;
  std::vector<std::string> merges;  // of BPE
  bool add_space_prefix = true;     // of SentencePiece

  std::optional<int32_t> Find(std::string_view token) const;
};

// A token that was added to a vocabulary: found in text before anything else is done to it.
struct HfAddedToken {
  int64_t id = 0;
  std::string text;
  bool special = false;  // no text of people
};

// From tokenizer.json. Byte-level BPE, whose pre-tokenizer must be one that this program has,
// unless `pre` names one (""), or SentencePiece's BPE with bytes to fall back on. `size` is that of
// the model's vocabulary. Errors name the file and the key; what is not supported is refused
// by name.
Result<HfVocabulary> ReadTokenizerJson(const JsonObject& json, int size, std::string_view pre);

// From vocab.json and the text of merges.txt, which do not say how text is cut into words:
// `pre` must.
Result<HfVocabulary> ReadVocabAndMerges(const JsonObject& vocab, std::string_view merges, int size,
                                        std::string_view pre);

// From tokenizer.model; `where` names it in errors.
Result<HfVocabulary> ReadSentencePieces(const SentencePieceModel& model, int size,
                                        const std::string& where);

// Tokens of "added_tokens" in tokenizer.json and "added_tokens_decoder" in
// tokenizer_config.json, and those of added_tokens.json.
Result<std::vector<HfAddedToken>> ReadAddedTokens(const JsonObject& tokenizer);
Result<std::vector<HfAddedToken>> ReadAddedTokensDecoder(const JsonObject& tokenizer_config);
Result<std::vector<HfAddedToken>> ReadAddedTokensMap(const JsonObject& added_tokens);

// Puts an added token over what stands at its id. False if the model has no such id.
bool PutAddedToken(const HfAddedToken& added, HfVocabulary& vocabulary);

// Gives ids without a token an unused one.
void FillGaps(HfVocabulary& vocabulary);

}  // namespace aio

#endif  // AIO_CONVERT_HF_VOCABULARY_H_
