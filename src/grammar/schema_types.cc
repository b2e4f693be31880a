// One type's keywords each.
#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "grammar/char_classes.h"
#include "grammar/regex.h"
#include "grammar/schema_reader.h"
#include "grammar/string_formats.h"

namespace aio {

namespace {

constexpr size_t kPrefixItemsMax = 200;
constexpr size_t kNameBytesMax = 400;  // of a declared property beside additional ones

}  // namespace

Result<ExprId> SchemaReader::ReadObject(const SchemaAt& at) {
  std::vector<GrammarBuilder::ListItem> items;
  std::vector<std::string> declared;
  AIO_ASSIGN_OR_RETURN(std::vector<std::string> required, ReadRequired(at));
  const std::set<std::string> is_required(required.begin(), required.end());
  const auto add = [&](const std::string& name, ExprId value) {
    const ExprId member = text_.Member(builder_.Bytes(QuoteJson(name)), value);
    items.push_back({member, is_required.count(name) > 0});
    declared.push_back(name);
  };
  const JsonNode* properties = at.node.Find("properties");
  if (properties != nullptr) {
    if (properties->kind != JsonKind::kObject) {
      return SchemaFault(at, "properties", "it must be an object of schemas");
    }
    const SchemaAt all = at.Child(*properties, "properties");
    for (const auto& [name, schema] : properties->members) {
      AIO_ASSIGN_OR_RETURN(const ExprId value, ReadSchema(all.Child(schema, name)));
      add(name, value);
    }
  }
  // Required ones that nothing else is said about.
  std::erase_if(required, [&](const std::string& name) {
    return properties != nullptr && properties->Find(name) != nullptr;
  });
  const JsonNode* additional = at.node.Find("additionalProperties");
  const bool is_closed = additional != nullptr
                             ? additional->kind == JsonKind::kBoolean && !additional->boolean
                             : properties != nullptr;
  if (!required.empty() && is_closed) {
    return SchemaFault(
        at, "required",
        fmt::format("\"{}\" is not among the properties; declare it there", required.front()));
  }
  if (is_closed) return text_.Object(items, builder_.Nothing());
  ExprId value = text_.Value();
  if (additional != nullptr) {
    AIO_ASSIGN_OR_RETURN(value, ReadSchema(at.Child(*additional, "additionalProperties")));
  }
  for (const std::string& name : required) add(name, value);
  for (const std::string& name : declared) {
    if (name.size() <= kNameBytesMax) continue;
    return SchemaFault(at, "additionalProperties",
                       fmt::format("beside additional properties, names may have {} bytes at most",
                                   kNameBytesMax));
  }
  const ExprId name = declared.empty() ? text_.String() : text_.StringBut(declared);
  return text_.Object(items, text_.Member(name, value));
}

Result<std::vector<std::string>> SchemaReader::ReadRequired(const SchemaAt& at) const {
  std::vector<std::string> names;
  const JsonNode* required = at.node.Find("required");
  if (required == nullptr) return names;
  if (required->kind != JsonKind::kArray) {
    return SchemaFault(at, "required", "it must be an array of names");
  }
  for (const JsonNode& name : required->items) {
    if (name.kind != JsonKind::kString) {
      return SchemaFault(at, "required", "it must be an array of names");
    }
    const bool is_new = std::find(names.begin(), names.end(), name.text) == names.end();
    if (is_new) names.push_back(name.text);
  }
  return names;
}

Result<ExprId> SchemaReader::ReadArray(const SchemaAt& at) {
  JsonText::ArrayShape shape;
  AIO_RETURN_IF_ERROR(ReadCount(at, "minItems", shape.min));
  AIO_RETURN_IF_ERROR(ReadCount(at, "maxItems", shape.max));
  if (shape.max < shape.min) return SchemaFault(at, "maxItems", "it is below minItems");
  const JsonNode* unique = at.node.Find("uniqueItems");
  if (unique != nullptr && !(unique->kind == JsonKind::kBoolean && !unique->boolean)) {
    return SchemaFault(at, "uniqueItems",
                       "not supported: it cannot be kept while the answer is written; leave it out "
                       "and check the answer");
  }
  const JsonNode* prefix = at.node.Find("prefixItems");
  if (prefix != nullptr) {
    if (prefix->kind != JsonKind::kArray || prefix->items.size() > kPrefixItemsMax) {
      return SchemaFault(at, "prefixItems",
                         fmt::format("it must be an array of at most {} schemas", kPrefixItemsMax));
    }
    for (size_t i = 0; i < prefix->items.size(); ++i) {
      const SchemaAt child{prefix->items[i], fmt::format("{}/prefixItems/{}", at.pointer, i)};
      AIO_ASSIGN_OR_RETURN(const ExprId item, ReadSchema(child));
      shape.prefix.push_back(item);
    }
  }
  const JsonNode* items = at.node.Find("items");
  if (items == nullptr) {
    shape.item = prefix == nullptr ? text_.Value() : builder_.Nothing();
  } else if (items->kind == JsonKind::kArray) {
    return SchemaFault(at, "items", "an array is not supported; write it as prefixItems");
  } else {
    AIO_ASSIGN_OR_RETURN(shape.item, ReadSchema(at.Child(*items, "items")));
  }
  return text_.Array(shape);
}

Result<ExprId> SchemaReader::ReadString(const SchemaAt& at) {
  int min = 0;
  int max = kUnbounded;
  AIO_RETURN_IF_ERROR(ReadCount(at, "minLength", min));
  AIO_RETURN_IF_ERROR(ReadCount(at, "maxLength", max));
  if (max < min) return SchemaFault(at, "maxLength", "it is below minLength");
  const bool has_length = min > 0 || max != kUnbounded;
  const JsonNode* pattern = at.node.Find("pattern");
  const JsonNode* format = at.node.Find("format");
  if (pattern == nullptr && format == nullptr) return text_.String(min, max);
  const std::string_view keyword = pattern != nullptr ? "pattern" : "format";
  const JsonNode& value = pattern != nullptr ? *pattern : *format;
  if (value.kind != JsonKind::kString) return SchemaFault(at, keyword, "it must be a string");
  if (has_length) {
    return SchemaFault(at, keyword,
                       "not supported beside minLength and maxLength; bound the length in the "
                       "pattern: ^[a-z]{1,20}$");
  }
  if (pattern != nullptr && format != nullptr) {
    return SchemaFault(at, "format", "not supported beside pattern; leave one of them out");
  }
  if (pattern != nullptr) return ReadPattern(at, keyword, value.text);
  const std::optional<std::string> known = PatternOfFormat(value.text);
  if (!known) {
    return SchemaFault(at, keyword,
                       fmt::format("\"{}\" is not supported; known are {}; or use "
                                   "pattern",
                                   value.text, KnownFormats()));
  }
  return ReadPattern(at, keyword, "^" + *known + "$");
}

Result<ExprId> SchemaReader::ReadPattern(const SchemaAt& at, std::string_view keyword,
                                         std::string_view pattern) {
  const CharWriter write = [this](const CodePointSet& set) {
    return JsonStringChars(builder_, set);
  };
  const Result<ExprId> body = ReadRegex(pattern, RegexMatch::kSearch, builder_, write);
  if (!body.ok()) return SchemaFault(at, keyword, body.status().message());
  const ExprId quote = builder_.Bytes("\"");
  return builder_.AsRule(builder_.Sequence({quote, *body, quote}));
}

Result<ExprId> SchemaReader::ReadNumber(const SchemaAt& at, bool integers) {
  NumberRange range{.min = {}, .max = {}, .integers = integers};
  AIO_RETURN_IF_ERROR(ReadBound(at, "minimum", /*is_min=*/true, range));
  AIO_RETURN_IF_ERROR(ReadBound(at, "exclusiveMinimum", /*is_min=*/true, range));
  AIO_RETURN_IF_ERROR(ReadBound(at, "maximum", /*is_min=*/false, range));
  AIO_RETURN_IF_ERROR(ReadBound(at, "exclusiveMaximum", /*is_min=*/false, range));
  const JsonNode* format = at.node.Find("format");
  const bool is_of_number = format == nullptr || format->text == "int64" ||
                            format->text == "double" || format->text == "float";
  const bool is_of_string_too =
      at.node.Find("type") != nullptr && at.node.Find("type")->kind == JsonKind::kArray;
  if (!is_of_number && !is_of_string_too) {
    return SchemaFault(at, "format",
                       "of numbers only int64, float and double are known; use "
                       "minimum and maximum");
  }
  if (!range.min && !range.max) return integers ? text_.Integer() : text_.Number();
  if (range.min && range.max) {
    const int order = CompareDecimals(range.min->value, range.max->value);
    if (order > 0) return SchemaFault(at, "maximum", "it is below the minimum");
  }
  return builder_.AsRule(NumbersBetween(builder_, range));
}

// Of two bounds on one side the tighter one holds.
Status SchemaReader::ReadBound(const SchemaAt& at, std::string_view keyword, bool is_min,
                               NumberRange& range) {
  const JsonNode* node = at.node.Find(keyword);
  if (node == nullptr) return Status::Ok();
  if (node->kind != JsonKind::kNumber) return SchemaFault(at, keyword, "it must be a number");
  const Result<Decimal> value = ParseDecimal(node->text);
  if (!value.ok()) return SchemaFault(at, keyword, value.status().message());
  const NumberBound bound{*value, keyword.starts_with("exclusive")};
  std::optional<NumberBound>& known = is_min ? range.min : range.max;
  if (known) {
    const int order = CompareDecimals(bound.value, known->value);
    const bool is_tighter = order == 0 ? bound.is_open : (order > 0) == is_min;
    if (!is_tighter) return Status::Ok();
  }
  known = bound;
  return Status::Ok();
}

}  // namespace aio
