// JSON Schema's string formats as regular expressions. Internal to grammar/.
#ifndef AIO_GRAMMAR_STRING_FORMATS_H_
#define AIO_GRAMMAR_STRING_FORMATS_H_

#include <optional>
#include <string>
#include <string_view>

namespace aio {

// A pattern that the text matches as a whole; absent: the format is not known.
std::optional<std::string> PatternOfFormat(std::string_view format);
// "date, date-time, ..."
std::string_view KnownFormats();

}  // namespace aio

#endif  // AIO_GRAMMAR_STRING_FORMATS_H_
