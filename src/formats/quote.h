// Text from a file, made fit for a message.
#ifndef AIO_FORMATS_QUOTE_H_
#define AIO_FORMATS_QUOTE_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace aio {

// `text` in double quotes: always one line of valid UTF-8. Bytes that are not UTF-8 become
// \xNN, control and invisible formatting characters \n, \t or \u{NNNN} (a file must not
// steer the reader's terminal); what exceeds `max_bytes` of the text becomes "...".
std::string QuoteForMessage(std::string_view text, size_t max_bytes = 80);

}  // namespace aio

#endif  // AIO_FORMATS_QUOTE_H_
