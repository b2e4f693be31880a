#include "grammar/json_schema.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "grammar/schema_reader.h"

namespace aio {

namespace {

bool TypeFits(std::string_view type, const JsonNode& value) {
  switch (value.kind) {
    case JsonKind::kNull:
      return type == "null";
    case JsonKind::kBoolean:
      return type == "boolean";
    case JsonKind::kString:
      return type == "string";
    case JsonKind::kArray:
      return type == "array";
    case JsonKind::kObject:
      return type == "object";
    case JsonKind::kNumber: {
      if (type == "number") return true;
      const Result<Decimal> decimal = ParseDecimal(value.text);
      return type == "integer" && decimal.ok() && decimal->fraction.empty();
    }
  }
  return false;
}

// One part of a pointer with its escapes undone: of a fragment's %XX, then of ~1 and ~0.
std::string DecodePart(std::string_view part) {
  std::string bytes;
  for (size_t i = 0; i < part.size(); ++i) {
    uint8_t byte = 0;
    const char* digits = part.data() + i + 1;
    const bool is_escape = part[i] == '%' && i + 2 < part.size() &&
                           std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2;
    bytes += is_escape ? static_cast<char>(byte) : part[i];
    if (is_escape) i += 2;
  }
  std::string decoded;
  for (size_t i = 0; i < bytes.size(); ++i) {
    const bool is_escape = bytes[i] == '~' && i + 1 < bytes.size();
    if (!is_escape) {
      decoded += bytes[i];
    } else {
      decoded += bytes[++i] == '1' ? '/' : '~';
    }
  }
  return decoded;
}

}  // namespace

Result<RuleId> ReadJsonSchema(std::string_view schema, GrammarBuilder& builder) {
  Result<JsonNode> root = ParseJsonDocument(schema);
  if (!root.ok()) return root.status().WithContext("the schema");
  return SchemaReader(*root, builder).Read();
}

Result<RuleId> SchemaReader::Read() {
  const RuleId rule = builder_.AddRule();
  referred_.emplace(&root_, builder_.Call(rule));
  pending_.push_back({{root_, ""}, rule});
  while (!pending_.empty()) {
    const Pending next = pending_.back();
    pending_.pop_back();
    if (builder_.is_too_large()) break;  // compiling it says so
    AIO_ASSIGN_OR_RETURN(const ExprId body, ReadSchema(next.at));
    builder_.Define(next.rule, body);
  }
  return rule;
}

Result<ExprId> SchemaReader::ReadSchema(const SchemaAt& at) {
  if (at.node.kind == JsonKind::kBoolean) {
    return at.node.boolean ? text_.Value() : builder_.Nothing();
  }
  if (at.node.kind != JsonKind::kObject) {
    return SchemaFault(
        at, "",
        fmt::format("a schema is an object or a boolean, not {}", DescribeKind(at.node.kind)));
  }
  AIO_RETURN_IF_ERROR(CheckKeywords(at));
  if (at.node.Find("$ref") != nullptr) return ReadRef(at);
  const bool has_values = at.node.Find("enum") != nullptr || at.node.Find("const") != nullptr;
  if (has_values) return ReadValues(at);
  for (const std::string_view keyword : {"anyOf", "oneOf", "allOf"}) {
    if (at.node.Find(keyword) != nullptr) return ReadAlternatives(at, keyword);
  }
  AIO_ASSIGN_OR_RETURN(const std::vector<std::string> types, ReadTypes(at));
  if (types.empty()) return text_.Value();
  std::vector<ExprId> choices;
  for (const std::string& type : types) {
    AIO_ASSIGN_OR_RETURN(const ExprId choice, ReadType(at, type));
    choices.push_back(choice);
  }
  return builder_.Choice(std::move(choices));
}

Result<ExprId> SchemaReader::ReadRef(const SchemaAt& at) {
  AIO_RETURN_IF_ERROR(CheckAlone(at, "$ref", {}));
  const JsonNode& reference = *at.node.Find("$ref");
  if (reference.kind != JsonKind::kString) return SchemaFault(at, "$ref", "it must be a string");
  AIO_ASSIGN_OR_RETURN(const SchemaAt target, Resolve(at, reference.text));
  const auto [entry, is_new] = referred_.try_emplace(&target.node, 0);
  if (is_new) {
    const RuleId rule = builder_.AddRule();
    entry->second = builder_.Call(rule);
    pending_.push_back({target, rule});
  }
  return entry->second;
}

Result<SchemaAt> SchemaReader::Resolve(const SchemaAt& at, std::string_view reference) const {
  if (reference != "#" && !reference.starts_with("#/")) {
    return SchemaFault(at, "$ref",
                       fmt::format("\"{}\" is not supported; refer to a place in this schema: "
                                   "\"#/$defs/name\"",
                                   reference));
  }
  const JsonNode* node = &root_;
  std::string pointer;
  std::string_view rest = reference.substr(1);
  while (node != nullptr && !rest.empty()) {
    rest.remove_prefix(1);
    const std::string_view part = rest.substr(0, rest.find('/'));
    rest.remove_prefix(part.size());
    const std::string name = DecodePart(part);
    pointer += "/" + PointerPart(name);
    if (node->kind != JsonKind::kArray) {
      node = node->Find(name);
      continue;
    }
    size_t index = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
    const bool is_item =
        error == std::errc() && end == name.data() + name.size() && index < node->items.size();
    node = is_item ? &node->items[index] : nullptr;
  }
  if (node == nullptr) {
    return SchemaFault(at, "$ref", fmt::format("there is nothing at \"{}\"", reference));
  }
  return SchemaAt{*node, std::move(pointer)};
}

// oneOf is read as anyOf: that an answer fits no second alternative is not checked. allOf of one
// schema is that schema.
Result<ExprId> SchemaReader::ReadAlternatives(const SchemaAt& at, std::string_view keyword) {
  AIO_RETURN_IF_ERROR(CheckAlone(at, keyword, {}));
  const JsonNode& alternatives = *at.node.Find(keyword);
  if (alternatives.kind != JsonKind::kArray || alternatives.items.empty()) {
    return SchemaFault(at, keyword, "it must be an array of at least one schema");
  }
  if (keyword == "allOf" && alternatives.items.size() > 1) {
    return SchemaFault(at, keyword, "more than one schema is not supported; merge them into one");
  }
  std::vector<ExprId> choices;
  for (size_t i = 0; i < alternatives.items.size(); ++i) {
    const SchemaAt child{alternatives.items[i], fmt::format("{}/{}/{}", at.pointer, keyword, i)};
    AIO_ASSIGN_OR_RETURN(const ExprId choice, ReadSchema(child));
    choices.push_back(choice);
  }
  return builder_.Choice(std::move(choices));
}

Result<ExprId> SchemaReader::ReadValues(const SchemaAt& at) {
  const std::string_view keyword = at.node.Find("enum") != nullptr ? "enum" : "const";
  AIO_RETURN_IF_ERROR(CheckAlone(at, keyword, {"type"}));
  AIO_ASSIGN_OR_RETURN(const std::vector<std::string> types, ReadTypes(at));
  const JsonNode& values = *at.node.Find(keyword);
  std::vector<const JsonNode*> allowed;
  const auto add = [&](const JsonNode& value) {
    const bool fits = types.empty() || std::any_of(types.begin(), types.end(), [&](const auto& t) {
                        return TypeFits(t, value);
                      });
    if (fits) allowed.push_back(&value);
  };
  if (keyword == "const") {
    add(values);
  } else if (values.kind != JsonKind::kArray) {
    return SchemaFault(at, keyword, "it must be an array of values");
  } else {
    for (const JsonNode& value : values.items) add(value);
  }
  if (allowed.empty()) return SchemaFault(at, keyword, "no value of it has the type asked for");
  std::vector<ExprId> choices;
  choices.reserve(allowed.size());
  for (const JsonNode* value : allowed) choices.push_back(text_.Literal(*value));
  return builder_.AsRule(builder_.Choice(std::move(choices)));
}

// As given, or those that the other keywords are about; empty: any.
Result<std::vector<std::string>> SchemaReader::ReadTypes(const SchemaAt& at) const {
  static const std::set<std::string_view> kTypes = {"object",  "array",   "string", "number",
                                                    "integer", "boolean", "null"};
  std::vector<std::string> types;
  const JsonNode* given = at.node.Find("type");
  const auto add = [&](const JsonNode& type) {
    const bool is_known = type.kind == JsonKind::kString && kTypes.count(type.text) > 0;
    if (is_known) types.push_back(type.text);
    return is_known;
  };
  bool is_fine = true;
  if (given != nullptr && given->kind == JsonKind::kArray) {
    is_fine = !given->items.empty() && std::all_of(given->items.begin(), given->items.end(), add);
  } else if (given != nullptr) {
    is_fine = add(*given);
  }
  if (!is_fine) {
    return SchemaFault(
        at, "type",
        fmt::format("it must be one of {}, or an array of them", fmt::join(kTypes, ", ")));
  }
  for (const auto& [keyword, value] : at.node.members) {
    std::string_view type = TypeOfKeyword(keyword);
    if (keyword == "format" && given == nullptr) type = "string";
    if (type.empty()) continue;
    const auto is_meant = [&](const std::string& t) {
      return t == type || (type == "number" && t == "integer");
    };
    if (std::any_of(types.begin(), types.end(), is_meant)) continue;
    if (given != nullptr) {
      return SchemaFault(at, keyword, "it says nothing about the type given here; leave it out");
    }
    types.emplace_back(type);
  }
  return types;
}

Result<ExprId> SchemaReader::ReadType(const SchemaAt& at, std::string_view type) {
  const bool has_format = at.node.Find("format") != nullptr;
  if (type == "object") return ReadObject(at);
  if (type == "array") return ReadArray(at);
  if (type == "string") return ReadString(at);
  if (type == "integer") return ReadNumber(at, /*integers=*/true);
  if (type == "number") return ReadNumber(at, /*integers=*/false);
  if (has_format && at.node.Find("type")->kind == JsonKind::kString) {
    return SchemaFault(at, "format", "it says nothing about the type given here; leave it out");
  }
  return type == "boolean" ? text_.Boolean() : text_.Null();
}

}  // namespace aio
