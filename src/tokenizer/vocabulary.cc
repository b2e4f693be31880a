#include "tokenizer/vocabulary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/utf8.h"
#include "formats/gguf.h"
#include "formats/quote.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/byte_tokens.h"
#include "tokenizer/jinja_text.h"

namespace aio {
namespace {

constexpr char kModelKey[] = "tokenizer.ggml.model";
constexpr char kTokensKey[] = "tokenizer.ggml.tokens";
constexpr char kKindsKey[] = "tokenizer.ggml.token_type";
constexpr char kScoresKey[] = "tokenizer.ggml.scores";

// Pieces that end an answer in the model families we know, where a file's keys forget them.
constexpr std::string_view kEndPieces[] = {
    "</s>",
    "<|im_end|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<|end|>",
    "<|eot|>",
    "<|EOT|>",
    "<|end_of_turn|>",
    "<end_of_turn>",
    "<EOT>",
    "<eos>",
    "<|eos|>",
    "[EOS]",
    "[EOT]",
    "<end_of_utterance>",
    "<|return|>",
    "<|call|>",
    "<｜end▁of▁sentence｜>",
    "[|endofturn|]",
    "<|fim_pad|>",
    "<|file_sep|>",
    "<|repo_name|>",
};

// "<|user|>", "<think>", "[INST]", "<｜User｜>".
bool LooksLikeMarker(std::string_view piece) {
  if (piece.size() < 3) return false;
  return (piece.front() == '<' && piece.back() == '>') ||
         (piece.front() == '[' && piece.back() == ']');
}

// "<|im_end|>", "<｜User｜>", "[unused9]": no text of a person looks so.
bool LooksLikeNoText(std::string_view piece) {
  return LooksLikeMarker(piece) &&
         (piece.starts_with("<|") || piece.starts_with("<｜") || piece.starts_with("[unused"));
}

// Pieces that a chat template contains by chance cannot be told from its markers, save
// these: whitespace and single characters, which Jinja itself is made of.
bool MayMarkTurns(std::string_view piece) {
  const bool blank = piece.find_first_not_of(" \t\r\n") == std::string_view::npos;
  return !blank && DecodeUtf8(piece).length < piece.size();
}

// Tells which texts occur in `text`, each by a few comparisons however long `text` is.
class SubstringIndex {
 public:
  explicit SubstringIndex(std::string_view text) {
    for (size_t at = 0; at < text.size(); ++at) {
      suffixes_.push_back(text.substr(at, Vocabulary::kMaxBpePieceBytes));
    }
    std::sort(suffixes_.begin(), suffixes_.end());
  }

  bool Contains(std::string_view part) const {
    const auto at = std::lower_bound(suffixes_.begin(), suffixes_.end(), part);
    return at != suffixes_.end() && at->starts_with(part);
  }

