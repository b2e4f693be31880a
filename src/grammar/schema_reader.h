// From a schema's tree to expressions. Internal to grammar/; json_schema.h is the way in.
#ifndef AIO_GRAMMAR_SCHEMA_READER_H_
#define AIO_GRAMMAR_SCHEMA_READER_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "grammar/grammar_builder.h"
#include "grammar/json_document.h"
#include "grammar/json_text.h"
#include "grammar/number_range.h"
#include "grammar/schema_keywords.h"

namespace aio {

// One per schema.
class SchemaReader {
 public:
  SchemaReader(const JsonNode& root, GrammarBuilder& builder)
      : root_(root), builder_(builder), text_(builder) {}

  Result<RuleId> Read();

 private:
  // What a schema allows; a call wherever it is more than a few bytes.
  Result<ExprId> ReadSchema(const SchemaAt& at);
  Result<ExprId> ReadRef(const SchemaAt& at);
  Result<SchemaAt> Resolve(const SchemaAt& at, std::string_view reference) const;
  Result<ExprId> ReadAlternatives(const SchemaAt& at, std::string_view keyword);
  Result<ExprId> ReadValues(const SchemaAt& at);
  Result<std::vector<std::string>> ReadTypes(const SchemaAt& at) const;
  Result<ExprId> ReadType(const SchemaAt& at, std::string_view type);

  // schema_types.cc
  Result<ExprId> ReadObject(const SchemaAt& at);
  Result<std::vector<std::string>> ReadRequired(const SchemaAt& at) const;
  Result<ExprId> ReadArray(const SchemaAt& at);
  Result<ExprId> ReadString(const SchemaAt& at);
  Result<ExprId> ReadPattern(const SchemaAt& at, std::string_view keyword,
                             std::string_view pattern);
  Result<ExprId> ReadNumber(const SchemaAt& at, bool integers);
  Status ReadBound(const SchemaAt& at, std::string_view keyword, bool is_min, NumberRange& range);

  const JsonNode& root_;
  GrammarBuilder& builder_;
  JsonText text_;
  std::map<const JsonNode*, ExprId> referred_;  // a call each
  struct Pending {
    SchemaAt at;
    RuleId rule;
  };
  std::vector<Pending> pending_;  // referred to, not yet read
};

}  // namespace aio

#endif  // AIO_GRAMMAR_SCHEMA_READER_H_
