// Compiles JSON Schema (2020-12, and what of older drafts is written the same) to a grammar of the
// JSON texts that it allows, written compactly or indented, properties in the schema's order.
//
// What the grammar allows is always valid by the schema; not all that is valid is allowed: of
// objects that declare properties no others where the schema does not speak of them, of types that
// are not given those that the other keywords belong to. docs/structured-output.md lists every
// keyword. What is not supported is refused, never ignored.
#ifndef AIO_GRAMMAR_JSON_SCHEMA_H_
#define AIO_GRAMMAR_JSON_SCHEMA_H_

#include <string_view>

#include "base/status.h"
#include "grammar/grammar_builder.h"

namespace aio {

// Returns the root. kInvalidArgument names the keyword by its JSON pointer and says the mend.
Result<RuleId> ReadJsonSchema(std::string_view schema, GrammarBuilder& builder);

}  // namespace aio

#endif  // AIO_GRAMMAR_JSON_SCHEMA_H_
