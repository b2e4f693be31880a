// Tells a service manager, such as systemd, how far the program is: the protocol of sd_notify(3).
#ifndef AIO_APP_SERVICE_MANAGER_H_
#define AIO_APP_SERVICE_MANAGER_H_

#include <string>
#include <string_view>

#include "base/status.h"

namespace aio {

// Thread-safe. Does nothing where no manager asked to be told. A manager that cannot be told is
// an error for the log, no more.
class ServiceManager {
 public:
  // The one that NOTIFY_SOCKET names. The variable is unset: processes that are started later are
  // not the service.
  static ServiceManager FromEnvironment();
  // `socket`: a datagram socket's path, or "@name" of one in the abstract namespace; empty: none.
  explicit ServiceManager(std::string socket) : socket_(std::move(socket)) {}

  // Starting or reloading is done. `status` is a line for people.
  Status Ready(std::string_view status) const;
  Status Reloading() const;
  Status Stopping(std::string_view status) const;

 private:
  Status Send(std::string_view message) const;

  const std::string socket_;
};

}  // namespace aio

#endif  // AIO_APP_SERVICE_MANAGER_H_
