#include "app/service_manager.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "base/file_descriptor.h"

namespace aio {

ServiceManager ServiceManager::FromEnvironment() {
  const char* socket = std::getenv("NOTIFY_SOCKET");  // NOLINT(concurrency-mt-unsafe): at start
  ServiceManager manager(socket == nullptr ? "" : socket);
  ::unsetenv("NOTIFY_SOCKET");  // NOLINT(concurrency-mt-unsafe): likewise
  return manager;
}

Status ServiceManager::Ready(std::string_view status) const {
  return Send(fmt::format("READY=1\nSTATUS={}", status));
}

Status ServiceManager::Reloading() const {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return Send(
      fmt::format("RELOADING=1\nMONOTONIC_USEC={}", now.tv_sec * 1'000'000LL + now.tv_nsec / 1000));
}

Status ServiceManager::Stopping(std::string_view status) const {
  return Send(fmt::format("STOPPING=1\nSTATUS={}", status));
}

Status ServiceManager::Send(std::string_view message) const {
  if (socket_.empty()) return Status::Ok();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if ((socket_[0] != '/' && socket_[0] != '@') || socket_.size() >= sizeof(address.sun_path)) {
    return InvalidArgument(
        fmt::format("NOTIFY_SOCKET: '{}' is neither an absolute path nor @name", socket_));
  }
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  if (socket_[0] == '@') address.sun_path[0] = '\0';
  // An abstract name has no end but the length; a path's terminating zero is outside it.
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  const FileDescriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.valid() ||
      ::sendto(socket.get(), message.data(), message.size(), MSG_NOSIGNAL,
               reinterpret_cast<const sockaddr*>(&address),  // NOLINT: the interface's own way
               length) < 0) {
    return SystemError("tell the service manager", errno).WithContext(socket_);
  }
  return Status::Ok();
}

}  // namespace aio
