// Escapes in the string literals of templates. Internal to jinja/.
#ifndef AIO_JINJA_STRING_LITERAL_H_
#define AIO_JINJA_STRING_LITERAL_H_

#include <string>
#include <string_view>

namespace aio {

// `literal` without its quotation marks, Python's escapes resolved; unknown ones stay as they are
// (\N{...} too), and what names no character becomes U+FFFD.
std::string ResolveEscapes(std::string_view literal);

}  // namespace aio

#endif  // AIO_JINJA_STRING_LITERAL_H_
