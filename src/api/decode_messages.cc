#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "api/faults.h"
#include "api/json_body.h"
#include "api/messages_api.h"
#include "api/object_reader.h"
#include "api/request_parts.h"

namespace aio {
namespace {

constexpr std::string_view kTextBlocks[] = {"text"};
constexpr std::string_view kRefusedBlocks[] = {"image",          "document", "search_result",
                                               "tool_use",       "thinking", "redacted_thinking",
                                               "server_tool_use"};
constexpr ContentForm kForm = {kTextBlocks, kRefusedBlocks};

// The turn to write on: neighbours of one role are one.
ChatMessage& Turn(const std::string& role, std::vector<ChatMessage>& messages) {
  if (messages.empty() || messages.back().role != role) {
    messages.push_back({.role = role, .content = ""});
  }
  return messages.back();
}

Status DecodeToolUse(const ObjectReader& block, ChatMessage& turn) {
  ToolCall& call = turn.tool_calls.emplace_back();
  AIO_RETURN_IF_ERROR(block.ReadRequired("id", "the id of the call", call.id));
  AIO_RETURN_IF_ERROR(block.ReadRequired("name", "the name of a tool", call.name));
  const nlohmann::json* input = block.Find("input");
  if (input != nullptr && !input->is_object()) {
    return WrongType(block.Path("input"), "an object", *input);
  }
  call.arguments = input == nullptr ? "{}" : input->dump();
  return Status::Ok();
}

Status DecodeToolResult(const ObjectReader& block, ChatMessage& result) {
  AIO_RETURN_IF_ERROR(block.ReadRequired("tool_use_id", "the id of the call", result.tool_call_id));
  const nlohmann::json* content = block.Find("content");
  if (content == nullptr || (content->is_array() && content->empty())) return Status::Ok();
  return DecodeContent(block, "content", kForm, result.content);
}

std::string TypeOf(const nlohmann::json& block) {
  const auto type = block.is_object() ? block.find("type") : block.end();
  return type != block.end() && type->is_string() ? type->get<std::string>() : "";
}

Status DecodeBlock(const nlohmann::json& json, const std::string& path, const std::string& role,
                   std::vector<ChatMessage>& messages) {
  const std::string type = TypeOf(json);
  if (type == "tool_use" && role == "assistant") {
    return DecodeToolUse(ObjectReader(json, path), Turn(role, messages));
  }
  if (type == "tool_result" && role == "user") {
    return DecodeToolResult(ObjectReader(json, path),
                            messages.emplace_back(ChatMessage{.role = "tool", .content = ""}));
  }
  std::string& content = Turn(role, messages).content;
  if (!content.empty()) content += '\n';
  return DecodePart(json, path, kForm, content);
}

// A message is a turn, or a part of one; what tools gave are turns of their own.
Status DecodeMessage(const ObjectReader& reader, std::vector<ChatMessage>& messages) {
  std::string role;
  AIO_RETURN_IF_ERROR(reader.ReadRequired("role", "'user' or 'assistant'", role));
  if (role == "system") {
    return BadValue(reader.Path("role"), "give the system prompt as the top-level 'system'.");
  }
  if (role != "user" && role != "assistant") {
    return BadValue(reader.Path("role"), "supported are 'user' and 'assistant'.");
  }
  const nlohmann::json* content = reader.Find("content");
  if (content != nullptr && content->is_array() && !content->empty()) {
    for (size_t i = 0; i < content->size(); ++i) {
      AIO_RETURN_IF_ERROR(DecodeBlock(
          (*content)[i], fmt::format("{}[{}]", reader.Path("content"), i), role, messages));
    }
    return Status::Ok();
  }
  std::string text;
  AIO_RETURN_IF_ERROR(DecodeContent(reader, "content", kForm, text));
  std::string& turn = Turn(role, messages).content;
  if (!turn.empty()) turn += '\n';
  turn += text;
  return Status::Ok();
}

Status DecodeConversation(const ObjectReader& body, std::vector<ChatMessage>& messages) {
  constexpr std::string_view kExpected = "a non-empty array of messages";
  if (body.Find("system") != nullptr) {
    messages.push_back({.role = "system", .content = ""});
    AIO_RETURN_IF_ERROR(DecodeContent(body, "system", kForm, messages.back().content));
  }
  const nlohmann::json* json = body.Find("messages");
  if (json == nullptr) return MissingField("messages", kExpected);
  if (!json->is_array()) return WrongType("messages", kExpected, *json);
  if (json->empty()) return BadValue("messages", "the array is empty; give at least one message.");
  messages.reserve(messages.size() + json->size());
  for (size_t i = 0; i < json->size(); ++i) {
    const std::string path = fmt::format("messages[{}]", i);
    const nlohmann::json& element = (*json)[i];
    if (!element.is_object()) return WrongType(path, "an object", element);
    AIO_RETURN_IF_ERROR(DecodeMessage(ObjectReader(element, path), messages));
  }
  if (messages.back().role != "assistant") return Status::Ok();
  return BadValue(fmt::format("messages[{}].role", json->size() - 1),
                  "the last message is the assistant's, and continuing it (prefill) is not "
                  "supported; end with a 'user' message.");
}

Result<ApiRequest> DecodeQuestion(const ObjectReader& body, std::string_view text) {
  ApiRequest out;
  out.kind = ApiKind::kMessage;
  AIO_RETURN_IF_ERROR(DecodeModel(body, out.request.model));
  AIO_RETURN_IF_ERROR(RefuseUnsupported(body, out.kind));
  AIO_RETURN_IF_ERROR(
      DecodeConversation(body, out.request.prompt.emplace<std::vector<ChatMessage>>()));
  AIO_RETURN_IF_ERROR(DecodeTools(body, text, out.kind, out.request.tools));
  return out;
}

}  // namespace

Result<ApiRequest> DecodeMessagesRequest(std::string_view text) {
  nlohmann::json json;
  AIO_RETURN_IF_ERROR(ParseJsonObject(text, json));
  const ObjectReader body(json);
  AIO_ASSIGN_OR_RETURN(ApiRequest out, DecodeQuestion(body, text));
  AIO_RETURN_IF_ERROR(body.Read("stream", out.stream));
  AIO_RETURN_IF_ERROR(DecodeFormat(body, text, out.kind, out.request.format));
  AIO_RETURN_IF_ERROR(DecodeSampling(body, out));
  AIO_RETURN_IF_ERROR(DecodeOverrides(body, out.request));
  AIO_RETURN_IF_ERROR(DecodePriority(body, out.request.priority));
  AIO_RETURN_IF_ERROR(DecodeStrategy(body, out.request.strategy));
  return out;
}

Result<ApiRequest> DecodeCountTokensRequest(std::string_view text) {
  nlohmann::json json;
  AIO_RETURN_IF_ERROR(ParseJsonObject(text, json));
  return DecodeQuestion(ObjectReader(json), text);
}

}  // namespace aio
