// How spans reach a collector: the network behind an interface.
#ifndef AIO_TELEMETRY_OTLP_TRANSPORT_H_
#define AIO_TELEMETRY_OTLP_TRANSPORT_H_

#include <functional>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/status.h"

namespace aio {

struct OtlpReply {
  Status fault = {};    // no answer came
  int http_status = 0;  // of the answer
  std::optional<Duration> retry_after = {};
  std::string body = {};  // its beginning
};

// For one thread at a time.
class OtlpTransport {
 public:
  virtual ~OtlpTransport() = default;

  // Sends an ExportTraceServiceRequest in JSON and waits for the answer, `timeout` at most.
  // Gives up soon after `goes_on` says no, which it asks at least every second.
  virtual OtlpReply Post(const std::string& body, Duration timeout,
                         const std::function<bool()>& goes_on) = 0;
};

}  // namespace aio

#endif  // AIO_TELEMETRY_OTLP_TRANSPORT_H_
