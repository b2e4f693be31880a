// How requests reach other servers: HTTP calls and timers, one at a time, as if on one thread,
// which is called the transport's here. The remote layer is written against this interface, so that
// tests and simulation drive the real routing between replicas with a network and a clock of their
// own.
#ifndef AIO_REMOTE_HTTP_TRANSPORT_H_
#define AIO_REMOTE_HTTP_TRANSPORT_H_

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"

namespace aio {

struct HttpCall {
  std::string url;      // whole: "http://host:8000/v1/chat/completions"
  std::string address;  // to connect to in place of the URL's host; empty: that
  int port = 0;         // likewise, with `address`; 0: the URL's
  // "name: value"; may be null.
  std::shared_ptr<const std::vector<std::string>> headers = nullptr;
  std::shared_ptr<const std::string> body = nullptr;  // of a POST; null: a GET
  Duration connect_timeout = std::chrono::seconds(1);
};

struct HttpHead {
  int status = 0;
  std::optional<Duration> retry_after = {};
};

// Called on the transport's thread.
class HttpReceiver {
 public:
  virtual ~HttpReceiver() = default;
  virtual void OnHead(const HttpHead& head) = 0;
  // A part of the body. False: there is no use in more, and the call ends.
  virtual bool OnBytes(std::string_view bytes) = 0;
  // Exactly once, last; not after Cancel(). Ok: the response came whole, whatever its status.
  virtual void OnEnd(const Status& fault) = 0;
};

// Of one call. For the transport's thread alone. Destroying it does not cancel.
class HttpCallHandle {
 public:
  virtual ~HttpCallHandle() = default;
  // Closes the connection, unless the call has ended. Nothing is received any more.
  virtual void Cancel() = 0;
  // Reads no more until told otherwise: the server's writes come to a stop.
  virtual void SetPaused(bool paused) = 0;
};

class HttpTransport {
 public:
  virtual ~HttpTransport() = default;

  // On the transport's thread, once, at `at` or as soon as may be after it. Thread-safe. Tasks of
  // one time run in the order in which they were given.
  virtual void RunAt(TimePoint at, std::function<void()> task) = 0;
  void Post(std::function<void()> task) { RunAt(TimePoint::min(), std::move(task)); }
  virtual TimePoint Now() const = 0;  // thread-safe

  // For the transport's thread alone, and from no HttpReceiver::OnBytes(). `receiver` is not called
  // before this returns.
  virtual std::shared_ptr<HttpCallHandle> Start(HttpCall call,
                                                std::shared_ptr<HttpReceiver> receiver) = 0;
};

}  // namespace aio

#endif  // AIO_REMOTE_HTTP_TRANSPORT_H_
