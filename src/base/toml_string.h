#ifndef AIO_BASE_TOML_STRING_H_
#define AIO_BASE_TOML_STRING_H_

#include <string>
#include <string_view>

namespace aio {

// `text` as a basic string of TOML, with its quotes.
std::string TomlString(std::string_view text);

}  // namespace aio

#endif  // AIO_BASE_TOML_STRING_H_
