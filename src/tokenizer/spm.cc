// SentencePiece BPE: characters of the text, with "▁" for spaces, merge into pieces; of all
// neighbours that make a piece, those whose piece has the highest score merge first, the
// leftmost among equals. What is no piece in the end is written byte by byte; of what is an
// unused piece the last merge is undone.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/utf8.h"
#include "formats/gguf.h"
#include "tokenizer/byte_tokens.h"
#include "tokenizer/fingerprint.h"
#include "tokenizer/merge_table.h"
#include "tokenizer/plain_encoder.h"

namespace aio {
namespace {

constexpr char kTokensKey[] = "tokenizer.ggml.tokens";
constexpr char kKindsKey[] = "tokenizer.ggml.token_type";
constexpr char kPrefixKey[] = "tokenizer.ggml.add_space_prefix";

class SpmEncoder final : public PlainEncoder {
 public:
  explicit SpmEncoder(const Vocabulary& vocabulary) : vocabulary_(vocabulary) {}

  Status ReadPrefix(const GgufFile& file);
  Status ReadBytes(const GgufFile& file);
  void NumberCharacters();
  void FillMerges();
  void HalveUnused();
  void FindWholeWords();

  void Encode(std::string_view text, bool starts_text, std::vector<int32_t>& ids) const override;

  bool adds_bos() const override { return true; }
  bool adds_space_prefix() const override { return adds_space_prefix_; }
  std::string kind() const override { return "spm"; }
  uint64_t fingerprint() const override {
    return Fingerprint().Add(kind()).Add(adds_space_prefix_).value();
  }

 private:
  struct Scratch {
    Merger merger;
    std::vector<Symbol> symbols;
  };

  SymbolId FindSymbol(std::string_view text) const;
  std::vector<uint32_t> RankPieces() const;
  void MergeCharacters(std::string_view word, size_t at_least, Scratch& scratch) const;
  void AppendSymbol(SymbolId id, std::string_view text, std::vector<int32_t>& ids) const;
  void AppendBytes(std::string_view text, std::vector<int32_t>& ids) const;
  size_t WordEnd(std::string_view text, size_t begin) const;

  const Vocabulary& vocabulary_;
  bool adds_space_prefix_ = true;
  std::array<std::optional<int32_t>, 256> byte_tokens_;
  // Characters that occur in pieces: their token or, where they have none to use, a number
  // of their own at or above the vocabulary's size.
  std::unordered_map<std::string_view, SymbolId> characters_;
  MergeTable merges_{0};
  // No piece has a space after another character: words can be encoded one by one.
  bool words_are_separate_ = true;
  std::unordered_map<std::string_view, int32_t> whole_words_;
  // The two symbols that merge into an unused piece.
  std::unordered_map<SymbolId, std::array<Symbol, 2>> halves_of_unused_;
};

Status SpmEncoder::ReadPrefix(const GgufFile& file) {
  if (file.FindValue(kPrefixKey) == nullptr) return Status::Ok();
  AIO_ASSIGN_OR_RETURN(adds_space_prefix_, file.GetBool(kPrefixKey));
  return Status::Ok();
}

Status SpmEncoder::ReadBytes(const GgufFile& file) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string piece = ByteToken(static_cast<uint8_t>(byte));
    byte_tokens_[byte] = vocabulary_.Find(piece);
    const std::optional<int32_t> id = byte_tokens_[byte];
    if (!id && !vocabulary_.unknown()) {
      return InvalidArgument(fmt::format(
          "{}: metadata key \"{}\" has neither the byte token \"{}\" nor an unknown token",
          file.path(), kTokensKey, piece));
    }
    if (id && vocabulary_.kind(*id) != TokenKind::kByte) {
      return InvalidArgument(
          fmt::format("{}: metadata key \"{}\", entry {} (\"{}\") is {}; expected {}, a byte",
                      file.path(), kKindsKey, *id, piece, static_cast<int>(vocabulary_.kind(*id)),
                      static_cast<int>(TokenKind::kByte)));
    }
  }
  return Status::Ok();
}

