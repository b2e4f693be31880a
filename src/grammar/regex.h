// Reads regular expressions: the subset of ECMAScript's that describes regular languages and needs
// no look around.
//
//   literals, . (any but a line end), [abc], [^a-z], \d \D \w \W \s \S (of ASCII, but for spaces)
//   \n \t \r \f \v \0, \xHH, \uHHHH, \u{H...}, \ before any punctuation
//   (group), (?:group), a|b, *, +, ?, {m}, {m,}, {m,n}; lazy ones (*?) are the same language
//   ^ first and $ last in an alternative of the whole pattern
//
// All else is refused by name: back references, look around, \b, \p, named groups, flags.
#ifndef AIO_GRAMMAR_REGEX_H_
#define AIO_GRAMMAR_REGEX_H_

#include <string_view>

#include "base/status.h"
#include "grammar/char_classes.h"
#include "grammar/grammar_builder.h"

namespace aio {

enum class RegexMatch {
  kWhole,   // the text matches as a whole; anchors say nothing new
  kSearch,  // some part of it does, unless ^ and $ say otherwise: JSON Schema's `pattern`
};

// `pattern` is valid UTF-8, or refused. kInvalidArgument says where (a byte offset) and what.
Result<ExprId> ReadRegex(std::string_view pattern, RegexMatch match, GrammarBuilder& builder,
                         const CharWriter& write);

}  // namespace aio

#endif  // AIO_GRAMMAR_REGEX_H_
