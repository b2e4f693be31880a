#include "grammar/testing/schema_validator.h"

#include <algorithm>
#include <cmath>
#include <regex>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/utf8.h"

namespace aio {

namespace {

using Json = nlohmann::json;

int64_t CountCharacters(const std::string& text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
}

class Validator {
 public:
  explicit Validator(const Json& root) : root_(root) {}

  std::string Check(const Json& schema, const Json& value) const {
    if (schema.is_boolean()) return schema.get<bool>() ? "" : "no value is valid";
    if (schema.contains("$ref")) {
      return Check(root_.at(Json::json_pointer(schema["$ref"].get<std::string>().substr(1))),
                   value);
    }
    for (const auto& check :
         {&Validator::CheckGeneral, &Validator::CheckAlternatives, &Validator::CheckObject,
          &Validator::CheckArray, &Validator::CheckString, &Validator::CheckNumber}) {
      std::string fault = (this->*check)(schema, value);
      if (!fault.empty()) return fault;
    }
    return "";
  }

 private:
  static bool HasType(const Json& value, const std::string& type) {
    if (type == "integer") return value.is_number_integer();
    if (type == "number") return value.is_number();
    return type == value.type_name();
  }

  std::string CheckGeneral(const Json& schema, const Json& value) const {
    if (schema.contains("type")) {
      const Json types = schema["type"].is_array() ? schema["type"] : Json::array({schema["type"]});
      const bool fits = std::any_of(types.begin(), types.end(),
                                    [&](const Json& type) { return HasType(value, type); });
      if (!fits) return value.dump() + " is not " + types.dump();
    }
    if (schema.contains("const") && value != schema["const"]) return value.dump() + " is another";
    if (!schema.contains("enum")) return "";
    const Json& values = schema["enum"];
    return std::find(values.begin(), values.end(), value) == values.end()
               ? value.dump() + " is not in the enumeration"
               : "";
  }

  // oneOf as anyOf: the grammar says no more.
  std::string CheckAlternatives(const Json& schema, const Json& value) const {
    for (const char* keyword : {"anyOf", "oneOf", "allOf"}) {
      if (!schema.contains(keyword)) continue;
      std::string fault;
      for (const Json& alternative : schema[keyword]) {
        fault = Check(alternative, value);
        if (fault.empty()) break;
      }
      if (!fault.empty()) return value.dump() + " fits none: " + fault;
    }
    return "";
  }

  std::string CheckObject(const Json& schema, const Json& value) const {
    if (!value.is_object()) return "";
    const Json properties = schema.value("properties", Json::object());
    for (const Json& name : schema.value("required", Json::array())) {
      if (!value.contains(name)) return "without " + name.dump();
    }
    for (const auto& [name, member] : value.items()) {
      const bool is_declared = properties.contains(name);
      if (!is_declared && !schema.contains("additionalProperties")) continue;
      const std::string fault =
          Check(is_declared ? properties[name] : schema["additionalProperties"], member);
      if (!fault.empty()) return fmt::format("{}: {}", name, fault);
    }
    return "";
  }

  std::string CheckArray(const Json& schema, const Json& value) const {
    if (!value.is_array()) return "";
    if (value.size() < schema.value("minItems", size_t{0})) return "too few items";
    if (value.size() > schema.value("maxItems", value.size())) return "too many items";
    const Json prefix = schema.value("prefixItems", Json::array());
    for (size_t i = 0; i < value.size(); ++i) {
      std::string fault;
      if (i < prefix.size()) {
        fault = Check(prefix[i], value[i]);
      } else if (schema.contains("items")) {
        fault = Check(schema["items"], value[i]);
      }
      if (!fault.empty()) return "item " + std::to_string(i) + ": " + fault;
    }
    return "";
  }

  std::string CheckString(const Json& schema, const Json& value) const {
    if (!value.is_string()) return "";
    const auto text = value.get<std::string>();
    if (!IsValidUtf8(text)) return "ill-formed UTF-8";
    const int64_t length = CountCharacters(text);
    if (length < schema.value("minLength", int64_t{0})) return "too short: " + value.dump();
    if (length > schema.value("maxLength", length)) return "too long: " + value.dump();
    if (!schema.contains("pattern")) return "";
    const std::regex pattern(schema["pattern"].get<std::string>());
    return std::regex_search(text, pattern) ? "" : value.dump() + " does not match";
  }

  std::string CheckNumber(const Json& schema, const Json& value) const {
    if (!value.is_number()) return "";
    const auto number = value.get<long double>();
    if (!std::isfinite(number)) return "not finite";
    const auto bound = [&](const char* keyword) { return schema[keyword].get<long double>(); };
    if (schema.contains("minimum") && number < bound("minimum")) return "too small";
    if (schema.contains("maximum") && number > bound("maximum")) return "too large";
    if (schema.contains("exclusiveMinimum") && number <= bound("exclusiveMinimum")) {
      return "too small or equal";
    }
    if (schema.contains("exclusiveMaximum") && number >= bound("exclusiveMaximum")) {
      return "too large or equal";
    }
    return "";
  }

  const Json& root_;
};

}  // namespace

std::string FindSchemaFault(std::string_view schema, std::string_view text) {
  const Json root = Json::parse(schema);
  const Json value = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded()) return "no JSON: " + std::string(text);
  return Validator(root).Check(root, value);
}

}  // namespace aio
