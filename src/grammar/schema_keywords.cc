#include "grammar/schema_keywords.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

namespace aio {

namespace {

struct Keyword {
  std::string_view name;
  std::string_view type;  // that it is about; empty: any
  // Why it is refused and what to do instead; empty: it is supported.
  std::string_view refusal;
};

constexpr std::string_view kNotRegular =
    "it cannot be kept while the answer is written; leave it out and check the answer";

constexpr auto kKeywords = std::to_array<Keyword>({
    {"$ref", "", ""},
    {"$defs", "", ""},
    {"definitions", "", ""},
    {"type", "", ""},
    {"enum", "", ""},
    {"const", "", ""},
    {"anyOf", "", ""},
    {"oneOf", "", ""},
    {"allOf", "", ""},
    {"properties", "object", ""},
    {"required", "object", ""},
    {"additionalProperties", "object", ""},
    {"items", "array", ""},
    {"prefixItems", "array", ""},
    {"minItems", "array", ""},
    {"maxItems", "array", ""},
    {"uniqueItems", "array", ""},
    {"minLength", "string", ""},
    {"maxLength", "string", ""},
    {"pattern", "string", ""},
    {"format", "", ""},
    {"minimum", "number", ""},
    {"maximum", "number", ""},
    {"exclusiveMinimum", "number", ""},
    {"exclusiveMaximum", "number", ""},
    {"multipleOf", "number", kNotRegular},
    {"not", "", "say with enum or anyOf what is allowed"},
    {"if", "", "write the cases with anyOf"},
    {"then", "", "write the cases with anyOf"},
    {"else", "", "write the cases with anyOf"},
    {"patternProperties", "object", "use additionalProperties with a schema"},
    {"propertyNames", "object", "use properties or additionalProperties"},
    {"minProperties", "object", "use required"},
    {"maxProperties", "object", "use properties with additionalProperties: false"},
    {"dependentRequired", "object", "write the cases with anyOf"},
    {"dependentSchemas", "object", "write the cases with anyOf"},
    {"dependencies", "object", "write the cases with anyOf"},
    {"unevaluatedProperties", "object", "use additionalProperties"},
    {"contains", "array", kNotRegular},
    {"minContains", "array", kNotRegular},
    {"maxContains", "array", kNotRegular},
    {"additionalItems", "array", "use prefixItems and items"},
    {"unevaluatedItems", "array", "use items"},
    {"nullable", "", "write null as one of the types: \"type\": [..., \"null\"]"},
    {"$dynamicRef", "", "use $ref"},
    {"$recursiveRef", "", "use $ref"},
    {"$anchor", "", "refer to the place with a JSON pointer: \"#/$defs/...\""},
    {"$dynamicAnchor", "", "refer to the place with a JSON pointer: \"#/$defs/...\""},
});

constexpr auto kAnnotations = std::to_array<std::string_view>(
    {"title", "description", "default", "examples", "example", "deprecated", "readOnly",
     "writeOnly", "$schema", "$id", "$comment", "$vocabulary", "contentMediaType",
     "contentEncoding", "contentSchema"});

const Keyword* FindKeyword(std::string_view name) {
  const auto* found = std::find_if(kKeywords.begin(), kKeywords.end(),
                                   [name](const Keyword& k) { return k.name == name; });
  return found == kKeywords.end() ? nullptr : found;
}

}  // namespace

Status SchemaFault(const SchemaAt& at, std::string_view keyword, std::string_view what) {
  std::string pointer = at.pointer;
  if (!keyword.empty()) pointer += "/" + PointerPart(keyword);
  if (pointer.empty()) return InvalidArgument(fmt::format("the schema's root: {}", what));
  return InvalidArgument(fmt::format("the schema at {}: {}", pointer, what));
}

bool IsAnnotation(std::string_view keyword) {
  return keyword.starts_with("x-") ||
         std::find(kAnnotations.begin(), kAnnotations.end(), keyword) != kAnnotations.end();
}

Status CheckKeywords(const SchemaAt& at) {
  for (const auto& [name, value] : at.node.members) {
    if (IsAnnotation(name)) continue;
    const Keyword* keyword = FindKeyword(name);
    if (keyword == nullptr) {
      return SchemaFault(at, name, "this keyword is not known; mend its name or leave it out");
    }
    if (keyword->refusal.empty()) continue;
    return SchemaFault(at, name, fmt::format("not supported: {}", keyword->refusal));
  }
  return Status::Ok();
}

Status CheckAlone(const SchemaAt& at, std::string_view keyword,
                  std::initializer_list<std::string_view> allowed) {
  for (const auto& [name, value] : at.node.members) {
    const bool is_fine = name == keyword || name == "$defs" || name == "definitions" ||
                         IsAnnotation(name) ||
                         std::find(allowed.begin(), allowed.end(), name) != allowed.end();
    if (is_fine) continue;
    return SchemaFault(at, name,
                       fmt::format("not supported beside {}; move it into the schemas there, or "
                                   "leave it out",
                                   keyword));
  }
  return Status::Ok();
}

Status ReadCount(const SchemaAt& at, std::string_view keyword, int& value) {
  constexpr int64_t kCountMax = 1'000'000'000;
  const JsonNode* node = at.node.Find(keyword);
  if (node == nullptr) return Status::Ok();
  std::string_view text = node->text;
  if (text.ends_with(".0")) text.remove_suffix(2);
  int64_t count = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const bool is_count = node->kind == JsonKind::kNumber && error == std::errc() &&
                        end == text.data() + text.size() && count >= 0;
  if (!is_count) return SchemaFault(at, keyword, "it must be a whole number, 0 or more");
  value = static_cast<int>(std::min(count, kCountMax));
  return Status::Ok();
}

std::string_view TypeOfKeyword(std::string_view keyword) {
  const Keyword* known = FindKeyword(keyword);
  return known == nullptr ? std::string_view() : known->type;
}

}  // namespace aio
