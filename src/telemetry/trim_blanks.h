// Optional whitespace of header fields (RFC 9110, 5.6.3).
#ifndef AIO_TELEMETRY_TRIM_BLANKS_H_
#define AIO_TELEMETRY_TRIM_BLANKS_H_

#include <string_view>

namespace aio {

// A view into `text` without the spaces and tabs around it.
inline std::string_view TrimBlanks(std::string_view text) {
  constexpr std::string_view kBlank = " \t";
  const size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

}  // namespace aio

#endif  // AIO_TELEMETRY_TRIM_BLANKS_H_
