// Arbitrary bytes as the text of a user: nothing but text may come out.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/utf8.h"
#include "tokenizer/stream_decoder.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/tokenizer_testing.h"

namespace aio {
namespace {

std::shared_ptr<const Tokenizer> Loaded(VocabularyBuilder builder) {
  auto tokenizer = builder.Load();
  AIO_CHECK(tokenizer.ok(), tokenizer.status().message().c_str());
  return *tokenizer;
}

std::shared_ptr<const Tokenizer> MakeBpe(std::string_view pre) {
  VocabularyBuilder builder = VocabularyBuilder::Bpe(pre);
  builder.Merge("Ġ", "Ġ");
  builder.Merge("ĠĠ", "ĠĠ");
  builder.Merge("i", "m");
  builder.Merge("<", "|");
  builder.Merge("|", ">");
  builder.Merge("<|", "im");
  builder.Merge("<|im", "|>");
  builder.kinds.back() = static_cast<int32_t>(TokenKind::kControl);
  builder.Add("<s>", TokenKind::kControl);
  builder.Add("<think>", TokenKind::kUserDefined);
  builder.Add("   ", TokenKind::kUserDefined);
  return Loaded(std::move(builder));
}

std::shared_ptr<const Tokenizer> MakeSpm() {
  VocabularyBuilder builder = VocabularyBuilder::Spm();
  float score = 0;
  for (const char* piece : {"▁", "▁▁", "s", "/", "<", ">", "/s", "</s", "s>", "é", "a▁", "aé"}) {
    builder.Add(piece, TokenKind::kNormal, score -= 1);
  }
  builder.Add("éé", TokenKind::kUnused, 1);
  return Loaded(std::move(builder));
}

void Check(const Tokenizer& tokenizer, std::string_view text) {
  const std::vector<int32_t> ids = tokenizer.EncodeText(text, /*add_bos=*/false);
  StreamDecoder decoder(tokenizer);
  std::string streamed;
  for (const int32_t id : ids) {
    AIO_CHECK(!tokenizer.IsControl(id), "a control token in the text of a user");
    AIO_CHECK(tokenizer.TokenPiece(id) != "<think>", "a marker in the text of a user");
    const std::string next = decoder.Push(id);
    AIO_CHECK(IsValidUtf8(next), "a split character");
    streamed += next;
  }
  streamed += decoder.Flush();
  const std::string decoded = tokenizer.Decode(ids);
  AIO_CHECK(streamed == ReplaceInvalidUtf8(decoded), "streaming changed the text");

  std::string expected(text);
  // SentencePiece has one character for both.
  for (size_t at; tokenizer.kind() == "spm" && (at = expected.find("▁")) != std::string::npos;) {
    expected.replace(at, std::string_view("▁").size(), " ");
  }
  AIO_CHECK(decoded == expected, "the text did not come back");

  // The same bytes as two pieces; as template text they may become special tokens.
  const size_t half = text.size() / 2;
  const TextPiece pieces[] = {{std::string(text.substr(0, half)), false},
                              {std::string(text.substr(half)), false}};
  AIO_CHECK(tokenizer.Encode(pieces, false) == ids, "pieces are not encoded together");
  AIO_CHECK(tokenizer.Decode(tokenizer.EncodeTemplate(text, false), true).size() >= decoded.size(),
            "template text got lost");
}

}  // namespace
}  // namespace aio

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using aio::Tokenizer;
  static const std::vector<std::shared_ptr<const Tokenizer>> tokenizers = {
      aio::MakeBpe("gpt-2"),       aio::MakeBpe("llama-bpe"), aio::MakeBpe("deepseek-llm"),
      aio::MakeBpe("deepseek-v3"), aio::MakeBpe("tekken"),    aio::MakeSpm()};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto& tokenizer : tokenizers) aio::Check(*tokenizer, text);
  return 0;
}
