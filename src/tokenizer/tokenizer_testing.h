// Small vocabularies for tests and the fuzzer, as GGUF files in memory.
#ifndef AIO_TOKENIZER_TOKENIZER_TESTING_H_
#define AIO_TOKENIZER_TOKENIZER_TESTING_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/gguf.h"
#include "formats/gguf_writer.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/byte_tokens.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/vocabulary.h"

namespace aio {

class VocabularyBuilder {
 public:
  // Byte-level BPE with a token for every byte: id b is the byte b.
  static VocabularyBuilder Bpe(std::string_view pre = "gpt-2") {
    VocabularyBuilder builder("gpt2");
    builder.writer->SetString("tokenizer.ggml.pre", pre);
    for (int byte = 0; byte < 256; ++byte) {
      builder.Add(ByteAlphabetCharacter(static_cast<uint8_t>(byte)));
    }
    return builder;
  }

  // SentencePiece with <unk>, <s>, </s> and a token for every byte: id 3 + b is the byte b.
  static VocabularyBuilder Spm() {
    VocabularyBuilder builder("llama");
    builder.Add("<unk>", TokenKind::kUnknown);
    builder.Add("<s>", TokenKind::kControl);
    builder.Add("</s>", TokenKind::kControl);
    for (int byte = 0; byte < 256; ++byte) {
      builder.Add(ByteToken(static_cast<uint8_t>(byte)), TokenKind::kByte);
    }
    return builder;
  }

  int32_t Add(std::string piece, TokenKind kind = TokenKind::kNormal, float score = 0) {
    tokens.push_back(std::move(piece));
    kinds.push_back(static_cast<int32_t>(kind));
    scores.push_back(score);
    return static_cast<int32_t>(tokens.size()) - 1;
  }

  // BPE: a merge and, if it is new, the token it makes.
  int32_t Merge(const std::string& left, const std::string& right) {
    merges.push_back(left + " " + right);
    const auto found = std::find(tokens.begin(), tokens.end(), left + right);
    return found == tokens.end() ? Add(left + right) : static_cast<int32_t>(found - tokens.begin());
  }

  std::vector<std::byte> Encode() {
    writer->SetStringArray("tokenizer.ggml.tokens", tokens);
    if (!kinds.empty()) writer->SetInt32Array("tokenizer.ggml.token_type", kinds);
    if (is_bpe) writer->SetStringArray("tokenizer.ggml.merges", merges);
    if (!is_bpe) writer->SetFloat32Array("tokenizer.ggml.scores", scores);
    return writer->Encode();
  }

  Result<std::shared_ptr<const Tokenizer>> Load() {
    const std::vector<std::byte> bytes = Encode();
    AIO_ASSIGN_OR_RETURN(const auto file, GgufFile::Parse(bytes, "test.gguf"));
    return Tokenizer::Load(*file);
  }

  std::unique_ptr<GgufWriter> writer = std::make_unique<GgufWriter>();  // for further keys
  std::vector<std::string> tokens;
  std::vector<int32_t> kinds;  // empty: the file has none
  std::vector<float> scores;
  std::vector<std::string> merges;
  bool is_bpe;

 private:
  explicit VocabularyBuilder(std::string_view model) : is_bpe(model == "gpt2") {
    writer->SetString("tokenizer.ggml.model", model);
  }
};

}  // namespace aio

#endif  // AIO_TOKENIZER_TOKENIZER_TESTING_H_
