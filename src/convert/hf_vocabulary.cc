// The layout of tokenizer.json is that of https://github.com/huggingface/tokenizers.
#include "convert/hf_vocabulary.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <unordered_map>
#include <utility>

#include "convert/hf_pretokenizer.h"
#include "formats/quote.h"
#include "tokenizer/byte_tokens.h"

namespace aio {
namespace {

using Json = nlohmann::json;

// What other converters give tokens without a score: never preferred.
constexpr float kAddedScore = -1000.0f;
constexpr float kGapScore = -10000.0f;

constexpr size_t kMaxMerges = size_t{1} << 22;

HfVocabulary MakeVocabulary(Vocabulary::Model model, int size) {
  HfVocabulary vocabulary;
  vocabulary.model = model;
  const auto count = static_cast<size_t>(size);
  vocabulary.tokens.resize(count);
  vocabulary.kinds.assign(count, TokenKind::kUndefined);
  vocabulary.scores.assign(count, kGapScore);
  return vocabulary;
}

// The entries of a map from token to id, each id once.
Status PutTokens(const Json& map, const JsonObject& json, std::string_view key,
                 HfVocabulary& vocabulary) {
  if (!map.is_object() || map.empty()) return json.Invalid(key, "is no object with entries");
  for (const auto& [token, id] : map.items()) {
    const auto quoted = [&token = token] { return QuoteForMessage(token); };
    if (!id.is_number_integer() || id.get<int64_t>() < 0) {
      return json.Invalid(key, fmt::format("{} has no id", quoted()));
    }
    const auto at = id.get<uint64_t>();
    if (at >= vocabulary.tokens.size()) {
      return json.Invalid(key, fmt::format("{} has id {}, but config.json's vocab_size is {}",
                                           quoted(), at, vocabulary.tokens.size()));
    }
    if (vocabulary.kinds[at] != TokenKind::kUndefined) {
      return json.Invalid(key, fmt::format("{} and {} both have id {}", quoted(),
                                           QuoteForMessage(vocabulary.tokens[at]), at));
    }
    vocabulary.tokens[at] = token;
    vocabulary.kinds[at] = TokenKind::kNormal;
  }
  return Status::Ok();
}

// Both forms that tokenizers writes: "a b" and ["a", "b"].
Result<std::string> ReadMerge(const Json& merge, const JsonObject& json, size_t rank) {
  const auto fault = [&](std::string_view what) {
    return json.Invalid("merges", fmt::format("entry {} {}", rank, what));
  };
  if (merge.is_string()) return merge.get<std::string>();
  if (!merge.is_array() || merge.size() != 2 || !merge[0].is_string() || !merge[1].is_string()) {
    return fault("is neither a text nor a pair of them");
  }
  const auto& left = merge[0].get_ref<const std::string&>();
  const auto& right = merge[1].get_ref<const std::string&>();
  if (left.empty() || left.find(' ', 1) != std::string::npos) {
    return fault("has a piece with a space, which GGUF cannot express");
  }
  return left + " " + right;
}

Result<std::vector<std::string>> ReadMerges(const JsonObject& model) {
  const Json* merges = model.Find("merges");
  if (merges == nullptr || !merges->is_array()) return model.Invalid("merges", "is no list");
  if (merges->size() > kMaxMerges) return model.Invalid("merges", "has too many entries");
  std::vector<std::string> read;
  read.reserve(merges->size());
  for (const Json& merge : *merges) {
    AIO_ASSIGN_OR_RETURN(std::string text, ReadMerge(merge, model, read.size()));
    read.push_back(std::move(text));
  }
  return read;
}

// SentencePiece merges the pair whose piece has the highest score; tokenizers the one that
// comes first in the list, which its converter wrote in the order of the scores.
void ScoreByMerges(const std::vector<std::string>& merges, HfVocabulary& vocabulary) {
  std::unordered_map<std::string, size_t> ranks;
  for (const std::string& merge : merges) {
    const size_t space = merge.find(' ', 1);
    if (space == std::string::npos) continue;
    ranks.emplace(merge.substr(0, space) + merge.substr(space + 1), ranks.size());
  }
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    if (vocabulary.kinds[id] == TokenKind::kUndefined) continue;
    const auto rank = ranks.find(vocabulary.tokens[id]);
    const size_t place = rank == ranks.end() ? ranks.size() : rank->second;
    vocabulary.scores[id] = -static_cast<float>(place);
    if (ByteOfToken(vocabulary.tokens[id])) vocabulary.kinds[id] = TokenKind::kByte;
  }
}

// Whether a space is put before the first word: by a normalizer that prepends one or a
// Metaspace pre-tokenizer, alone or in a sequence.
bool PrependsSpace(const Json& step, bool may_be_sequence = true) {
  if (!step.is_object()) return false;
  const auto type = step.find("type");
  if (type == step.end() || !type->is_string()) return false;
  if (*type == "Prepend") return true;
  if (*type == "Metaspace") {
    const auto scheme = step.find("prepend_scheme");
    if (scheme != step.end()) return *scheme != "never";
    const auto add = step.find("add_prefix_space");
    return add == step.end() || *add != false;
  }
  if (!may_be_sequence) return false;
  const auto prepends = [](const Json& inner) { return PrependsSpace(inner, false); };
  for (const char* list : {"normalizers", "pretokenizers"}) {
    const auto steps = step.find(list);
    if (steps == step.end() || !steps->is_array()) continue;
    if (std::any_of(steps->begin(), steps->end(), prepends)) return true;
  }
  return false;
}

Status RefuseUnusualBpe(const JsonObject& model) {
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    AIO_ASSIGN_OR_RETURN(const std::string affix, model.StringOr(key, ""));
    if (!affix.empty()) {
      return model.Unsupported(key, fmt::format("{} is not supported", QuoteForMessage(affix)));
    }
  }
  return Status::Ok();
}

