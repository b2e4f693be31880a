#include "convert/hf_tokenizer.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <utility>

#include "convert/hf_vocabulary.h"
#include "convert/json_file.h"
#include "formats/gguf.h"
#include "formats/quote.h"
#include "tokenizer/tokenizer.h"

namespace aio {
namespace {

using Json = nlohmann::json;

// The files that may say something, as far as they are there.
struct TokenizerFiles {
  std::string folder;
  std::optional<Json> tokenizer;         // tokenizer.json
  std::optional<Json> tokenizer_config;  // tokenizer_config.json
  std::optional<Json> special_tokens;    // special_tokens_map.json
  std::optional<Json> added_tokens;      // added_tokens.json
  std::optional<Json> template_json;     // chat_template.json

  std::string Path(const char* name) const { return folder + "/" + name; }
};

Result<TokenizerFiles> ReadFiles(const std::string& folder) {
  TokenizerFiles files;
  files.folder = folder;
  struct Wanted {
    const char* name;
    std::optional<Json> TokenizerFiles::*place;
  };
  constexpr Wanted kWanted[] = {
      {"tokenizer.json", &TokenizerFiles::tokenizer},
      {"tokenizer_config.json", &TokenizerFiles::tokenizer_config},
      {"special_tokens_map.json", &TokenizerFiles::special_tokens},
      {"added_tokens.json", &TokenizerFiles::added_tokens},
      {"chat_template.json", &TokenizerFiles::template_json},
  };
  for (const Wanted& wanted : kWanted) {
    AIO_ASSIGN_OR_RETURN(files.*wanted.place, ReadJsonFile(files.Path(wanted.name)));
  }
  return files;
}

// Whether tokenizer.json stands for a SentencePiece model, whose own file is the better source.
bool FallsBackOnBytes(const Json& tokenizer) {
  const auto model = tokenizer.find("model");
  if (model == tokenizer.end() || !model->is_object()) return false;
  const auto flag = model->find("byte_fallback");
  return flag != model->end() && *flag == true;
}

// The class that a folder without tokenizer.json names tells how it cuts text.
Result<std::string> GuessPre(const TokenizerFiles& files) {
  std::string name;
  if (files.tokenizer_config) {
    const JsonObject config(*files.tokenizer_config, files.Path("tokenizer_config.json"));
    AIO_ASSIGN_OR_RETURN(name, config.StringOr("tokenizer_class", ""));
  }
  if (name == "Qwen2Tokenizer" || name == "Qwen2TokenizerFast") return std::string("qwen2");
  if (name == "GPT2Tokenizer" || name == "GPT2TokenizerFast") return std::string("gpt-2");
  return Unimplemented(fmt::format(
      "{}: tokenizer_class: {} does not say how text is cut into words, and there is no "
      "tokenizer.json; name it with --pre",
      files.Path("tokenizer_config.json"), QuoteForMessage(name)));
}

Result<HfVocabulary> ReadOldFiles(const TokenizerFiles& files, int size, std::string_view pre) {
  const std::string path = files.Path("vocab.json");
  AIO_ASSIGN_OR_RETURN(const std::optional<Json> vocab, ReadJsonFile(path));
  if (!vocab) {
    return NotFound(fmt::format(
        "{}: has no tokenizer: neither tokenizer.json nor tokenizer.model nor vocab.json with "
        "merges.txt; fetch them from where the model comes from",
        files.folder));
  }
  AIO_ASSIGN_OR_RETURN(const std::string merges, ReadTextFile(files.Path("merges.txt")));
  std::string name(pre);
  if (name.empty()) {
    AIO_ASSIGN_OR_RETURN(name, GuessPre(files));
  }
  return ReadVocabAndMerges(JsonObject(*vocab, path), merges, size, name);
}

Result<HfVocabulary> ReadVocabulary(const TokenizerFiles& files, int size, std::string_view pre) {
  const std::string json_path = files.Path("tokenizer.json");
  if (files.tokenizer && !FallsBackOnBytes(*files.tokenizer)) {
    return ReadTokenizerJson(JsonObject(*files.tokenizer, json_path), size, pre);
  }
  const std::string model_path = files.Path("tokenizer.model");
  const Result<SentencePieceModel> model = ReadSentencePieceModel(model_path);
  if (model.ok()) return ReadSentencePieces(*model, size, model_path);
  if (model.status().code() != StatusCode::kNotFound) return model.status();
  if (files.tokenizer) {
    return ReadTokenizerJson(JsonObject(*files.tokenizer, json_path), size, pre);
  }
  return ReadOldFiles(files, size, pre);
}

Status PutAddedTokens(const TokenizerFiles& files, HfVocabulary& vocabulary,
                      std::vector<std::string>& notes) {
  using Reader = Result<std::vector<HfAddedToken>> (*)(const JsonObject&);
  struct Source {
    const std::optional<Json>& json;
    const char* name;
    Reader read;
  };
  // The later ones know more: which of the tokens are special.
  const Source sources[] = {
      {files.added_tokens, "added_tokens.json", ReadAddedTokensMap},
      {files.tokenizer_config, "tokenizer_config.json", ReadAddedTokensDecoder},
      {files.tokenizer, "tokenizer.json", ReadAddedTokens},
  };
  for (const Source& source : sources) {
    if (!source.json) continue;
    AIO_ASSIGN_OR_RETURN(const std::vector<HfAddedToken> tokens,
                         source.read(JsonObject(*source.json, files.Path(source.name))));
    for (const HfAddedToken& token : tokens) {
      if (PutAddedToken(token, vocabulary)) continue;
      notes.push_back(
          fmt::format("{}: token {} has id {}, for which the model has no row; left out",
                      source.name, QuoteForMessage(token.text), token.id));
    }
  }
  return Status::Ok();
}

// A special token's text: "<s>" or {"content": "<s>"}; empty if none is named.
std::string SpecialText(const std::optional<Json>& json, const std::string& key) {
  if (!json) return "";
  const auto value = json->find(key);
  if (value == json->end()) return "";
  if (value->is_string()) return value->get<std::string>();
  if (!value->is_object()) return "";
  const auto content = value->find("content");
  return content != value->end() && content->is_string() ? content->get<std::string>() : "";
}

struct SpecialIds {
  std::optional<int32_t> bos, eos, unknown, padding;
};

SpecialIds FindSpecialIds(const TokenizerFiles& files, const HfConfig& config,
                          const HfVocabulary& vocabulary) {
  const auto find = [&](const char* key, std::optional<int> otherwise) -> std::optional<int32_t> {
    for (const std::optional<Json>* json : {&files.tokenizer_config, &files.special_tokens}) {
      const std::string text = SpecialText(*json, key);
      if (text.empty()) continue;
      if (const std::optional<int32_t> id = vocabulary.Find(text)) return id;
    }
    const bool exists = otherwise && *otherwise < static_cast<int>(vocabulary.tokens.size());
    return exists ? otherwise : std::nullopt;
  };
  return {find("bos_token", config.bos_id), find("eos_token", config.eos_id),
          find("unk_token", std::nullopt), find("pad_token", config.padding_id)};
}

// The first of what a TemplateProcessing post-processor puts around one text.
const Json* FirstOfTemplate(const Json& processor, bool may_be_sequence) {
  if (!processor.is_object()) return nullptr;
  const auto single = processor.find("single");
  if (single != processor.end() && single->is_array() && !single->empty()) {
    return &single->front();
  }
  const auto steps = processor.find("processors");
  if (!may_be_sequence || steps == processor.end() || !steps->is_array()) return nullptr;
  for (const Json& step : *steps) {
    if (const Json* first = FirstOfTemplate(step, false)) return first;
  }
  return nullptr;
}

// Whether prompts begin with the beginning-of-sequence token: as tokenizer_config.json says;
// else as tokenizer.json's post-processor does; else SentencePiece models do.
Result<bool> AddsBos(const TokenizerFiles& files, const SpecialIds& ids,
                     const HfVocabulary& vocabulary) {
  if (!ids.bos) return false;
  if (files.tokenizer_config) {
    const JsonObject config(*files.tokenizer_config, files.Path("tokenizer_config.json"));
    if (config.Has("add_bos_token")) return config.BoolOr("add_bos_token", false);
  }
  if (files.tokenizer && files.tokenizer->contains("post_processor")) {
    const Json* first = FirstOfTemplate((*files.tokenizer)["post_processor"], true);
    if (first == nullptr || !first->is_object()) return false;
    const auto special = first->find("SpecialToken");
    if (special == first->end() || !special->is_object()) return false;
    return special->contains("id") && (*special)["id"] == vocabulary.tokens[*ids.bos];
  }
  return vocabulary.model == Vocabulary::Model::kSpm;
}

// The Jinja text of a "chat_template" value: a text, or a list of named ones.
std::string TemplateText(const std::optional<Json>& json) {
  if (!json) return "";
  const auto value = json->find("chat_template");
  if (value == json->end()) return "";
  if (value->is_string()) return value->get<std::string>();
  if (!value->is_array()) return "";
  for (const Json& named : *value) {
    if (!named.is_object() || named.value("name", Json()) != "default") continue;
    const auto text = named.find("template");
    if (text != named.end() && text->is_string()) return text->get<std::string>();
  }
  return "";
}

Result<std::string> ReadChatTemplate(const TokenizerFiles& files) {
  Result<std::string> jinja = ReadTextFile(files.Path("chat_template.jinja"));
  if (jinja.ok() || jinja.status().code() != StatusCode::kNotFound) return jinja;
  std::string text = TemplateText(files.tokenizer_config);
  return text.empty() ? TemplateText(files.template_json) : text;
}

void WriteVocabulary(const HfVocabulary& vocabulary, GgufWriter& header) {
  const bool bpe = vocabulary.model == Vocabulary::Model::kBpe;
  header.SetString("tokenizer.ggml.model", bpe ? "gpt2" : "llama");
  header.SetString("tokenizer.ggml.pre", bpe ? vocabulary.pre : "default");
  header.SetStringArray("tokenizer.ggml.tokens", vocabulary.tokens);
  if (!bpe) header.SetFloat32Array("tokenizer.ggml.scores", vocabulary.scores);
  std::vector<int32_t> kinds;
  for (const TokenKind kind : vocabulary.kinds) kinds.push_back(static_cast<int32_t>(kind));
  header.SetInt32Array("tokenizer.ggml.token_type", kinds);
  if (bpe) header.SetStringArray("tokenizer.ggml.merges", vocabulary.merges);
  if (!bpe) header.SetBool("tokenizer.ggml.add_space_prefix", vocabulary.add_space_prefix);
}

void WriteSpecialIds(const SpecialIds& ids, bool adds_bos, GgufWriter& header) {
  const auto set = [&](const char* role, std::optional<int32_t> id) {
    if (id) header.SetUint32(fmt::format("tokenizer.ggml.{}_token_id", role), *id);
  };
  set("bos", ids.bos);
  set("eos", ids.eos);
  set("unknown", ids.unknown);
  set("padding", ids.padding);
  header.SetBool("tokenizer.ggml.add_bos_token", adds_bos);
}

}  // namespace

Status AddHfTokenizer(const std::string& folder, const HfConfig& config, std::string_view pre,
                      GgufWriter& header, std::vector<std::string>& notes) {
  AIO_ASSIGN_OR_RETURN(const TokenizerFiles files, ReadFiles(folder));
  AIO_ASSIGN_OR_RETURN(HfVocabulary vocabulary, ReadVocabulary(files, config.vocabulary_size, pre));
  AIO_RETURN_IF_ERROR(PutAddedTokens(files, vocabulary, notes));
  FillGaps(vocabulary);
  const SpecialIds ids = FindSpecialIds(files, config, vocabulary);
  AIO_ASSIGN_OR_RETURN(const bool adds_bos, AddsBos(files, ids, vocabulary));
  AIO_ASSIGN_OR_RETURN(const std::string chat_template, ReadChatTemplate(files));
  WriteVocabulary(vocabulary, header);
  WriteSpecialIds(ids, adds_bos, header);
  if (!chat_template.empty()) header.SetString("tokenizer.chat_template", chat_template);
  const std::vector<std::byte> encoded = header.Encode();
  AIO_ASSIGN_OR_RETURN(const std::shared_ptr<const GgufFile> file,
                       GgufFile::Parse(encoded, folder + " as GGUF"));
  return Tokenizer::Load(*file).status();
}

}  // namespace aio
