// Faults as OpenAI's error object: {"error": {"message", "type", "param", "code"}}.
#ifndef AIO_API_ERROR_OBJECT_H_
#define AIO_API_ERROR_OBJECT_H_

#include <string>
#include <string_view>

#include "base/status.h"

namespace aio {

// 400 for kInvalidArgument, 404 for kNotFound, 429 for kResourceExhausted, ...; 499 (no
// standard code; nginx's) for kCancelled, which no client sees.
int HttpStatusOf(StatusCode code);

// `status` is not ok; its reason() becomes `code`.
std::string EncodeError(const Status& status);

// Anthropic's: {"type": "error", "error": {"type", "message"}, "request_id"}. The message names the
// field. `request_id` is left out where it is empty.
std::string EncodeAnthropicError(const Status& status, std::string_view request_id);

// For faults that HTTP has a number for and Status has not (405, 413, ...).
std::string EncodeError(int http_status, std::string_view message);

}  // namespace aio

#endif  // AIO_API_ERROR_OBJECT_H_
