// Byte-level BPE: text is cut into words, each byte of a word becomes a token, and pairs of
// neighbouring tokens merge in the order of the file's list of merges.
#include <fmt/format.h>

#include <array>
#include <optional>
#include <unordered_map>
#include <utility>

#include "formats/gguf.h"
#include "formats/quote.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/fingerprint.h"
#include "tokenizer/merge_table.h"
#include "tokenizer/plain_encoder.h"
#include "tokenizer/pretokenizer.h"
#include "tokenizer/pretokenizer_families.h"

namespace aio {
namespace {

constexpr char kPreKey[] = "tokenizer.ggml.pre";
constexpr char kTokensKey[] = "tokenizer.ggml.tokens";
constexpr char kMergesKey[] = "tokenizer.ggml.merges";

class BpeEncoder final : public PlainEncoder {
 public:
  BpeEncoder(const Vocabulary& vocabulary, std::string_view pre, const PretokenizerFamily& family,
             Pretokenizer pretokenizer)
      : vocabulary_(vocabulary),
        pre_(pre),
        family_(family),
        pretokenizer_(std::move(pretokenizer)) {}

  Status ReadBytes(const GgufFile& file);
  Status ReadMerges(const GgufFile& file);
  void FindWholeWords();

  void Encode(std::string_view text, bool starts_text, std::vector<int32_t>& ids) const override;

  bool adds_bos() const override { return family_.adds_bos; }
  bool adds_space_prefix() const override { return false; }
  std::string kind() const override { return fmt::format("bpe ({})", pre_); }
  uint64_t fingerprint() const override { return fingerprint_.value(); }

 private:
  bool IsUserDefined(std::string_view piece) const;
  void EncodeByMerging(std::string_view word, Merger& merger, std::vector<Symbol>& symbols) const;

