#include "engine/testing/tiny_model.h"

#include <cstdint>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/utf8.h"

namespace aio {

namespace {

constexpr int32_t kNormalToken = 1;
constexpr int32_t kControlToken = 3;
constexpr int32_t kUnusedToken = 5;

// GPT-2's printable stand-in for each byte.
std::string ByteSymbol(int byte) {
  const auto is_printable = [](int b) {
    return (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || (b >= 0xAE && b <= 0xFF);
  };
  int code_point = byte;
  if (!is_printable(byte)) {
    code_point = 256;
    for (int b = 0; b < byte; ++b) code_point += !is_printable(b);
  }
  std::string symbol;
  AppendUtf8(static_cast<char32_t>(code_point), symbol);
  return symbol;
}

void AddTokenizer(GgufWriter& writer, int padding) {
  const std::vector<std::pair<std::string, std::string>> merges = {
      {"h", "e"}, {"i", "n"}, {"e", "r"},   {"o", "n"},  {"Ġ", "t"},
      {"Ġ", "a"}, {"r", "e"}, {"Ġt", "he"}, {"in", "g"}, {"Ġa", "n"}};
  std::vector<std::string> tokens;
  tokens.reserve(kTinyVocabulary);
  for (int byte = 0; byte < 256; ++byte) tokens.push_back(ByteSymbol(byte));
  std::vector<std::string> merge_lines;
  for (const auto& [left, right] : merges) {
    tokens.push_back(left + right);
    merge_lines.push_back(fmt::format("{} {}", left, right));
  }
  std::vector<int32_t> types(tokens.size(), kNormalToken);
  while (tokens.size() < kTinyVocabulary - 3) {
    tokens.push_back(fmt::format("<|spare_{}|>", tokens.size()));
    types.push_back(kControlToken);
  }
  for (const char* special : {"<|endoftext|>", "<|im_start|>", "<|im_end|>"}) {
    tokens.push_back(special);
    types.push_back(kControlToken);
  }
  for (int i = 0; i < padding; ++i) {
    tokens.push_back(fmt::format("[PAD{}]", tokens.size()));
    types.push_back(kUnusedToken);
  }
  writer.SetString("tokenizer.ggml.model", "gpt2");
  writer.SetString("tokenizer.ggml.pre", "qwen2");
  writer.SetStringArray("tokenizer.ggml.tokens", tokens);
  writer.SetInt32Array("tokenizer.ggml.token_type", types);
  writer.SetStringArray("tokenizer.ggml.merges", merge_lines);
  writer.SetUint32("tokenizer.ggml.eos_token_id", kTinyVocabulary - 1);
  writer.SetBool("tokenizer.ggml.add_bos_token", false);
}

}  // namespace

EmbeddedModel MakeTinyModel(std::string name, std::string role, TestModelSpec spec, int padding) {
  spec.vocabulary_size = kTinyVocabulary + padding;
  spec.add_metadata = [padding](GgufWriter& writer) { AddTokenizer(writer, padding); };
  EmbeddedModel model;
  model.name = std::move(name);
  model.role = std::move(role);
  model.model = LoadRandomModel(spec);
  model.tokenizer = Tokenizer::Load(model.model->file()).value();
  model.chat_template = ChatTemplate::FromName("chatml").value();
  return model;
}

}  // namespace aio
