// The tools of a chat request, and calls of them in its messages.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "api/faults.h"
#include "api/json_member_text.h"
#include "api/request_parts.h"

namespace aio {
namespace {

Status ReadText(const ObjectReader& object, std::string_view name, std::string& text) {
  const nlohmann::json* json = object.Find(name);
  if (json == nullptr) return Status::Ok();
  if (!json->is_string()) return WrongType(object.Path(name), "a string", *json);
  text = json->get<std::string>();
  return Status::Ok();
}

// {"type": "function", "function": {...}}: the reader of its function is given to `read`.
template <typename Read>
Status ReadFunction(const nlohmann::json& json, const std::string& path, Read read) {
  if (!json.is_object()) return WrongType(path, "an object", json);
  const ObjectReader object(json, path);
  std::string type = "function";
  AIO_RETURN_IF_ERROR(ReadText(object, "type", type));
  if (type != "function") return BadValue(object.Path("type"), "supported is 'function' only.");
  const nlohmann::json* function = object.Find("function");
  const std::string function_path = object.Path("function");
  if (function == nullptr) return MissingField(function_path, "an object with a name");
  if (!function->is_object()) return WrongType(function_path, "an object with a name", *function);
  return read(object, ObjectReader(*function, function_path));
}

Status CheckTool(const nlohmann::json& json, const std::string& path) {
  return ReadFunction(json, path, [](const ObjectReader& /*tool*/, const ObjectReader& function) {
    std::string name;
    AIO_RETURN_IF_ERROR(function.ReadRequired("name", "the name of a function", name));
    const nlohmann::json* parameters = function.Find("parameters");
    if (parameters != nullptr && !parameters->is_object()) {
      return WrongType(function.Path("parameters"), "a JSON schema, an object", *parameters);
    }
    return Status::Ok();
  });
}

}  // namespace

Status DecodeTools(const ObjectReader& body, std::string_view text, std::string& tools) {
  const nlohmann::json* choice = body.Find("tool_choice");
  const bool is_none = choice != nullptr && *choice == "none";
  if (choice != nullptr && !is_none && *choice != "auto") {
    return Unsupported("tool_choice", "Use \"auto\" or \"none\", or leave it out.");
  }
  const nlohmann::json* json = body.Find("tools");
  if (json == nullptr) {
    if (choice == nullptr || is_none) return Status::Ok();
    return BadValue("tool_choice", "it is only allowed with 'tools'.");
  }
  if (!json->is_array()) return WrongType("tools", "an array of tools", *json);
  if (json->size() > kToolsMax) {
    return BadValue("tools",
                    fmt::format("{} were given; give at most {}.", json->size(), kToolsMax));
  }
  for (size_t i = 0; i < json->size(); ++i) {
    AIO_RETURN_IF_ERROR(CheckTool((*json)[i], fmt::format("tools[{}]", i)));
  }
  if (!json->empty() && !is_none) tools = MemberText(text, {"tools"});
  return Status::Ok();
}

Status DecodeToolCalls(const ObjectReader& message, std::vector<ToolCall>& calls) {
  const nlohmann::json* json = message.Find("tool_calls");
  if (json == nullptr) return Status::Ok();
  const std::string path = message.Path("tool_calls");
  if (!json->is_array()) return WrongType(path, "an array of calls", *json);
  if (json->size() > kToolsMax) {
    return BadValue(path, fmt::format("{} were given; give at most {}.", json->size(), kToolsMax));
  }
  calls.reserve(json->size());
  for (size_t i = 0; i < json->size(); ++i) {
    ToolCall& out = calls.emplace_back();
    AIO_RETURN_IF_ERROR(ReadFunction(
        (*json)[i], fmt::format("{}[{}]", path, i),
        [&out](const ObjectReader& call, const ObjectReader& function) {
          AIO_RETURN_IF_ERROR(ReadText(call, "id", out.id));
          AIO_RETURN_IF_ERROR(function.ReadRequired("name", "the name of a function", out.name));
          out.arguments = "{}";
          return ReadText(function, "arguments", out.arguments);
        }));
  }
  return Status::Ok();
}

Status DecodeToolCallId(const ObjectReader& message, std::string& id) {
  return ReadText(message, "tool_call_id", id);
}

}  // namespace aio
