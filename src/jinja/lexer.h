// A template's text as tokens, by Jinja's rules of whitespace with trim_blocks and lstrip_blocks
// on. Internal to jinja/.
#ifndef AIO_JINJA_LEXER_H_
#define AIO_JINJA_LEXER_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace aio {

enum class JinjaTokenKind {
  kData,           // text between tags; never empty
  kBlockBegin,     // {%
  kBlockEnd,       // %}
  kVariableBegin,  // {{
  kVariableEnd,    // }}
  kName,
  kString,    // without quotation marks, escapes resolved
  kInteger,   // as written
  kFloat,     // likewise
  kOperator,  // "+", "==", "[", ...
  kEnd,       // of the template
};

struct JinjaToken {
  JinjaTokenKind kind;
  std::string text;
  int line;  // from 1

  bool Is(JinjaTokenKind a_kind, std::string_view a_text) const {
    return kind == a_kind && text == a_text;
  }
};

// Ends with kEnd. kInvalidArgument, with the line, for what is no token, a tag that does not end,
// and text that is no UTF-8.
Result<std::vector<JinjaToken>> LexJinja(std::string_view source);

}  // namespace aio

#endif  // AIO_JINJA_LEXER_H_
