// What we read out of a Jinja chat template without running it.
#ifndef AIO_TOKENIZER_JINJA_TEXT_H_
#define AIO_TOKENIZER_JINJA_TEXT_H_

#include <optional>
#include <string>
#include <string_view>

namespace aio {

// The family whose markers `jinja` writes, by its name; empty if we know none.
// `eos_piece`: what the template's `eos_token` stands for.
std::string_view RecogniseChatFamily(std::string_view jinja, std::string_view eos_piece);

// The literal text between `open` and `close` in the first string literal (or stretch of
// plain template text) of `jinja` that contains both: a default system prompt. Escapes are
// resolved; `open` may be written with \n for a line break.
std::optional<std::string> FindLiteralBetween(std::string_view jinja, std::string_view open,
                                              std::string_view close);

// The text of the first {% set `variable` = '...' %}.
std::optional<std::string> FindAssignedLiteral(std::string_view jinja, std::string_view variable);

}  // namespace aio

#endif  // AIO_TOKENIZER_JINJA_TEXT_H_
