// What we read out of a Jinja chat template without running it.
#ifndef AIO_TOKENIZER_JINJA_TEXT_H_
#define AIO_TOKENIZER_JINJA_TEXT_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace aio {

class GgufFile;

// Far more than any published template has.
inline constexpr size_t kMaxJinjaBytes = size_t{256} << 10;

// `tokenizer.chat_template`. kNotFound if there is none, kInvalidArgument if it is longer
// than kMaxJinjaBytes; names the file and the key.
Result<std::string_view> ReadJinja(const GgufFile& file);

// The family whose markers `jinja` writes, by its name; empty if we know none.
// `eos_piece`: what the template's `eos_token` stands for.
std::string_view RecogniseChatFamily(std::string_view jinja, std::string_view eos_piece);

// The text between `open` and `close` in the first string literal (or stretch of plain
// template text) of `jinja` that contains both, escapes resolved: a default system prompt.
std::optional<std::string> FindLiteralBetween(std::string_view jinja, std::string_view open,
                                              std::string_view close);

// The text of the first {% set `variable` = '...' %}.
std::optional<std::string> FindAssignedLiteral(std::string_view jinja, std::string_view variable);

}  // namespace aio

#endif  // AIO_TOKENIZER_JINJA_TEXT_H_