// Unicode's canonical composition is the one normalisation that GGUF's readers leave out
// without harm to text that has it already.
Status CheckNormalizer(const JsonObject& json) {
  const Json* normalizer = json.Find("normalizer");
  if (normalizer == nullptr) return Status::Ok();
  const auto harmless = [](const Json& step) {
    const auto type = step.is_object() ? step.find("type") : step.end();
    return step.is_object() && type != step.end() && *type == "NFC";
  };
  if (harmless(*normalizer)) return Status::Ok();
  if (normalizer->is_object() && normalizer->contains("normalizers")) {
    const Json& steps = (*normalizer)["normalizers"];
    if (steps.is_array() && std::all_of(steps.begin(), steps.end(), harmless)) return Status::Ok();
  }
  const JsonObject inner(*normalizer, json.where());
  const Result<std::string> type =
      normalizer->is_object() ? inner.StringOr("type", "?") : std::string("?");
  return json.Unsupported("normalizer",
                          fmt::format("{} is not supported with byte-level BPE; only NFC is",
                                      QuoteForMessage(type.ok() ? *type : "?")));
}

// What marks a token as no text although its file does not say so.
bool LooksSpecial(std::string_view text) {
  return (text.starts_with("<|") && text.ends_with("|>")) ||
         (text.starts_with("<｜") && text.ends_with("｜>")) || text.starts_with("<unused") ||
         text == "<pad>" || text == "<mask>";
}

}  // namespace

std::optional<int32_t> HfVocabulary::Find(std::string_view token) const {
  const auto at = std::find(tokens.begin(), tokens.end(), token);
  if (at == tokens.end()) return std::nullopt;
  return static_cast<int32_t>(at - tokens.begin());
}

