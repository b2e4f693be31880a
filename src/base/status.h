// Status and Result<T>: how faults of the world (files, requests, network) are reported.
//
// A fault carries a code, a message that says what is wrong and how to mend it, and,
// where a client sent the offending value, the field it stood in (`param`) and a stable
// machine-readable `reason` ("context_length_exceeded"); these three become the
// OpenAI error object. Broken invariants are not Status: see base/check.h.
#ifndef AIO_BASE_STATUS_H_
#define AIO_BASE_STATUS_H_

#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/check.h"

namespace aio {

enum class StatusCode {
  kOk,
  kInvalidArgument,    // the caller must change the request or the file
  kNotFound,           // the named thing does not exist
  kUnauthenticated,    // no valid key
  kPermissionDenied,   // a valid key that may not do this
  kResourceExhausted,  // memory, queue or budget is full; later may work
  kUnavailable,        // shutting down, or a backend is gone; later may work
  kDeadlineExceeded,   // the request's own deadline passed
  kCancelled,          // the caller went away
  kUnimplemented,      // valid, but not supported here
  kInternal,           // our fault
};

// "invalid_argument", "not_found", ...; stable, used in logs and metrics.
std::string_view StatusCodeName(StatusCode code);

class [[nodiscard]] Status {
 public:
  Status() = default;  // ok
  Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {}

  static Status Ok() { return Status(); }

  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  const std::string& message() const { return message_; }
  const std::string& param() const { return param_; }    // e.g. "messages[0].role", or empty
  const std::string& reason() const { return reason_; }  // e.g. "model_not_found", or empty

  Status WithParam(std::string param) && {
    param_ = std::move(param);
    return std::move(*this);
  }
  Status WithReason(std::string reason) && {
    reason_ = std::move(reason);
    return std::move(*this);
  }
  // The same fault seen from one level up: "models/x.gguf: <message>".
  Status WithContext(std::string_view context) &&;

  // "invalid_argument: message"
  std::string ToString() const;

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
  std::string param_;
  std::string reason_;
};

Status InvalidArgument(std::string message);
Status NotFound(std::string message);
Status ResourceExhausted(std::string message);
Status Unavailable(std::string message);
Status DeadlineExceeded(std::string message);
Status Cancelled(std::string message);
Status Unimplemented(std::string message);
Status Internal(std::string message);

// A T, or the Status that says why there is none. value() on a failure is a broken
// invariant and stops the program.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}        // NOLINT: implicit by design
  Result(Status status) : state_(std::move(status)) {  // NOLINT: implicit by design
    AIO_CHECK(!std::get<Status>(state_).ok(), "a Result cannot hold an ok Status");
  }

  bool ok() const { return std::holds_alternative<T>(state_); }
  Status status() const { return ok() ? Status() : std::get<Status>(state_); }

  T& value() & { return Checked(); }
  const T& value() const& { return const_cast<Result*>(this)->Checked(); }
  T&& value() && { return std::move(Checked()); }
  T& operator*() & { return Checked(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(Checked()); }
  T* operator->() { return &Checked(); }
  const T* operator->() const { return &value(); }

 private:
  T& Checked() {
    AIO_CHECK(ok(), std::get<Status>(state_).ToString().c_str());
    return std::get<T>(state_);
  }

  std::variant<T, Status> state_;
};

}  // namespace aio

#define AIO_CONCAT_INNER_(a, b) a##b
#define AIO_CONCAT_(a, b) AIO_CONCAT_INNER_(a, b)

// Returns the Status of `expression` from the enclosing function if it is not ok.
#define AIO_RETURN_IF_ERROR(expression)        \
  do {                                         \
    ::aio::Status aio_status_ = (expression);  \
    if (!aio_status_.ok()) return aio_status_; \
  } while (false)

// AIO_ASSIGN_OR_RETURN(auto file, Open(path)): declares `file` or returns the Status.
#define AIO_ASSIGN_OR_RETURN(declaration, expression) \
  AIO_ASSIGN_OR_RETURN_IMPL_(AIO_CONCAT_(aio_result_, __LINE__), declaration, expression)
#define AIO_ASSIGN_OR_RETURN_IMPL_(result, declaration, expression) \
  auto result = (expression);                                       \
  if (!result.ok()) return result.status();                         \
  declaration = std::move(result).value()

#endif  // AIO_BASE_STATUS_H_