void SpmEncoder::NumberCharacters() {
  auto next = static_cast<SymbolId>(vocabulary_.size());
  for (int32_t id = 0; id < vocabulary_.size(); ++id) {
    if (!vocabulary_.IsMergeable(id)) continue;
    std::string_view rest = vocabulary_.piece(id);
    bool after_other = false;
    while (!rest.empty()) {
      const std::string_view character = rest.substr(0, DecodeUtf8(rest).length);
      rest.remove_prefix(character.size());
      if (character == kSpaceMark && after_other) words_are_separate_ = false;
      after_other = character != kSpaceMark;
      const auto [entry, inserted] = characters_.try_emplace(character, next);
      if (!inserted) continue;
      const std::optional<int32_t> token = vocabulary_.Find(character);
      const bool usable = token && vocabulary_.IsMergeable(*token) &&
                          vocabulary_.kind(*token) != TokenKind::kUnused;
      if (usable) {
        entry->second = static_cast<SymbolId>(*token);
      } else {
        ++next;
      }
    }
  }
}

// The symbol of a character or of a piece.
SymbolId SpmEncoder::FindSymbol(std::string_view text) const {
  if (const auto character = characters_.find(text); character != characters_.end()) {
    return character->second;
  }
  const std::optional<int32_t> token = vocabulary_.Find(text);
  return token && vocabulary_.IsMergeable(*token) ? static_cast<SymbolId>(*token) : kNoSymbol;
}

// [vocabulary size] 0 for the highest score; equal scores have equal ranks.
std::vector<uint32_t> SpmEncoder::RankPieces() const {
  std::vector<float> scores = vocabulary_.scores();
  std::sort(scores.begin(), scores.end(), std::greater<>());
  scores.erase(std::unique(scores.begin(), scores.end()), scores.end());
  std::vector<uint32_t> ranks;
  for (const float score : vocabulary_.scores()) {
    const auto place = std::lower_bound(scores.begin(), scores.end(), score, std::greater<>());
    ranks.push_back(static_cast<uint32_t>(place - scores.begin()));
  }
  return ranks;
}

// Merging is defined on texts: two symbols merge if their texts together are a piece. The
// table lists, for each piece, every way of cutting it into two symbols.
void SpmEncoder::FillMerges() {
  const std::vector<uint32_t> ranks = RankPieces();
  merges_ = MergeTable(4 * ranks.size());
  for (int32_t id = 0; id < vocabulary_.size(); ++id) {
    if (!vocabulary_.IsMergeable(id)) continue;
    const std::string_view piece = vocabulary_.piece(id);
    if (piece.empty()) continue;
    for (size_t cut = DecodeUtf8(piece).length; cut < piece.size();
         cut += DecodeUtf8(piece.substr(cut)).length) {
      const SymbolId left = FindSymbol(piece.substr(0, cut));
      const SymbolId right = FindSymbol(piece.substr(cut));
      if (left == kNoSymbol || right == kNoSymbol) continue;
      merges_.Add(left, right, {ranks[id], static_cast<SymbolId>(id)});
    }
  }
}

// Merging alone arrives at a piece as merging within a text does: what lies around it takes
// no part until it is whole.
void SpmEncoder::HalveUnused() {
  Scratch scratch;
  for (int32_t id = 0; id < vocabulary_.size(); ++id) {
    if (vocabulary_.kind(id) != TokenKind::kUnused) continue;
    MergeCharacters(vocabulary_.piece(id), /*at_least=*/2, scratch);
    const std::vector<Symbol>& symbols = scratch.symbols;
    if (symbols.size() != 2) continue;  // a character, or never arrived at
    halves_of_unused_[static_cast<SymbolId>(id)] = {symbols[0], symbols[1]};
  }
}

void SpmEncoder::FindWholeWords() {
  Scratch scratch;
  for (int32_t id = 0; id < vocabulary_.size(); ++id) {
    if (vocabulary_.kind(id) != TokenKind::kNormal) continue;
    MergeCharacters(vocabulary_.piece(id), /*at_least=*/1, scratch);
    const bool whole =
        scratch.symbols.size() == 1 && scratch.symbols[0].id == static_cast<SymbolId>(id);
    if (whole) whole_words_.emplace(vocabulary_.piece(id), id);
  }
}

