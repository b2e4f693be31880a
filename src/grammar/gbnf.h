// Reads GBNF, llama.cpp's notation of grammars (its grammars/README.md):
//
//   root  ::= "yes" | "no" reason?      # comments run to the end of the line
//   reason ::= ": " [^\n]{1,80}
//
// Rules named with letters, digits, - and _; literals and sets with \n \r \t \\ \" \[ \] \xHH
// \uHHHH \UHHHHHHHH; . for any character; ( ), |, *, +, ?, {m}, {m,}, {m,n}. A rule goes on in the
// next line inside parentheses and after ::= and |. The text must match `root`.
//
// Unlike there, a rule that calls itself before it reads anything is refused (so it is there,
// by newer versions), and so are tokens by name or number (<think>, <[1000]>).
#ifndef AIO_GRAMMAR_GBNF_H_
#define AIO_GRAMMAR_GBNF_H_

#include <string_view>

#include "base/status.h"
#include "grammar/grammar_builder.h"

namespace aio {

// Returns the root. kInvalidArgument names the line.
Result<RuleId> ReadGbnf(std::string_view text, GrammarBuilder& builder);

}  // namespace aio

#endif  // AIO_GRAMMAR_GBNF_H_