 private:
  std::vector<std::string_view> suffixes_;  // sorted
};

Status KeyFault(const GgufFile& file, std::string_view key, std::string_view fault) {
  return InvalidArgument(fmt::format("{}: metadata key \"{}\" {}", file.path(), key, fault));
}

// Counts are compared before arrays are decoded, which takes more memory than the file. Null
// for what is no array: the getters say so.
const GgufValue* FindArray(const GgufFile& file, std::string_view key) {
  const GgufValue* value = file.FindValue(key);
  return value != nullptr && value->type == GgufValue::Type::kArray ? value : nullptr;
}

Status ExpectOnePerToken(const GgufFile& file, std::string_view key, size_t tokens) {
  const GgufValue* array = FindArray(file, key);
  if (array == nullptr || array->count == tokens) return Status::Ok();
  return KeyFault(file, key,
                  fmt::format("has {} entries; expected {}, one per token", array->count, tokens));
}

}  // namespace

void Vocabulary::TextBlock::Append(std::string_view piece) {
  text.insert(text.end(), piece.begin(), piece.end());
  ends.push_back(text.size());
}

Result<std::unique_ptr<const Vocabulary>> Vocabulary::Read(const GgufFile& file) {
  std::unique_ptr<Vocabulary> vocabulary(new Vocabulary);
  AIO_RETURN_IF_ERROR(vocabulary->ReadModel(file));
  AIO_RETURN_IF_ERROR(vocabulary->ReadPieces(file));
  AIO_RETURN_IF_ERROR(vocabulary->ReadKinds(file));
  vocabulary->FindByteTokens();
  AIO_RETURN_IF_ERROR(vocabulary->ReadScores(file));
  AIO_RETURN_IF_ERROR(vocabulary->IndexPieces(file));
  AIO_RETURN_IF_ERROR(vocabulary->ReadSpecialIds(file));
  AIO_RETURN_IF_ERROR(vocabulary->FindMarkers(file));
  vocabulary->FillBytes();
  return std::unique_ptr<const Vocabulary>(std::move(vocabulary));
}

std::optional<int32_t> Vocabulary::Find(std::string_view piece) const {
  const auto found = ids_.find(piece);
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

Status Vocabulary::ReadModel(const GgufFile& file) {
  AIO_ASSIGN_OR_RETURN(const std::string_view model, file.GetString(kModelKey));
  if (model == "gpt2") {
    model_ = Model::kBpe;
  } else if (model == "llama") {
    model_ = Model::kSpm;
  } else {
    return Unimplemented(fmt::format(
        "{}: metadata key \"{}\" is {}; supported are \"gpt2\" (byte-level BPE) and \"llama\" "
        "(SentencePiece)",
        file.path(), kModelKey, QuoteForMessage(model)));
  }
  return Status::Ok();
}

Status Vocabulary::ReadPieces(const GgufFile& file) {
  const GgufValue* array = FindArray(file, kTokensKey);
  if (array != nullptr && array->count > kMaxTokens) {
    return KeyFault(file, kTokensKey,
                    fmt::format("has {} entries; expected at most {}", array->count, kMaxTokens));
  }
  AIO_ASSIGN_OR_RETURN(const std::vector<std::string_view> pieces, file.GetStringArray(kTokensKey));
  if (pieces.empty()) return KeyFault(file, kTokensKey, "has no entries");
  const size_t max_bytes = model_ == Model::kSpm ? kMaxSpmPieceBytes : kMaxBpePieceBytes;
  for (size_t id = 0; id < pieces.size(); ++id) {
    if (pieces[id].size() > max_bytes) {
      return KeyFault(file, kTokensKey,
                      fmt::format("entry {} has {} bytes; expected at most {}", id,
                                  pieces[id].size(), max_bytes));
    }
    pieces_.Append(pieces[id]);
  }
  return Status::Ok();
}

Status Vocabulary::ReadKinds(const GgufFile& file) {
  const size_t count = pieces_.ends.size();
  kinds_.assign(count, TokenKind::kNormal);
  if (file.FindValue(kKindsKey) == nullptr) return Status::Ok();
  AIO_RETURN_IF_ERROR(ExpectOnePerToken(file, kKindsKey, count));
  AIO_ASSIGN_OR_RETURN(const std::vector<int64_t> kinds, file.GetIntArray(kKindsKey));
  for (size_t id = 0; id < count; ++id) {
    if (kinds[id] < 0 || kinds[id] > static_cast<int64_t>(TokenKind::kByte)) {
      return KeyFault(file, kKindsKey,
                      fmt::format("entry {} is {}; expected 0 to 6", id, kinds[id]));
    }
    kinds_[id] = static_cast<TokenKind>(kinds[id]);
  }
  return Status::Ok();
}

// Files without kinds, or with careless ones, do not tell bytes from words.
void Vocabulary::FindByteTokens() {
  if (model_ != Model::kSpm) return;
  for (int32_t id = 0; id < size(); ++id) {
    if (kinds_[id] == TokenKind::kNormal && ByteOfToken(piece(id))) kinds_[id] = TokenKind::kByte;
  }
}

Status Vocabulary::ReadScores(const GgufFile& file) {
  if (model_ == Model::kBpe && file.FindValue(kScoresKey) == nullptr) return Status::Ok();
  AIO_RETURN_IF_ERROR(ExpectOnePerToken(file, kScoresKey, kinds_.size()));
  AIO_ASSIGN_OR_RETURN(std::vector<float> scores, file.GetFloatArray(kScoresKey));
  for (size_t id = 0; id < scores.size(); ++id) {
    if (std::isnan(scores[id])) {
      return KeyFault(file, kScoresKey, fmt::format("entry {} is not a number", id));
    }
  }
  if (model_ == Model::kSpm) scores_ = std::move(scores);
  return Status::Ok();
}

// Two tokens of one piece would make encoding ambiguous; unused entries, to which those
// without any text count, never take part in it.
Status Vocabulary::IndexPieces(const GgufFile& file) {
  ids_.reserve(kinds_.size());
  for (int32_t id = 0; id < size(); ++id) {
    if (piece(id).empty()) {
      kinds_[id] = TokenKind::kUnused;
      continue;
    }
    const bool unused = kinds_[id] == TokenKind::kUnused;
    const auto [found, inserted] = ids_.emplace(piece(id), id);
    if (inserted || unused) continue;
    if (kinds_[found->second] == TokenKind::kUnused) {
      found->second = id;
      continue;
    }
    return KeyFault(file, kTokensKey,
                    fmt::format("entries {} and {} are both {}", found->second, id,
                                QuoteForMessage(piece(id))));
  }
  return Status::Ok();
}

// `role`: "bos" for `tokenizer.ggml.bos_token_id`. Leaves `id` alone if the key is absent.
Status Vocabulary::ReadId(const GgufFile& file, std::string_view role,
                          std::optional<int32_t>& id) const {
  const std::string key = fmt::format("tokenizer.ggml.{}_token_id", role);
  if (file.FindValue(key) == nullptr) return Status::Ok();
  AIO_ASSIGN_OR_RETURN(const int64_t value, file.GetInt(key));
  if (value < 0 || value >= size()) {
    return KeyFault(file, key, fmt::format("is {}; expected 0 to {}", value, size() - 1));
  }
  id = static_cast<int32_t>(value);
  return Status::Ok();
}

Status Vocabulary::ReadSpecialIds(const GgufFile& file) {
  std::optional<int32_t> eot, eom;
  if (model_ == Model::kSpm) {  // SentencePiece's own names, where the keys are missing
    bos_ = Find("<s>");
    eos_ = Find("</s>");
    unknown_ = Find("<unk>");
  }
  AIO_RETURN_IF_ERROR(ReadId(file, "bos", bos_));
  AIO_RETURN_IF_ERROR(ReadId(file, "eos", eos_));
  AIO_RETURN_IF_ERROR(ReadId(file, "eot", eot));
  AIO_RETURN_IF_ERROR(ReadId(file, "eom", eom));
  AIO_RETURN_IF_ERROR(ReadId(file, "unknown", unknown_));
  if (unknown_ && kinds_[*unknown_] != TokenKind::kUnknown) unknown_ = std::nullopt;

  std::vector<int32_t> ending_ids;
  for (const std::optional<int32_t>& id : {eos_, eot, eom}) {
    if (id) ending_ids.push_back(*id);
  }
  PromoteMarkers(ending_ids);
  FindEnds(ending_ids);
  return Status::Ok();
}

// Careless conversions leave markers among the normal tokens, where no template could
// reach them and the text of a user could.
void Vocabulary::PromoteMarkers(const std::vector<int32_t>& ending_ids) {
  const auto promote = [this](int32_t id) {
    if (kinds_[id] == TokenKind::kNormal) kinds_[id] = TokenKind::kControl;
  };
  for (const std::string_view text : kEndPieces) {
    const std::optional<int32_t> id = Find(text);
    if (id && LooksLikeNoText(text)) promote(*id);
  }
  if (const auto start = Find("<|im_start|>")) promote(*start);
  if (bos_ && LooksLikeMarker(piece(*bos_))) promote(*bos_);
  for (const int32_t id : ending_ids) {
    if (LooksLikeMarker(piece(id))) promote(id);
  }
}

void Vocabulary::FindEnds(const std::vector<int32_t>& ending_ids) {
  ends_generation_.assign(kinds_.size(), false);
  for (const int32_t id : ending_ids) ends_generation_[id] = true;
  for (const std::string_view text : kEndPieces) {
    const std::optional<int32_t> id = Find(text);
    if (id && IsSpecial(*id)) ends_generation_[*id] = true;
  }
  // In the harmony format <|end|> ends a message, not the answer.
  const std::optional<int32_t> end = Find("<|end|>");
  const bool harmony = Find("<|return|>").has_value() && Find("<|call|>").has_value();
  if (harmony && end && eos_ != end) ends_generation_[*end] = false;
}

Status Vocabulary::FindMarkers(const GgufFile& file) {
  const Result<std::string_view> jinja = ReadJinja(file);
  if (!jinja.ok() && jinja.status().code() != StatusCode::kNotFound) return jinja.status();
  const SubstringIndex chat_template(jinja.ok() ? *jinja : std::string_view());
  markers_.assign(kinds_.size(), false);
  for (int32_t id = 0; id < size(); ++id) {
    const std::string_view text = piece(id);
    const bool may_be_marker = kinds_[id] == TokenKind::kUserDefined ||
                               (kinds_[id] == TokenKind::kNormal && LooksLikeNoText(text));
    if (!may_be_marker) continue;
    const bool in_template = MayMarkTurns(text) && chat_template.Contains(text);
    // SentencePiece's user-defined symbols ("[unused9]") become normal in some conversions.
    if (in_template) kinds_[id] = TokenKind::kUserDefined;
    markers_[id] = kinds_[id] == TokenKind::kUserDefined &&
                   (IsEndOfGeneration(id) || LooksLikeMarker(text) || in_template);
  }
  return Status::Ok();
}

void Vocabulary::FillBytes() {
  for (int32_t id = 0; id < size(); ++id) {
    const std::string_view text = piece(id);
    switch (kinds_[id]) {
      case TokenKind::kControl:
      case TokenKind::kUnknown:
        bytes_.Append("");
        continue;
      case TokenKind::kByte:
        if (const std::optional<uint8_t> byte = ByteOfToken(text)) {
          const char character = static_cast<char>(*byte);
          bytes_.Append({&character, 1});
          continue;
        }
        break;
      case TokenKind::kUserDefined:  // written as they are
        bytes_.Append(text);
        continue;
      case TokenKind::kNormal:
      case TokenKind::kUnused:
      case TokenKind::kUndefined:
        break;
    }
    if (model_ == Model::kSpm) {
      bytes_.Append(UnescapeSpaces(text));
    } else {
      bytes_.Append(DecodeByteAlphabet(text).value_or(std::string(text)));
    }
  }
}

}  // namespace aio
