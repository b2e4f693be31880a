#include "api/error_object.h"

#include <nlohmann/json.hpp>

#include "api/json_text.h"

namespace aio {
namespace {

// In OpenAI's words where it has one. Its clients choose their exception by the HTTP status; this
// is for people and for those who match on it themselves.
std::string_view ErrorType(int http_status) {
  switch (http_status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 429:
      return "rate_limit_error";
    case 501:
      return "not_implemented_error";
    case 503:
      return "service_unavailable_error";
    case 504:
      return "timeout_error";
    default:
      return http_status < 500 ? "invalid_request_error" : "server_error";
  }
}

std::string_view AnthropicErrorType(int http_status) {
  switch (http_status) {
    case 400:
    case 501:  // what is not supported must be left out
      return "invalid_request_error";
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 429:
      return "rate_limit_error";
    case 503:
      return "overloaded_error";
    case 504:
      return "timeout_error";
    default:
      return "api_error";
  }
}

OrderedJson OrNull(const std::string& text) {
  return text.empty() ? OrderedJson(nullptr) : OrderedJson(text);
}

std::string Encode(int http_status, std::string_view message, const std::string& param,
                   const std::string& code) {
  OrderedJson error;
  error["message"] = message;
  error["type"] = ErrorType(http_status);
  error["param"] = OrNull(param);
  error["code"] = OrNull(code);
  OrderedJson body;
  body["error"] = std::move(error);
  return ToText(body);
}

}  // namespace

int HttpStatusOf(StatusCode code) {
  switch (code) {
    case StatusCode::kOk:
      return 200;
    case StatusCode::kInvalidArgument:
      return 400;
    case StatusCode::kNotFound:
      return 404;
    case StatusCode::kUnauthenticated:
      return 401;
    case StatusCode::kPermissionDenied:
      return 403;
    case StatusCode::kResourceExhausted:
      return 429;
    case StatusCode::kUnavailable:
      return 503;
    case StatusCode::kDeadlineExceeded:
      return 504;
    case StatusCode::kCancelled:
      return 499;
    case StatusCode::kUnimplemented:
      return 501;
    case StatusCode::kInternal:
      return 500;
  }
  return 500;
}

std::string EncodeError(const Status& status) {
  return Encode(HttpStatusOf(status.code()), status.message(), status.param(), status.reason());
}

std::string EncodeAnthropicError(const Status& status, std::string_view request_id) {
  OrderedJson body;
  body["type"] = "error";
  OrderedJson& error = body["error"];
  error["type"] = AnthropicErrorType(HttpStatusOf(status.code()));
  error["message"] = status.message();
  if (!request_id.empty()) body["request_id"] = request_id;
  return ToText(body);
}

std::string EncodeError(int http_status, std::string_view message) {
  return Encode(http_status, message, "", "");
}

}  // namespace aio
