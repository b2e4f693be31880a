// Finds the handler for a request. Internal to server/.
#ifndef AIO_SERVER_ROUTES_H_
#define AIO_SERVER_ROUTES_H_

#include <memory>

#include "server/call.h"

namespace aio {

// Checks the route, the method, the API key and the server's state, in this order, and runs
// the route's handler.
void Dispatch(const std::shared_ptr<Call>& call);

}  // namespace aio

#endif  // AIO_SERVER_ROUTES_H_
