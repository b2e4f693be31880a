// The escapes that stand for sets of characters, and how expressions write characters of a set.
// Internal to grammar/.
#ifndef AIO_GRAMMAR_CHAR_CLASSES_H_
#define AIO_GRAMMAR_CHAR_CLASSES_H_

#include <functional>
#include <optional>

#include "grammar/code_points.h"
#include "grammar/grammar_builder.h"

namespace aio {

// Of \d, \D, \w, \W, \s, \S, by their letter: as in ECMAScript without flags. Absent for others.
std::optional<CodePointSet> ClassEscape(char letter);

// How a text writes one character of a set: as it is, or as in a JSON string.
using CharWriter = std::function<ExprId(const CodePointSet& set)>;

// A character of `set` in a JSON string, quotation mark, reverse solidus and control characters as
// the shortest escape, all else as it is.
ExprId JsonStringChars(GrammarBuilder& builder, const CodePointSet& set);

}  // namespace aio

#endif  // AIO_GRAMMAR_CHAR_CLASSES_H_
