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
constexpr std::string_view kRefusedBlocks[] = {"image",       "document",       "search_result",
                                               "tool_use",    "thinking",       "redacted_thinking",
                                               "tool_result", "server_tool_use"};
constexpr ContentForm kForm = {kTextBlocks, kRefusedBlocks};

Status DecodeMessage(const ObjectReader& reader, ChatMessage& out) {
  AIO_RETURN_IF_ERROR(reader.ReadRequired("role", "'user' or 'assistant'", out.role));
  if (out.role == "system") {
    return BadValue(reader.Path("role"), "give the system prompt as the top-level 'system'.");
  }
  if (out.role != "user" && out.role != "assistant") {
    return BadValue(reader.Path("role"), "supported are 'user' and 'assistant'.");
  }
  return DecodeContent(reader, "content", kForm, out.content);
}

// Neighbours of one role are one turn.
void Add(ChatMessage message, std::vector<ChatMessage>& messages) {
  if (messages.empty() || messages.back().role != message.role) {
    messages.push_back(std::move(message));
    return;
  }
  messages.back().content += '\n';
  messages.back().content += message.content;
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
    ChatMessage message;
    AIO_RETURN_IF_ERROR(DecodeMessage(ObjectReader(element, path), message));
    Add(std::move(message), messages);
  }
  if (messages.back().role == "user") return Status::Ok();
  return BadValue(fmt::format("messages[{}].role", json->size() - 1),
                  "the last message is the assistant's, and continuing it (prefill) is not "
                  "supported; end with a 'user' message.");
}

Result<ApiRequest> DecodeQuestion(const ObjectReader& body) {
  ApiRequest out;
  out.kind = ApiKind::kMessage;
  AIO_RETURN_IF_ERROR(DecodeModel(body, out.request.model));
  AIO_RETURN_IF_ERROR(RefuseUnsupported(body, out.kind));
  AIO_RETURN_IF_ERROR(
      DecodeConversation(body, out.request.prompt.emplace<std::vector<ChatMessage>>()));
  return out;
}

}  // namespace

Result<ApiRequest> DecodeMessagesRequest(std::string_view text) {
  nlohmann::json json;
  AIO_RETURN_IF_ERROR(ParseJsonObject(text, json));
  const ObjectReader body(json);
  AIO_ASSIGN_OR_RETURN(ApiRequest out, DecodeQuestion(body));
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
  return DecodeQuestion(ObjectReader(json));
}

}  // namespace aio
