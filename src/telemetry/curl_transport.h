// OTLP/HTTP by libcurl, over a connection that is kept.
#ifndef AIO_TELEMETRY_CURL_TRANSPORT_H_
#define AIO_TELEMETRY_CURL_TRANSPORT_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "telemetry/otlp_transport.h"

namespace aio {

// `url` is that of the collector's traces: http or https, certificates checked against the system's
// authorities; redirects are not followed. `headers` (name, value) go with every request.
std::unique_ptr<OtlpTransport> MakeCurlTransport(
    std::string url, std::vector<std::pair<std::string, std::string>> headers);

}  // namespace aio

#endif  // AIO_TELEMETRY_CURL_TRANSPORT_H_
