// The tools of a request, and calls of them in its messages.
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

// `tool` is what has the name and, as `schema`, what the arguments must be.
Status CheckFunction(const ObjectReader& tool, std::string_view schema) {
  std::string name;
  AIO_RETURN_IF_ERROR(tool.ReadRequired("name", "the name of a function", name));
  const nlohmann::json* parameters = tool.Find(schema);
  if (parameters != nullptr && !parameters->is_object()) {
    return WrongType(tool.Path(schema), "a JSON schema, an object", *parameters);
  }
  return Status::Ok();
}

// How an API writes a tool whose members stand beside its type.
struct FlatForm {
  std::string_view type;  // of those that the caller runs
  std::string_view schema;
};
constexpr FlatForm kResponsesForm = {"function", "parameters"};
constexpr FlatForm kMessagesForm = {"custom", "input_schema"};

Status CheckFlat(const nlohmann::json& json, const std::string& path, const FlatForm& form) {
  if (!json.is_object()) return WrongType(path, "an object", json);
  const ObjectReader tool(json, path);
  std::string type(form.type);
  AIO_RETURN_IF_ERROR(ReadText(tool, "type", type));
  if (type != form.type) {
    return BadValue(tool.Path("type"),
                    fmt::format("supported is '{}' only: tools that you run.", form.type));
  }
  return CheckFunction(tool, form.schema);
}

// As a chat has it. What is in it stands as it was written: the order of members says something,
// and trees that keep it take long for objects of many.
std::string FromFlat(std::string_view tool, const FlatForm& form) {
  std::string function = "{";
  for (const std::string_view name : {std::string_view("name"), std::string_view("description"),
                                      form.schema, std::string_view("strict")}) {
    const std::string_view value = MemberText(tool, {name});
    if (value.empty() || value == "null") continue;
    if (function.size() > 1) function += ", ";
    function += fmt::format("\"{}\": {}", name == form.schema ? "parameters" : name, value);
  }
  return fmt::format(R"({{"type": "function", "function": {}}}}})", function);
}

Status CheckTools(const nlohmann::json& json, ApiKind kind) {
  if (!json.is_array()) return WrongType("tools", "an array of tools", json);
  if (json.size() > kToolsMax) {
    return BadValue("tools",
                    fmt::format("{} were given; give at most {}.", json.size(), kToolsMax));
  }
  for (size_t i = 0; i < json.size(); ++i) {
    const std::string path = fmt::format("tools[{}]", i);
    Status checked;
    if (kind == ApiKind::kResponse) {
      checked = CheckFlat(json[i], path, kResponsesForm);
    } else if (kind == ApiKind::kMessage) {
      checked = CheckFlat(json[i], path, kMessagesForm);
    } else {
      checked = ReadFunction(json[i], path, [](const ObjectReader&, const ObjectReader& function) {
        return CheckFunction(function, "parameters");
      });
    }
    AIO_RETURN_IF_ERROR(checked);
  }
  return Status::Ok();
}

}  // namespace

// That of `{"type": ...}` too, as some APIs write it.
std::string ToolChoice(const ObjectReader& body) {
  const nlohmann::json* choice = body.Find("tool_choice");
  if (choice == nullptr) return "auto";
  if (choice->is_string()) return *choice;
  const auto type = choice->is_object() ? choice->find("type") : choice->end();
  return type != choice->end() && type->is_string() ? type->get<std::string>() : "";
}

Status DecodeTools(const ObjectReader& body, std::string_view text, ApiKind kind,
                   std::string& tools) {
  const nlohmann::json* choice = body.Find("tool_choice");
  const std::string chosen = ToolChoice(body);
  // That of a chat may be served elsewhere: CollectVendorFields().
  if (chosen != "none" && chosen != "auto" && kind != ApiKind::kChat) {
    return Unsupported("tool_choice", kToolChoiceMend);
  }
  const nlohmann::json* json = body.Find("tools");
  if (json == nullptr) {
    if (choice == nullptr || chosen == "none" || kind != ApiKind::kChat) return Status::Ok();
    return BadValue("tool_choice", "it is only allowed with 'tools'.");
  }
  AIO_RETURN_IF_ERROR(CheckTools(*json, kind));
  if (json->empty() || chosen == "none") return Status::Ok();
  const std::string_view written = MemberText(text, {"tools"});
  if (kind == ApiKind::kChat) {
    tools = written;
    return Status::Ok();
  }
  const FlatForm& form = kind == ApiKind::kResponse ? kResponsesForm : kMessagesForm;
  for (const std::string_view tool : ElementTexts(written)) {
    tools += tools.empty() ? "[" : ", ";
    tools += FromFlat(tool, form);
  }
  tools += ']';
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
