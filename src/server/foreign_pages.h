// Pages of other sites, which a browser lets send requests to wherever it can reach. Internal to
// server/.
#ifndef AIO_SERVER_FOREIGN_PAGES_H_
#define AIO_SERVER_FOREIGN_PAGES_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "http/http_message.h"

namespace aio {

// For a server that asks for no key, where being able to reach it is all that it takes.
// kPermissionDenied for what a page of another site sends, unless its origin is one of `origins`;
// and `on_loopback` for a Host that is a name of the wide world: one that was made to resolve to
// this machine, so that a page counts as the server's own (DNS rebinding), or that of a proxy,
// whose origin is then to be named.
Status CheckNoForeignPage(const HttpRequest& request, const std::vector<std::string>& origins,
                          bool on_loopback);

}  // namespace aio

#endif  // AIO_SERVER_FOREIGN_PAGES_H_
