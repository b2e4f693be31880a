#include "engine/text_answers.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "engine/prompt_encoding.h"

namespace aio {
namespace {

// A text's own bytes, or the name of what has none ("<|im_end|>").
std::string PieceOf(const Tokenizer& tokenizer, int32_t token) {
  const std::string_view bytes = tokenizer.TokenBytes(token);
  return std::string(bytes.empty() ? tokenizer.TokenPiece(token) : bytes);
}

ChatOptions OptionsOf(const TokenizeQuery& query) {
  return {.add_generation_prompt = query.add_generation_prompt, .tools = query.tools};
}

Result<std::vector<TextPiece>> ToPieces(const EmbeddedModel& model, const TokenizeQuery& query) {
  if (const auto* text = std::get_if<std::string>(&query.prompt)) {
    return std::vector<TextPiece>{{*text, query.parse_special}};
  }
  if (const auto* messages = std::get_if<std::vector<ChatMessage>>(&query.prompt)) {
    return RenderChat(model, *messages, OptionsOf(query));
  }
  return InvalidArgument("these are token ids already").WithParam("prompt");
}

}  // namespace

Result<Tokenized> TokenizeFor(const EmbeddedModel& model, const TokenizeQuery& query) {
  AIO_ASSIGN_OR_RETURN(const std::vector<TextPiece> pieces, ToPieces(model, query));
  const Tokenizer& tokenizer = *model.tokenizer;
  const bool is_text = std::holds_alternative<std::string>(query.prompt);
  Tokenized tokenized;
  tokenized.model = model.name;
  tokenized.tokens = tokenizer.Encode(pieces, /*add_bos=*/!is_text || query.add_special);
  tokenized.pieces.reserve(tokenized.tokens.size());
  for (const int32_t token : tokenized.tokens) {
    tokenized.pieces.push_back(PieceOf(tokenizer, token));
  }
  return tokenized;
}

Result<std::string> DetokenizeFor(const EmbeddedModel& model, std::span<const int32_t> tokens) {
  const int vocabulary_size = model.tokenizer->vocabulary_size();
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i] >= 0 && tokens[i] < vocabulary_size) continue;
    return InvalidArgument(fmt::format("tokens[{}] is {}; the tokens of \"{}\" are 0 to {}", i,
                                       tokens[i], model.name, vocabulary_size - 1))
        .WithParam(fmt::format("tokens[{}]", i))
        .WithReason("invalid_value");
  }
  return model.tokenizer->Decode(tokens, /*with_special=*/true);
}

Result<std::string> RenderChatFor(const EmbeddedModel& model, const TokenizeQuery& query) {
  const auto* messages = std::get_if<std::vector<ChatMessage>>(&query.prompt);
  if (messages == nullptr) {
    return InvalidArgument("a chat template is applied to messages").WithParam("messages");
  }
  AIO_ASSIGN_OR_RETURN(const std::vector<TextPiece> pieces,
                       RenderChat(model, *messages, OptionsOf(query)));
  std::string text;
  for (const TextPiece& piece : pieces) text += piece.text;
  return text;
}

void DescribeText(const EmbeddedModel& model, ModelInfo& info) {
  const Tokenizer& tokenizer = *model.tokenizer;
  if (model.chat_template) info.chat_template = model.chat_template->family();
  if (tokenizer.bos()) info.bos_token = tokenizer.TokenPiece(*tokenizer.bos());
  if (tokenizer.eos()) info.eos_token = tokenizer.TokenPiece(*tokenizer.eos());
}

}  // namespace aio
