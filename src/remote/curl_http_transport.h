// HTTP over libcurl: connections are kept and used again, TLS is checked.
#ifndef AIO_REMOTE_CURL_HTTP_TRANSPORT_H_
#define AIO_REMOTE_CURL_HTTP_TRANSPORT_H_

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/status.h"
#include "remote/http_transport.h"

namespace aio {

class IoThreads;

struct CurlHttpOptions {
  std::string ca_file;  // PEM: trusted in place of the system's authorities; empty: those
  // PEM: who we are to servers that ask; empty: nobody.
  std::string client_certificate = {};
  std::string client_key = {};
  // Idle connections that are kept for later calls.
  int idle_connections_max = 1024;
  // A peer that acknowledges nothing for so long, or takes nothing, is gone.
  Duration unacknowledged_max = std::chrono::seconds(10);
};

// Works on the threads of `io`, on one at a time; null: on one of its own. Its destructor waits for
// them, so that it must not run on one, and drops calls and timers: nothing is called any more.
// `clock` outlives it. kInternal if the system gives no descriptors.
Result<std::unique_ptr<HttpTransport>> MakeCurlHttpTransport(
    CurlHttpOptions options, const Clock& clock, std::shared_ptr<IoThreads> io = nullptr);

}  // namespace aio

#endif  // AIO_REMOTE_CURL_HTTP_TRANSPORT_H_