Result<HfVocabulary> ReadTokenizerJson(const JsonObject& json, int size, std::string_view pre) {
  const Json* value = json.Find("model");
  if (value == nullptr || !value->is_object()) return json.Invalid("model", "is no object");
  const JsonObject model(*value, fmt::format("{}: model", json.where()));
  AIO_ASSIGN_OR_RETURN(const std::string type, model.StringOr("type", "BPE"));
  if (type != "BPE") {
    return model.Unsupported(
        "type", fmt::format("{} is not supported; only BPE is", QuoteForMessage(type)));
  }
  AIO_RETURN_IF_ERROR(RefuseUnusualBpe(model));
  AIO_ASSIGN_OR_RETURN(const bool has_bytes, model.BoolOr("byte_fallback", false));
  HfVocabulary vocabulary =
      MakeVocabulary(has_bytes ? Vocabulary::Model::kSpm : Vocabulary::Model::kBpe, size);
  const Json* tokens = model.Find("vocab");
  if (tokens == nullptr) return model.Invalid("vocab", "is missing");
  AIO_RETURN_IF_ERROR(PutTokens(*tokens, model, "vocab", vocabulary));
  AIO_ASSIGN_OR_RETURN(std::vector<std::string> merges, ReadMerges(model));
  if (has_bytes) {
    ScoreByMerges(merges, vocabulary);
    AIO_ASSIGN_OR_RETURN(const std::string unknown, model.StringOr("unk_token", ""));
    const std::optional<int32_t> id = vocabulary.Find(unknown);
    if (!unknown.empty() && id) vocabulary.kinds[*id] = TokenKind::kUnknown;
    const auto prepends = [&](const char* key) {
      return json.Has(key) && PrependsSpace(*json.Find(key));
    };
    vocabulary.add_space_prefix = prepends("normalizer") || prepends("pre_tokenizer");
    return vocabulary;
  }
  AIO_RETURN_IF_ERROR(CheckNormalizer(json));
  vocabulary.merges = std::move(merges);
  vocabulary.pre = pre;
  if (pre.empty()) {
    AIO_ASSIGN_OR_RETURN(const bool ignore_merges, model.BoolOr("ignore_merges", false));
    AIO_ASSIGN_OR_RETURN(vocabulary.pre, FindPretokenizerName(json, ignore_merges));
  }
  return vocabulary;
}

