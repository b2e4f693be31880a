// Whether a JSON text is valid by a schema: for tests only, with another idea of how to tell than
// the grammar's. Knows the keywords that the grammar supports.
#ifndef AIO_GRAMMAR_TESTING_SCHEMA_VALIDATOR_H_
#define AIO_GRAMMAR_TESTING_SCHEMA_VALIDATOR_H_

#include <string>
#include <string_view>

namespace aio {

// Empty: `text` is JSON and valid. Else what is wrong with it.
std::string FindSchemaFault(std::string_view schema, std::string_view text);

}  // namespace aio

#endif  // AIO_GRAMMAR_TESTING_SCHEMA_VALIDATOR_H_
