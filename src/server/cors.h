// Cross-origin requests of browsers (the Fetch standard's CORS protocol): off unless origins are
// named.
#ifndef AIO_SERVER_CORS_H_
#define AIO_SERVER_CORS_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "http/http_message.h"

namespace aio {

// An origin is "*" (all), or a scheme, a host and perhaps a port, as browsers send it:
// "https://chat.example.org:8443". kInvalidArgument says what is wrong.
Status CheckCorsOrigin(std::string_view origin);

// Lets the page that asks read the answer, if its origin is one of `origins`.
void AddCorsHeaders(const std::vector<std::string>& origins, const HttpRequest& request,
                    HttpHeaders& headers);

// The answer to a browser's question, before the request, whether a page may make it.
// AddCorsHeaders() makes it a yes.
HttpResponse CorsPreflight(std::string_view method);

}  // namespace aio

#endif  // AIO_SERVER_CORS_H_