void SpmEncoder::MergeCharacters(std::string_view word, size_t at_least, Scratch& scratch) const {
  scratch.symbols.clear();
  for (size_t i = 0; i < word.size();) {
    const size_t length = DecodeUtf8(word.substr(i)).length;
    const auto found = characters_.find(word.substr(i, length));
    const SymbolId id = found == characters_.end() ? kNoSymbol : found->second;
    scratch.symbols.push_back({id, static_cast<uint32_t>(i)});
    i += length;
  }
  scratch.merger.Merge(merges_, scratch.symbols, at_least);
}

// Appends the ids of the symbol `id`, whose text is `text`.
void SpmEncoder::AppendSymbol(SymbolId id, std::string_view text, std::vector<int32_t>& ids) const {
  if (id >= static_cast<SymbolId>(vocabulary_.size())) return AppendBytes(text, ids);
  const auto halves = halves_of_unused_.find(id);
  if (halves == halves_of_unused_.end()) return ids.push_back(static_cast<int32_t>(id));
  const auto& [left, right] = halves->second;
  AppendSymbol(left.id, text.substr(0, right.offset), ids);
  AppendSymbol(right.id, text.substr(right.offset), ids);
}

// Appends what stands for `text`, a character that is no token.
void SpmEncoder::AppendBytes(std::string_view text, std::vector<int32_t>& ids) const {
  if (text == kSpaceMark) text = " ";  // as the user wrote it: only pieces spell it otherwise
  for (const char c : text) {
    const std::optional<int32_t> byte = byte_tokens_[static_cast<uint8_t>(c)];
    if (!byte) {  // ReadBytes() saw to it that there is an unknown token then
      ids.push_back(*vocabulary_.unknown());
      return;
    }
    ids.push_back(*byte);
  }
}

// Where the word that begins at `begin` ends: before the next space that follows another
// character.
size_t SpmEncoder::WordEnd(std::string_view text, size_t begin) const {
  if (!words_are_separate_) return text.size();
  while (text.substr(begin).starts_with(kSpaceMark)) begin += kSpaceMark.size();
  return std::min(text.find(kSpaceMark, begin), text.size());
}

void SpmEncoder::Encode(std::string_view text, bool starts_text, std::vector<int32_t>& ids) const {
  if (text.empty()) return;
  std::string escaped;
  escaped.reserve(text.size() + text.size() / 2);
  if (starts_text && adds_space_prefix_) escaped += kSpaceMark;
  for (const char c : text) {
    if (c == ' ') {
      escaped += kSpaceMark;
    } else {
      escaped += c;
    }
  }

  Scratch scratch;
  const std::string_view all = escaped;
  for (size_t begin = 0; begin < all.size();) {
    const size_t end = WordEnd(all, begin);
    const std::string_view word = all.substr(begin, end - begin);
    begin = end;
    if (const auto whole = whole_words_.find(word); whole != whole_words_.end()) {
      ids.push_back(whole->second);
      continue;
    }
    MergeCharacters(word, /*at_least=*/1, scratch);
    const std::vector<Symbol>& symbols = scratch.symbols;
    for (size_t i = 0; i < symbols.size(); ++i) {
      const size_t symbol_end = i + 1 < symbols.size() ? symbols[i + 1].offset : word.size();
      AppendSymbol(symbols[i].id, word.substr(symbols[i].offset, symbol_end - symbols[i].offset),
                   ids);
    }
  }
}

}  // namespace

Result<std::unique_ptr<const PlainEncoder>> MakeSpmEncoder(const GgufFile& file,
                                                           const Vocabulary& vocabulary) {
  auto encoder = std::make_unique<SpmEncoder>(vocabulary);
  AIO_RETURN_IF_ERROR(encoder->ReadPrefix(file));
  AIO_RETURN_IF_ERROR(encoder->ReadBytes(file));
  encoder->NumberCharacters();
  encoder->FillMerges();
  encoder->HalveUnused();
  encoder->FindWholeWords();
  return std::unique_ptr<const PlainEncoder>(std::move(encoder));
}

}  // namespace aio
