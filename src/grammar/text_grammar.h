// The ways to say what an answer may be, each compiled to a grammar.
#ifndef AIO_GRAMMAR_TEXT_GRAMMAR_H_
#define AIO_GRAMMAR_TEXT_GRAMMAR_H_

#include <cstddef>
#include <memory>
#include <string_view>

#include "base/status.h"
#include "grammar/grammar.h"

namespace aio {

enum class GrammarSource {
  kJsonObject,  // any JSON object; the text is empty
  kJsonSchema,  // json_schema.h
  kRegex,       // regex.h; the answer matches as a whole
  kChoice,      // a JSON array of strings, one of which is the answer
  kGbnf,        // gbnf.h
};

inline constexpr size_t kGrammarTextBytesMax = 128 * 1024;

// kInvalidArgument says what is wrong with the text and how to mend it. Takes at most about a
// second and some tens of megabytes, whatever the text (GrammarLimits).
Result<std::shared_ptr<const Grammar>> CompileText(GrammarSource source, std::string_view text);

}  // namespace aio

#endif  // AIO_GRAMMAR_TEXT_GRAMMAR_H_
