#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/faults.h"
#include "api/json_body.h"
#include "api/json_member_text.h"
#include "api/object_reader.h"
#include "api/request_parts.h"
#include "api/responses_api.h"

namespace aio {
namespace {

constexpr std::string_view kTextParts[] = {"input_text", "output_text", "text"};
constexpr std::string_view kRefusedParts[] = {"input_image", "input_file", "input_audio",
                                              "computer_screenshot", "refusal"};
constexpr ContentForm kForm = {kTextParts, kRefusedParts};
constexpr std::string_view kRoles = "'user', 'assistant', 'system' and 'developer'";

size_t CountCharacters(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

// A call belongs to the turn that it follows.
Status DecodeCall(const ObjectReader& item, std::vector<ChatMessage>& messages) {
  if (messages.empty() || messages.back().role != "assistant") {
    messages.push_back({.role = "assistant", .content = ""});
  }
  ToolCall& call = messages.back().tool_calls.emplace_back();
  AIO_RETURN_IF_ERROR(item.ReadRequired("call_id", "the id of the call", call.id));
  AIO_RETURN_IF_ERROR(item.ReadRequired("name", "the name of a function", call.name));
  return item.ReadRequired("arguments", "a JSON object, as a string", call.arguments);
}

Status DecodeCallOutput(const ObjectReader& item, ChatMessage& out) {
  out.role = "tool";
  AIO_RETURN_IF_ERROR(item.ReadRequired("call_id", "the id of the call", out.tool_call_id));
  return DecodeContent(item, "output", kForm, out.content);
}

Status DecodeItem(const ObjectReader& item, std::vector<ChatMessage>& messages) {
  std::string type = "message";
  if (item.Find("type") != nullptr) {
    AIO_RETURN_IF_ERROR(item.ReadRequired("type", "\"message\"", type));
  }
  if (type == "item_reference") {
    return BadValue(item.Path("type"), "items are not kept here; send the message itself.");
  }
  if (type == "function_call") return DecodeCall(item, messages);
  if (type == "function_call_output") return DecodeCallOutput(item, messages.emplace_back());
  if (type != "message") {
    return BadValue(item.Path("type"),
                    "supported are 'message', 'function_call' and 'function_call_output'; leave "
                    "other items out.");
  }
  ChatMessage& out = messages.emplace_back();
  AIO_RETURN_IF_ERROR(item.ReadRequired("role", fmt::format("one of {}", kRoles), out.role));
  if (out.role == "developer") out.role = "system";
  if (out.role != "user" && out.role != "assistant" && out.role != "system") {
    return BadValue(item.Path("role"), fmt::format("supported are {}.", kRoles));
  }
  return DecodeContent(item, "content", kForm, out.content);
}

Status DecodeInput(const ObjectReader& body, std::vector<ChatMessage>& messages) {
  constexpr std::string_view kExpected = "a string or a non-empty array of messages";
  const nlohmann::json* json = body.Find("input");
  if (json == nullptr) return MissingField("input", kExpected);
  if (json->is_string()) {
    messages.push_back({.role = "user", .content = json->get<std::string>()});
    return Status::Ok();
  }
  if (!json->is_array()) return WrongType("input", kExpected, *json);
  if (json->empty()) return BadValue("input", "the array is empty; give at least one message.");
  messages.reserve(messages.size() + json->size());
  for (size_t i = 0; i < json->size(); ++i) {
    const std::string path = fmt::format("input[{}]", i);
    const nlohmann::json& element = (*json)[i];
    if (!element.is_object()) return WrongType(path, "an object", element);
    AIO_RETURN_IF_ERROR(DecodeItem(ObjectReader(element, path), messages));
  }
  return Status::Ok();
}

Status DecodeInstructions(const ObjectReader& body, std::optional<std::string>& instructions) {
  const nlohmann::json* json = body.Find("instructions");
  if (json == nullptr) return Status::Ok();
  if (!json->is_string()) return WrongType("instructions", "a string", *json);
  instructions = json->get<std::string>();
  return Status::Ok();
}

Status DecodeMetadata(const ObjectReader& body, ResponsesEcho& echo) {
  const nlohmann::json* json = body.Find("metadata");
  if (json == nullptr) return Status::Ok();
  if (!json->is_object()) return WrongType("metadata", "an object of strings", *json);
  if (json->size() > kMetadataPairsMax) {
    return BadValue("metadata", fmt::format("{} pairs were given; give at most {}.", json->size(),
                                            kMetadataPairsMax));
  }
  for (const auto& [key, value] : json->items()) {
    if (CountCharacters(key) > kMetadataKeyMax) {
      return BadValue("metadata",
                      fmt::format("a key has more than {} characters.", kMetadataKeyMax));
    }
    const std::string path = fmt::format("metadata.{}", key);
    if (!value.is_string()) return WrongType(path, "a string", value);
    const auto& text = value.get_ref<const std::string&>();
    if (CountCharacters(text) > kMetadataValueMax) {
      return BadValue(path, fmt::format("it has more than {} characters.", kMetadataValueMax));
    }
    echo.metadata.emplace_back(key, text);
  }
  return Status::Ok();
}

}  // namespace

Result<ResponsesRequest> DecodeResponsesRequest(std::string_view text) {
  nlohmann::json json;
  AIO_RETURN_IF_ERROR(ParseJsonObject(text, json));
  const ObjectReader body(json);
  ResponsesRequest out;
  ApiRequest& api = out.api;
  ResponsesEcho& echo = out.echo;
  api.kind = ApiKind::kResponse;
  AIO_RETURN_IF_ERROR(DecodeModel(body, api.request.model));
  AIO_RETURN_IF_ERROR(RefuseUnsupported(body, api.kind));
  auto& messages = api.request.prompt.emplace<std::vector<ChatMessage>>();
  AIO_RETURN_IF_ERROR(DecodeInstructions(body, echo.instructions));
  if (echo.instructions) messages.push_back({.role = "system", .content = *echo.instructions});
  AIO_RETURN_IF_ERROR(DecodeInput(body, messages));
  AIO_RETURN_IF_ERROR(DecodeMetadata(body, echo));
  AIO_RETURN_IF_ERROR(DecodeTools(body, text, api.kind, api.request.tools));
  if (body.Find("tools") != nullptr) echo.tools = MemberText(text, {"tools"});
  echo.tool_choice = ToolChoice(body);
  AIO_RETURN_IF_ERROR(DecodeFormat(body, text, api.kind, api.request.format));
  if (api.request.format.param.starts_with("text.")) {
    const std::string_view format = MemberText(text, {"text", "format"});
    if (format.size() <= kEchoBytesMax) echo.text_format = format;
  }
  AIO_RETURN_IF_ERROR(body.Read("parallel_tool_calls", echo.parallel_tool_calls));
  AIO_RETURN_IF_ERROR(body.Read("stream", api.stream));
  AIO_RETURN_IF_ERROR(DecodeSampling(body, api));
  AIO_RETURN_IF_ERROR(DecodeOverrides(body, api.request));
  AIO_RETURN_IF_ERROR(DecodePriority(body, api.request.priority));
  AIO_RETURN_IF_ERROR(DecodeStrategy(body, api.request.strategy));
  const SamplingParams& sampling = api.request.sampling;
  echo.max_output_tokens = sampling.max_tokens;
  echo.temperature = sampling.temperature;
  echo.top_p = sampling.top_p;
  echo.top_logprobs = sampling.top_logprobs;
  return out;
}

}  // namespace aio
