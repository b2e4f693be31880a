// What an answer must be, by any of the names in use:
//   response_format                {"type": "text" | "json_object" | "json_schema", ...}   OpenAI
//   structured_outputs             {"json", "regex", "choice", "grammar", "json_object"}   vLLM
//   guided_json, guided_regex, guided_choice, guided_grammar                               vLLM
//   grammar, json_schema                                                            llama-server
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "api/faults.h"
#include "api/json_member_text.h"
#include "api/request_parts.h"

namespace aio {
namespace {

class FormatReader {
 public:
  FormatReader(const ObjectReader& body, std::string_view text, AnswerFormat& format)
      : body_(body), text_(text), format_(format) {}

  Status Read() {
    AIO_RETURN_IF_ERROR(ReadResponseFormat());
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

  Status ReadResponseFormat() {
    const nlohmann::json* value = body_.Find("response_format");
    if (value == nullptr) return Status::Ok();
    const std::string name = "response_format";
    if (!value->is_object()) return WrongType(name, "an object with a type", *value);
    std::string type;
    AIO_RETURN_IF_ERROR(
        ObjectReader(*value, name)
            .ReadRequired("type", "\"text\", \"json_object\" or \"json_schema\"", type));
    if (type == "text") return Status::Ok();
    if (type == "json_object") {
      // llama-server's clients may put a schema here.
      if (const nlohmann::json* schema = ObjectReader(*value, name).Find("schema")) {
        return SetSchema(*schema, name + ".schema", MemberText(text_, {name, "schema"}));
      }
      return Set(AnswerFormatKind::kJsonObject, "", name);
    }
    if (type != "json_schema") {
      return BadValue(name + ".type", "use \"text\", \"json_object\" or \"json_schema\".");
    }
    const nlohmann::json* outer = ObjectReader(*value, name).Find("json_schema");
    const std::string outer_name = name + ".json_schema";
    if (outer == nullptr) return MissingField(outer_name, "an object with a schema");
    if (!outer->is_object()) return WrongType(outer_name, "an object with a schema", *outer);
    const nlohmann::json* schema = ObjectReader(*outer, outer_name).Find("schema");
    if (schema == nullptr) return MissingField(outer_name + ".schema", "a JSON schema");
    return SetSchema(*schema, outer_name + ".schema",
                     MemberText(text_, {name, "json_schema", "schema"}));
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

Status DecodeFormat(const ObjectReader& body, std::string_view text, AnswerFormat& format) {
  return FormatReader(body, text, format).Read();
}

}  // namespace aio
