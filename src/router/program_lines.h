// Whether a line is program text, by its form. Private to router/prompt_parts.cc.
#ifndef AIO_ROUTER_PROGRAM_LINES_H_
#define AIO_ROUTER_PROGRAM_LINES_H_

#include <cstddef>
#include <optional>
#include <string_view>

namespace aio {

std::string_view Trim(std::string_view text);
// Runs of letters, those of any script, between spaces or before a mark.
size_t CountWords(std::string_view text);
// Of any common language. `line` is trimmed and not empty.
bool IsProgramLine(std::string_view line);
// What stands behind the mark, if all of `line` (trimmed) is a comment that ends with it.
std::optional<std::string_view> LineComment(std::string_view line);

}  // namespace aio

#endif  // AIO_ROUTER_PROGRAM_LINES_H_