  const Vocabulary& vocabulary_;
  const std::string pre_;
  const PretokenizerFamily& family_;
  const Pretokenizer pretokenizer_;
  std::array<SymbolId, 256> byte_tokens_{};
  MergeTable merges_{0};
  // Words that are known to become one token: most words of a text, found without merging.
  std::unordered_map<std::string_view, int32_t> whole_words_;  // views into the vocabulary
  Fingerprint fingerprint_;
};

// Some vocabularies lack bytes that never occur in UTF-8, some rare lead bytes too: such a
// byte is dropped from the text or becomes the unknown token. One that lacks letters is
// broken.
Status BpeEncoder::ReadBytes(const GgufFile& file) {
  for (int byte = 0; byte < 256; ++byte) {
    const char character = static_cast<char>(byte);
    const std::string piece = ByteAlphabetCharacter(static_cast<uint8_t>(byte));
    const std::optional<int32_t> id = vocabulary_.Find(piece);
    const bool found = id && vocabulary_.IsMergeable(*id);
    byte_tokens_[byte] = found ? static_cast<SymbolId>(*id) : kNoSymbol;
    const bool essential = (byte == '\n' || (byte >= ' ' && byte <= '~')) &&
                           !IsUserDefined(std::string_view(&character, 1));
    if (!found && essential) {
      return InvalidArgument(fmt::format(
          "{}: metadata key \"{}\" has no token for the byte 0x{:02X}, which a byte-level "
          "vocabulary writes as {}",
          file.path(), kTokensKey, byte, QuoteForMessage(piece)));
    }
  }
  return Status::Ok();
}

// Whether ordinary text may contain the user-defined token `piece`, which is then found
// before any byte is looked up.
bool BpeEncoder::IsUserDefined(std::string_view piece) const {
  const std::optional<int32_t> id = vocabulary_.Find(piece);
  return id && vocabulary_.kind(*id) == TokenKind::kUserDefined && !vocabulary_.IsMarker(*id);
}

Status BpeEncoder::ReadMerges(const GgufFile& file) {
  AIO_ASSIGN_OR_RETURN(const std::vector<std::string_view> merges, file.GetStringArray(kMergesKey));
  // The table grows with what is valid; of what a file claims it would be a multiple.
  merges_ = MergeTable(static_cast<size_t>(vocabulary_.size()));
  fingerprint_.Add(family_.name).Add(merges.size());
  std::string joined;
  for (size_t rank = 0; rank < merges.size(); ++rank) {
    const std::string_view merge = merges[rank];
    const auto fault = [&](std::string_view what) {
      return InvalidArgument(fmt::format("{}: metadata key \"{}\", entry {}: {} {}", file.path(),
                                         kMergesKey, rank, QuoteForMessage(merge), what));
    };
    const size_t space = merge.empty() ? std::string_view::npos : merge.find(' ', 1);
    if (space == std::string_view::npos) return fault("is not two pieces with a space between");
    const std::string_view left_piece = merge.substr(0, space);
    const std::string_view right_piece = merge.substr(space + 1);
    joined.assign(left_piece).append(right_piece);
    const std::optional<int32_t> left = vocabulary_.Find(left_piece);
    const std::optional<int32_t> right = vocabulary_.Find(right_piece);
    const std::optional<int32_t> merged = vocabulary_.Find(joined);
    if (!left || !right) return fault("names a piece that is not in tokenizer.ggml.tokens");
    if (!merged) return fault("makes a piece that is not in tokenizer.ggml.tokens");
    fingerprint_.Add(*left).Add(*right);
    // No way of merging ordinary text may lead to a control token.
    if (!vocabulary_.IsMergeable(*left) || !vocabulary_.IsMergeable(*right) ||
        !vocabulary_.IsMergeable(*merged)) {
      continue;
    }
    merges_.Add(*left, *right, {static_cast<uint32_t>(rank), static_cast<SymbolId>(*merged)});
  }
  return Status::Ok();
}

void BpeEncoder::FindWholeWords() {
  Merger merger;
  std::vector<Symbol> symbols;
  for (int32_t id = 0; id < vocabulary_.size(); ++id) {
    if (!vocabulary_.IsMergeable(id) || !DecodeByteAlphabet(vocabulary_.piece(id))) continue;
    const std::string_view bytes = vocabulary_.bytes(id);
    if (!family_.ignore_merges) {
      EncodeByMerging(bytes, merger, symbols);
      if (symbols.size() != 1 || symbols[0].id != static_cast<SymbolId>(id)) continue;
    }
    whole_words_.emplace(bytes, id);
  }
}

void BpeEncoder::EncodeByMerging(std::string_view word, Merger& merger,
                                 std::vector<Symbol>& symbols) const {
  symbols.clear();
  for (const char c : word) symbols.push_back({byte_tokens_[static_cast<uint8_t>(c)], 0});
  merger.Merge(merges_, symbols);
}

void BpeEncoder::Encode(std::string_view text, bool /*starts_text*/,
                        std::vector<int32_t>& ids) const {
  std::vector<size_t> ends;
  pretokenizer_.Split(text, ends);
  Merger merger;
  std::vector<Symbol> symbols;
  size_t begin = 0;
  for (const size_t end : ends) {
    const std::string_view word = text.substr(begin, end - begin);
    begin = end;
    if (const auto whole = whole_words_.find(word); whole != whole_words_.end()) {
      ids.push_back(whole->second);
      continue;
    }
    EncodeByMerging(word, merger, symbols);
    for (const Symbol& symbol : symbols) {
      if (symbol.id != kNoSymbol) {
        ids.push_back(static_cast<int32_t>(symbol.id));
      } else if (vocabulary_.unknown()) {
        ids.push_back(*vocabulary_.unknown());
      }
    }
  }
}

}  // namespace

Result<std::unique_ptr<const PlainEncoder>> MakeBpeEncoder(const GgufFile& file,
                                                           const Vocabulary& vocabulary) {
  std::string_view pre = "default";
  if (file.FindValue(kPreKey) != nullptr) {
    AIO_ASSIGN_OR_RETURN(pre, file.GetString(kPreKey));
  }
  const PretokenizerFamily* family = FindPretokenizerFamily(pre);
  if (family == nullptr) {
    return Unimplemented(fmt::format("{}: metadata key \"{}\" is {}; supported are {}", file.path(),
                                     kPreKey, QuoteForMessage(pre), SupportedPretokenizers()));
  }
  AIO_ASSIGN_OR_RETURN(Pretokenizer pretokenizer, Pretokenizer::Create(family->stages));
  auto encoder = std::make_unique<BpeEncoder>(vocabulary, pre, *family, std::move(pretokenizer));
  AIO_RETURN_IF_ERROR(encoder->ReadBytes(file));
  AIO_RETURN_IF_ERROR(encoder->ReadMerges(file));
  encoder->FindWholeWords();
  return std::unique_ptr<const PlainEncoder>(std::move(encoder));
}

}  // namespace aio
