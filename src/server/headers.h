// Headers that carry values from outside, made safe. Internal to server/.
#ifndef AIO_SERVER_HEADERS_H_
#define AIO_SERVER_HEADERS_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "access/key_budgets.h"
#include "backend/events.h"
#include "base/clock.h"
#include "base/status.h"
#include "http/http_message.h"

namespace aio {

inline constexpr size_t kHeaderValueBytesMax = 512;
inline constexpr size_t kLoggedNameBytesMax = 128;  // of what a client names: logs and traces

// 32 hexadecimal digits that nobody can guess.
std::string NewRequestId();

// 1 to 128 letters, digits and "-_.:/+=@": what identifies a request and cannot forge a log.
bool IsSaneRequestId(std::string_view id);

// `text` with each character but printable ASCII replaced by '?', cut to `bytes_max`.
std::string PrintableAscii(std::string_view text, size_t bytes_max);

// x-aio-model, and what is known of the decision: x-aio-intent and x-aio-entropy if the prompt
// was probed, x-aio-strategy, x-aio-reason.
HttpHeaders DecisionHeaders(const std::string& model, const Decision* decision);

// The API key that the request shows: the bearer token of `authorization`, or `x-api-key`, as
// Anthropic's clients send it. Empty: none. Points into the request.
std::string_view PresentedKey(const HttpRequest& request);

// `x-request-timeout-ms` of the request: zero if it has none, kInvalidArgument if that is no whole
// number from 1 to a day.
Result<Duration> RequestedTimeout(const HttpRequest& request);

// The x-ratelimit-* headers of those limits that there are.
void AddLimitHeaders(const LimitReadings& readings, HttpHeaders& headers);

// "1h2m3s", "250ms"; rounded up.
std::string ShortDuration(Duration d);

}  // namespace aio

#endif  // AIO_SERVER_HEADERS_H_
