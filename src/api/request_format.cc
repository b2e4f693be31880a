// What an answer must be, by any of the names in use:
//   response_format                {"type": "text" | "json_object" | "json_schema", ...}   OpenAI
//   text.format                    likewise, its schema beside the type           OpenAI, Responses
//   output_config.format, output_format     likewise                            Anthropic, Messages
//   structured_outputs             {"json", "regex", "choice", "grammar", "json_object"}   vLLM
//   guided_json, guided_regex, guided_choice, guided_grammar                               vLLM
//   grammar, json_schema                                                            llama-server
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "api/faults.h"
#include "api/json_member_text.h"
#include "api/request_parts.h"

namespace aio {
namespace {

// Names from the body inwards.
using MemberPath = std::vector<std::string_view>;

std::string Joined(const MemberPath& path) { return fmt::format("{}", fmt::join(path, ".")); }

MemberPath operator/(MemberPath path, std::string_view name) {
  path.push_back(name);
  return path;
}

class FormatReader {
 public:
  FormatReader(const ObjectReader& body, std::string_view text, AnswerFormat& format)
      : body_(body), text_(text), format_(format) {}

  Status Read(ApiKind kind) {
    AIO_RETURN_IF_ERROR(ReadTypedFormat(kind));
    AIO_RETURN_IF_ERROR(ReadStructuredOutputs());
    constexpr std::pair<const char*, const char*> kOwnFields[] = {
        {"guided_json", "json"},       {"guided_regex", "regex"}, {"guided_choice", "choice"},
        {"guided_grammar", "grammar"}, {"grammar", "grammar"},    {"json_schema", "json"}};
    for (const auto& [name, meaning] : kOwnFields) {
      const nlohmann::json* value = body_.Find(name);
      if (value == nullptr) continue;
      // llama-server's clients send these to say nothing.
      const bool says_nothing = std::string_view(name) == "grammar" && *value == "";
      if (says_nothing) continue;
      AIO_RETURN_IF_ERROR(ReadMeaning(meaning, *value, name, MemberText(text_, {name})));
    }
    return Status::Ok();
  }

 private:
  Status Set(AnswerFormatKind kind, std::string text, std::string param) {
    if (format_.kind != AnswerFormatKind::kText) {
      return BadValue(param, "'" + format_.param +
                                 "' says already what the answer must be; leave "
                                 "one of them out.");
    }
    format_ = {kind, std::move(text), std::move(param)};
    return Status::Ok();
  }

  Status SetSchema(const nlohmann::json& value, std::string param, std::string_view text) {
    // vLLM's clients may send the schema as a string.
    if (value.is_string()) {
      return Set(AnswerFormatKind::kJsonSchema, value.get<std::string>(), std::move(param));
    }
    if (!value.is_object()) return WrongType(param, "a JSON schema, an object", value);
    return Set(AnswerFormatKind::kJsonSchema, std::string(text), std::move(param));
  }

  Status ReadMeaning(std::string_view meaning, const nlohmann::json& value, std::string param,
                     std::string_view text) {
    if (meaning == "json") return SetSchema(value, std::move(param), text);
    if (meaning == "json_object") {
      if (!value.is_boolean()) return WrongType(param, "a boolean", value);
      return value.get<bool>() ? Set(AnswerFormatKind::kJsonObject, "", std::move(param))
                               : Status::Ok();
    }
    if (meaning == "choice") {
      if (!value.is_array()) return WrongType(param, "an array of strings", value);
      return Set(AnswerFormatKind::kChoice, value.dump(), std::move(param));
    }
    if (!value.is_string()) return WrongType(param, "a string", value);
    return Set(meaning == "regex" ? AnswerFormatKind::kRegex : AnswerFormatKind::kGbnf,
               value.get<std::string>(), std::move(param));
  }

  // The API's own name for it.
  Status ReadTypedFormat(ApiKind kind) {
    switch (kind) {
      case ApiKind::kResponse:
        return ReadTypedInside("text");
      case ApiKind::kMessage:
        AIO_RETURN_IF_ERROR(ReadTypedInside("output_config"));
        return ReadTyped(body_.Find("output_format"), {"output_format"}, {"schema"});
      default:
        return ReadTyped(body_.Find("response_format"), {"response_format"},
                         {"json_schema", "schema"});
    }
  }

  // The member `format` of the member `outer`, if there is one.
  Status ReadTypedInside(std::string_view outer) {
    const nlohmann::json* value = body_.Find(outer);
    if (value == nullptr) return Status::Ok();
    if (!value->is_object()) return WrongType(std::string(outer), "an object", *value);
    return ReadTyped(ObjectReader(*value).Find("format"), {outer, "format"}, {"schema"});
  }

  // {"type": "text" | "json_object" | "json_schema", ...}, or null. `to_schema` leads from it to
  // the schema.
  Status ReadTyped(const nlohmann::json* value, const MemberPath& path,
                   const MemberPath& to_schema) {
    if (value == nullptr) return Status::Ok();
    const std::string name = Joined(path);
    if (!value->is_object()) return WrongType(name, "an object with a type", *value);
    std::string type;
    AIO_RETURN_IF_ERROR(
        ObjectReader(*value, name)
            .ReadRequired("type", "\"text\", \"json_object\" or \"json_schema\"", type));
    if (type == "text") return Status::Ok();
    if (type == "json_object") {
      // llama-server's clients may put a schema here.
      if (ObjectReader(*value).Find("schema") != nullptr)
        return ReadSchema(*value, path, {"schema"});
      return Set(AnswerFormatKind::kJsonObject, "", name);
    }
    if (type == "json_schema") return ReadSchema(*value, path, to_schema);
    return BadValue(name + ".type", "use \"text\", \"json_object\" or \"json_schema\".");
  }

  Status ReadSchema(const nlohmann::json& format, MemberPath path, const MemberPath& to_schema) {
    const nlohmann::json* value = &format;
    for (const std::string_view name : to_schema) {
      if (!value->is_object()) return WrongType(Joined(path), "an object with a schema", *value);
      value = ObjectReader(*value).Find(name);
      path = path / name;
      if (value == nullptr) return MissingField(Joined(path), "a JSON schema");
    }
    return SetSchema(*value, Joined(path), MemberText(text_, path));
  }

  Status ReadStructuredOutputs() {
    const nlohmann::json* value = body_.Find("structured_outputs");
    if (value == nullptr) return Status::Ok();
    const std::string name = "structured_outputs";
    if (!value->is_object()) return WrongType(name, "an object", *value);
    const ObjectReader outputs(*value, name);
    AIO_RETURN_IF_ERROR(
        outputs.RefuseUnknown({"json", "regex", "choice", "grammar", "json_object"}));
    for (const char* meaning : {"json", "regex", "choice", "grammar", "json_object"}) {
      const nlohmann::json* member = outputs.Find(meaning);
      if (member == nullptr) continue;
      AIO_RETURN_IF_ERROR(
          ReadMeaning(meaning, *member, outputs.Path(meaning), MemberText(text_, {name, meaning})));
    }
    return Status::Ok();
  }

  const ObjectReader& body_;
  const std::string_view text_;
  AnswerFormat& format_;
};

}  // namespace

Status DecodeFormat(const ObjectReader& body, std::string_view text, ApiKind kind,
                    AnswerFormat& format) {
  return FormatReader(body, text, format).Read(kind);
}

}  // namespace aio
