// Headers that carry values from outside, made safe. Internal to server/.
#ifndef AIO_SERVER_HEADERS_H_
#define AIO_SERVER_HEADERS_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "backend/events.h"
#include "base/status.h"
#include "http/http_message.h"

namespace aio {

inline constexpr size_t kHeaderValueBytesMax = 512;

// 32 hexadecimal digits that nobody can guess.
std::string NewRequestId();

// 1 to 128 letters, digits and "-_.:/+=@": what identifies a request and cannot forge a log.
bool IsSaneRequestId(std::string_view id);

// `text` with each character but printable ASCII replaced by '?', cut to `bytes_max`.
std::string PrintableAscii(std::string_view text, size_t bytes_max);

// x-aio-model, and what is known of the decision: x-aio-intent and x-aio-entropy if the prompt
// was probed, x-aio-strategy, x-aio-reason.
HttpHeaders DecisionHeaders(const std::string& model, const Decision* decision);

// Compares the request's bearer token, or its x-api-key, with `api_key` in constant time; ok if
// that is empty.
Status CheckApiKey(const HttpRequest& request, std::string_view api_key);

}  // namespace aio

#endif  // AIO_SERVER_HEADERS_H_
