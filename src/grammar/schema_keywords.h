// What is known of JSON Schema's keywords. Internal to grammar/.
#ifndef AIO_GRAMMAR_SCHEMA_KEYWORDS_H_
#define AIO_GRAMMAR_SCHEMA_KEYWORDS_H_

#include <initializer_list>
#include <string>
#include <string_view>

#include "base/status.h"
#include "grammar/json_document.h"

namespace aio {

// A schema within the document, by its place.
struct SchemaAt {
  const JsonNode& node;
  std::string pointer;  // "" for the root, "/properties/name"

  SchemaAt Child(const JsonNode& child, std::string_view keyword) const {
    return {child, pointer + "/" + PointerPart(keyword)};
  }
};

// "at <pointer>/<keyword>: <what>"; the place itself for an empty keyword.
Status SchemaFault(const SchemaAt& at, std::string_view keyword, std::string_view what);

// Says something about a schema but nothing about what is valid.
bool IsAnnotation(std::string_view keyword);

// That every keyword is known, and supported.
Status CheckKeywords(const SchemaAt& at);

// That beside `keyword` there are only annotations, definitions, and `allowed`.
Status CheckAlone(const SchemaAt& at, std::string_view keyword,
                  std::initializer_list<std::string_view> allowed);

// A keyword's value >= 0; `value` stays where the keyword is absent.
Status ReadCount(const SchemaAt& at, std::string_view keyword, int& value);

// The type that a keyword is about: "object", "array", "string", "number"; empty for others.
std::string_view TypeOfKeyword(std::string_view keyword);

}  // namespace aio

#endif  // AIO_GRAMMAR_SCHEMA_KEYWORDS_H_
