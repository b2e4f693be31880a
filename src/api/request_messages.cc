#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "api/faults.h"
#include "api/request_parts.h"

namespace aio {
namespace {

constexpr std::string_view kChatText[] = {"text"};
constexpr std::string_view kChatRefused[] = {"image_url", "input_audio", "file", "video_url",
                                             "refusal"};
constexpr ContentForm kChatForm = {kChatText, kChatRefused};

bool Contains(std::span<const std::string_view> types, std::string_view type) {
  return std::find(types.begin(), types.end(), type) != types.end();
}

constexpr std::string_view kRoles = "'system', 'developer', 'user', 'assistant' and 'tool'";

Status DecodeRole(const ObjectReader& message, std::string& role) {
  AIO_RETURN_IF_ERROR(message.ReadRequired("role", fmt::format("one of {}", kRoles), role));
  if (role == "developer") role = "system";  // the newer name of the same thing
  if (role == "system" || role == "user" || role == "assistant" || role == "tool") {
    return Status::Ok();
  }
  const std::string path = message.Path("role");
  return BadValue(path, fmt::format("supported are {}.", kRoles));
}

// What an assistant's earlier turn may carry beside its content and calls.
Status RefuseOthers(const ObjectReader& message) {
  for (const char* name : {"function_call", "audio"}) {
    const nlohmann::json* value = message.Find(name);
    if (value == nullptr || (value->is_array() && value->empty())) continue;
    return Unsupported(message.Path(name), "Leave it out and send the turn's text as 'content'.");
  }
  return Status::Ok();
}

}  // namespace

Status DecodePart(const nlohmann::json& json, const std::string& path, const ContentForm& form,
                  std::string& content) {
  const std::string_view text_type = form.text_types.front();
  if (!json.is_object()) {
    return WrongType(
        path, fmt::format("an object such as {{\"type\": \"{}\", \"text\": \"...\"}}", text_type),
        json);
  }
  const ObjectReader part(json, path);
  std::string type;
  AIO_RETURN_IF_ERROR(part.ReadRequired("type", fmt::format("\"{}\"", text_type), type));
  if (!Contains(form.text_types, type)) {
    return BadValue(part.Path("type"),
                    Contains(form.refused_types, type)
                        ? fmt::format("'{}' parts are not supported; send text only.", type)
                        : fmt::format("supported is '{}' only.", text_type));
  }
  const nlohmann::json* text = part.Find("text");
  if (text == nullptr) return MissingField(part.Path("text"), "the part's text");
  if (!text->is_string()) return WrongType(part.Path("text"), "a string", *text);
  content += text->get_ref<const std::string&>();
  return Status::Ok();
}

Status DecodeContent(const ObjectReader& object, std::string_view name, const ContentForm& form,
                     std::string& content) {
  const std::string path = object.Path(name);
  constexpr std::string_view kExpected = "a string or an array of text parts";
  const auto member = object.object().find(name);
  if (member == object.object().end()) return MissingField(path, kExpected);
  if (member->is_string()) {
    content = member->get<std::string>();
    return Status::Ok();
  }
  if (!member->is_array()) return WrongType(path, kExpected, *member);
  if (member->empty()) return BadValue(path, "the array is empty; give at least one text part.");
  for (size_t i = 0; i < member->size(); ++i) {
    if (i > 0) content += '\n';  // parts are paragraphs: run together, words would merge
    AIO_RETURN_IF_ERROR(DecodePart((*member)[i], fmt::format("{}[{}]", path, i), form, content));
  }
  return Status::Ok();
}

Status DecodeMessages(const ObjectReader& body, std::vector<ChatMessage>& messages) {
  constexpr std::string_view kExpected = "a non-empty array of messages";
  const nlohmann::json* json = body.Find("messages");
  if (json == nullptr) return MissingField("messages", kExpected);
  if (!json->is_array()) return WrongType("messages", kExpected, *json);
  if (json->empty()) return BadValue("messages", "the array is empty; give at least one message.");
  messages.reserve(json->size());
  for (size_t i = 0; i < json->size(); ++i) {
    const std::string path = fmt::format("messages[{}]", i);
    const nlohmann::json& element = (*json)[i];
    if (!element.is_object()) return WrongType(path, "an object", element);
    const ObjectReader message(element, path);
    ChatMessage& out = messages.emplace_back();
    AIO_RETURN_IF_ERROR(DecodeRole(message, out.role));
    AIO_RETURN_IF_ERROR(RefuseOthers(message));
    if (out.role == "assistant") {
      AIO_RETURN_IF_ERROR(DecodeToolCalls(message, out.tool_calls));
    } else if (out.role == "tool") {
      AIO_RETURN_IF_ERROR(DecodeToolCallId(message, out.tool_call_id));
    }
    // A turn that calls tools may say nothing beside.
    if (!out.tool_calls.empty() && message.Find("content") == nullptr) continue;
    AIO_RETURN_IF_ERROR(DecodeContent(message, "content", kChatForm, out.content));
  }
  return Status::Ok();
}

}  // namespace aio