Result<HfVocabulary> ReadVocabAndMerges(const JsonObject& vocab, std::string_view merges, int size,
                                        std::string_view pre) {
  HfVocabulary vocabulary = MakeVocabulary(Vocabulary::Model::kBpe, size);
  vocabulary.pre = pre;
  AIO_RETURN_IF_ERROR(PutTokens(vocab.value(), vocab, "tokens", vocabulary));
  while (!merges.empty()) {
    const size_t end = std::min(merges.find('\n'), merges.size());
    std::string_view line = merges.substr(0, end);
    merges.remove_prefix(std::min(end + 1, merges.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with("#version")) continue;
    vocabulary.merges.emplace_back(line);
  }
  return vocabulary;
}

Result<HfVocabulary> ReadSentencePieces(const SentencePieceModel& model, int size,
                                        const std::string& where) {
  if (model.algorithm != SentencePieceModel::Algorithm::kBpe) {
    return Unimplemented(fmt::format(
        "{}: trainer_spec.model_type: {} is not supported; only BPE is", where,
        model.algorithm == SentencePieceModel::Algorithm::kUnigram ? "UNIGRAM" : "WORD or CHAR"));
  }
  HfVocabulary vocabulary = MakeVocabulary(Vocabulary::Model::kSpm, size);
  if (model.pieces.size() > vocabulary.tokens.size()) {
    return InvalidArgument(fmt::format("{}: has {} pieces, but config.json's vocab_size is {}",
                                       where, model.pieces.size(), size));
  }
  for (size_t id = 0; id < model.pieces.size(); ++id) {
    vocabulary.tokens[id] = model.pieces[id].text;
    vocabulary.scores[id] = model.pieces[id].score;
    vocabulary.kinds[id] = static_cast<TokenKind>(model.pieces[id].kind);  // the same numbers
  }
  vocabulary.add_space_prefix = model.add_dummy_prefix;
  return vocabulary;
}

Result<std::vector<HfAddedToken>> ReadAddedTokens(const JsonObject& tokenizer) {
  std::vector<HfAddedToken> tokens;
  const Json* list = tokenizer.Find("added_tokens");
  if (list == nullptr) return tokens;
  if (!list->is_array()) return tokenizer.Invalid("added_tokens", "is no list");
  for (const Json& entry : *list) {
    if (!entry.is_object()) return tokenizer.Invalid("added_tokens", "has what is no object");
    const JsonObject token(entry, tokenizer.where() + ": added_tokens");
    HfAddedToken& added = tokens.emplace_back();
    AIO_ASSIGN_OR_RETURN(added.id, token.Int("id", 0, INT32_MAX));
    AIO_ASSIGN_OR_RETURN(added.text, token.StringOr("content", ""));
    AIO_ASSIGN_OR_RETURN(added.special, token.BoolOr("special", false));
  }
  return tokens;
}

Result<std::vector<HfAddedToken>> ReadAddedTokensDecoder(const JsonObject& tokenizer_config) {
  constexpr char kKey[] = "added_tokens_decoder";
  std::vector<HfAddedToken> tokens;
  const Json* map = tokenizer_config.Find(kKey);
  if (map == nullptr) return tokens;
  if (!map->is_object()) return tokenizer_config.Invalid(kKey, "is no object");
  for (const auto& [id, entry] : map->items()) {
    HfAddedToken& added = tokens.emplace_back();
    const auto [rest, error] = std::from_chars(id.data(), id.data() + id.size(), added.id);
    if (error != std::errc() || rest != id.data() + id.size() || !entry.is_object()) {
      return tokenizer_config.Invalid(
          kKey, fmt::format("{} is no token id with an object", QuoteForMessage(id)));
    }
    const JsonObject token(entry, fmt::format("{}: {}", tokenizer_config.where(), kKey));
    AIO_ASSIGN_OR_RETURN(added.text, token.StringOr("content", ""));
    AIO_ASSIGN_OR_RETURN(added.special, token.BoolOr("special", false));
  }
  return tokens;
}

Result<std::vector<HfAddedToken>> ReadAddedTokensMap(const JsonObject& added_tokens) {
  std::vector<HfAddedToken> tokens;
  for (const auto& [text, id] : added_tokens.value().items()) {
    if (!id.is_number_integer()) {
      return added_tokens.Invalid("tokens", QuoteForMessage(text) + " has no id");
    }
    tokens.push_back({id.get<int64_t>(), text, false});
  }
  return tokens;
}

bool PutAddedToken(const HfAddedToken& added, HfVocabulary& vocabulary) {
  if (added.id < 0 || added.id >= static_cast<int64_t>(vocabulary.tokens.size())) return false;
  const auto id = static_cast<size_t>(added.id);
  TokenKind& kind = vocabulary.kinds[id];
  if (added.text.empty() || kind == TokenKind::kUnknown || kind == TokenKind::kByte) return true;
  const bool control = added.special || LooksSpecial(added.text) || kind == TokenKind::kControl;
  kind = control ? TokenKind::kControl : TokenKind::kUserDefined;
  const bool escaped = vocabulary.model == Vocabulary::Model::kSpm && !control;
  vocabulary.tokens[id] = escaped ? UnescapeSpaces(added.text) : added.text;
  vocabulary.scores[id] = kAddedScore;
  return true;
}

void FillGaps(HfVocabulary& vocabulary) {
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    if (vocabulary.kinds[id] != TokenKind::kUndefined) continue;
    vocabulary.tokens[id] = fmt::format("[PAD{}]", id);
    vocabulary.kinds[id] = TokenKind::kUnused;
  }
}

}  // namespace aio
