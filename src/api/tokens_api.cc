#include "api/tokens_api.h"

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "api/faults.h"
#include "api/json_body.h"
#include "api/json_text.h"
#include "api/object_reader.h"
#include "api/request_parts.h"
#include "base/utf8.h"

namespace aio {
namespace {

Status ReadText(const ObjectReader& body, std::string_view name, Prompt& prompt) {
  const nlohmann::json* json = body.Find(name);
  if (!json->is_string()) return WrongType(std::string(name), "a string", *json);
  prompt = json->get<std::string>();
  return Status::Ok();
}

// Which of the three forms it is; exactly one.
Status DecodeText(const ObjectReader& body, TokenizeQuery& query) {
  std::string_view given;
  for (const std::string_view name : {"content", "prompt", "messages"}) {
    if (body.Find(name) == nullptr) continue;
    if (!given.empty()) {
      return BadValue(std::string(name),
                      fmt::format("give either '{}' or '{}', not both.", given, name));
    }
    given = name;
  }
  if (given.empty()) {
    return MissingField("content", "the text, or vLLM's 'prompt' or 'messages' instead");
  }
  if (given == "messages") {
    return DecodeMessages(body, query.prompt.emplace<std::vector<ChatMessage>>());
  }
  query.parse_special = true;  // the other servers' default; nothing is generated here
  query.add_special = given == "prompt";
  return ReadText(body, given, query.prompt);
}

OrderedJson Piece(const std::string& bytes) {
  if (IsValidUtf8(bytes)) return bytes;
  OrderedJson array = OrderedJson::array();
  for (const char byte : bytes) array.push_back(static_cast<unsigned char>(byte));
  return array;
}

OrderedJson TokenArray(const Tokenized& tokenized, bool with_pieces) {
  OrderedJson array = OrderedJson::array();
  for (size_t i = 0; i < tokenized.tokens.size(); ++i) {
    if (!with_pieces) {
      array.push_back(tokenized.tokens[i]);
      continue;
    }
    OrderedJson token;
    token["id"] = tokenized.tokens[i];
    token["piece"] = Piece(tokenized.pieces[i]);
    array.push_back(std::move(token));
  }
  return array;
}

}  // namespace

Result<TokenizeRequest> DecodeTokenizeRequest(std::string_view text) {
  nlohmann::json json;
  AIO_RETURN_IF_ERROR(ParseJsonObject(text, json));
  const ObjectReader body(json);
  TokenizeRequest out;
  TokenizeQuery& query = out.query;
  AIO_RETURN_IF_ERROR(DecodeModel(body, query.model));
  AIO_RETURN_IF_ERROR(DecodeText(body, query));
  AIO_RETURN_IF_ERROR(body.Read("add_special", query.add_special));
  AIO_RETURN_IF_ERROR(body.Read("add_special_tokens", query.add_special));
  AIO_RETURN_IF_ERROR(body.Read("parse_special", query.parse_special));
  AIO_RETURN_IF_ERROR(body.Read("add_generation_prompt", query.add_generation_prompt));
  AIO_RETURN_IF_ERROR(body.Read("with_pieces", out.with_pieces));
  AIO_RETURN_IF_ERROR(body.Read("return_token_strs", out.return_token_strs));
  return out;
}

std::string EncodeTokenized(const TokenizeRequest& request, const Tokenized& tokenized) {
  OrderedJson json;
  json["tokens"] = TokenArray(tokenized, request.with_pieces);
  json["count"] = tokenized.tokens.size();
  const int context = tokenized.context_length;
  json["max_model_len"] = context == 0 ? OrderedJson(nullptr) : OrderedJson(context);
  if (request.return_token_strs) {
    OrderedJson& texts = json["token_strs"] = OrderedJson::array();
    for (const std::string& piece : tokenized.pieces) texts.push_back(ReplaceInvalidUtf8(piece));
  }
  json["model"] = tokenized.model;
  return ToText(json);
}

Result<DetokenizeRequest> DecodeDetokenizeRequest(std::string_view text) {
  constexpr std::string_view kExpected = "an array of token ids";
  nlohmann::json json;
  AIO_RETURN_IF_ERROR(ParseJsonObject(text, json));
  const ObjectReader body(json);
  DetokenizeRequest out;
  AIO_RETURN_IF_ERROR(DecodeModel(body, out.model));
  const nlohmann::json* tokens = body.Find("tokens");
  if (tokens == nullptr) return MissingField("tokens", kExpected);
  if (!tokens->is_array()) return WrongType("tokens", kExpected, *tokens);
  out.tokens.reserve(tokens->size());
  for (size_t i = 0; i < tokens->size(); ++i) {
    AIO_RETURN_IF_ERROR(ReadInt((*tokens)[i], fmt::format("tokens[{}]", i),
                                {.min = 0, .max = std::numeric_limits<int32_t>::max()},
                                out.tokens.emplace_back()));
  }
  return out;
}

std::string EncodeDetokenized(std::string_view bytes) {
  const std::string text = ReplaceInvalidUtf8(bytes);
  OrderedJson json;
  json["content"] = text;
  json["prompt"] = text;
  return ToText(json);
}

Result<TokenizeQuery> DecodeApplyTemplateRequest(std::string_view text) {
  nlohmann::json json;
  AIO_RETURN_IF_ERROR(ParseJsonObject(text, json));
  const ObjectReader body(json);
  TokenizeQuery query;
  AIO_RETURN_IF_ERROR(DecodeModel(body, query.model));
  AIO_RETURN_IF_ERROR(DecodeMessages(body, query.prompt.emplace<std::vector<ChatMessage>>()));
  AIO_RETURN_IF_ERROR(RefuseUnsupported(body, ApiKind::kChat));
  AIO_RETURN_IF_ERROR(DecodeTools(body, text, ApiKind::kChat, query.tools));
  AIO_RETURN_IF_ERROR(body.Read("add_generation_prompt", query.add_generation_prompt));
  return query;
}

std::string EncodeAppliedTemplate(std::string_view text) {
  OrderedJson json;
  json["prompt"] = text;
  return ToText(json);
}

}  // namespace aio
