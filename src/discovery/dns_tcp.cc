#include "discovery/dns_tcp.h"

#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

#include "base/file_descriptor.h"

namespace aio {
namespace {

Status NoAnswer() { return Unavailable("no name server has answered over TCP"); }

// A connection whose operations all end by one time.
class TimedStream {
 public:
  explicit TimedStream(Duration timeout) : deadline_(std::chrono::steady_clock::now() + timeout) {}

  bool Connect(const sockaddr& server, socklen_t server_size) {
    socket_ =
        FileDescriptor(socket(server.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket_.valid()) return false;
    if (connect(socket_.get(), &server, server_size) == 0) return true;
    if (errno != EINPROGRESS || !Wait(POLLOUT)) return false;
    int error = 0;
    socklen_t size = sizeof error;
    return getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
  }

  bool Write(std::span<const uint8_t> bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent > 0) {
        bytes = bytes.subspan(static_cast<size_t>(sent));
      } else if (!IsToWait() || !Wait(POLLOUT)) {
        return false;
      }
    }
    return true;
  }

  bool Read(std::span<uint8_t> bytes) {
    while (!bytes.empty()) {
      const ssize_t got = recv(socket_.get(), bytes.data(), bytes.size(), 0);
      if (got > 0) {
        bytes = bytes.subspan(static_cast<size_t>(got));
      } else if (got == 0 || !IsToWait() || !Wait(POLLIN)) {
        return false;
      }
    }
    return true;
  }

 private:
  static bool IsToWait() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

  bool Wait(int16_t events) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline_ - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd polled{.fd = socket_.get(), .events = events, .revents = 0};
    const int ready = poll(&polled, 1, static_cast<int>(left.count()));
    return ready > 0 || (ready < 0 && errno == EINTR);
  }

  FileDescriptor socket_;
  const std::chrono::steady_clock::time_point deadline_;
};

}  // namespace

Result<std::vector<uint8_t>> AskOverTcp(const sockaddr& server, socklen_t server_size,
                                        std::span<const uint8_t> query, Duration timeout) {
  constexpr size_t kIdBytes = 2;
  std::vector<uint8_t> framed = {static_cast<uint8_t>(query.size() >> 8),
                                 static_cast<uint8_t>(query.size())};
  framed.insert(framed.end(), query.begin(), query.end());
  TimedStream stream(timeout);
  std::array<uint8_t, 2> length{};
  if (!stream.Connect(server, server_size) || !stream.Write(framed) || !stream.Read(length)) {
    return NoAnswer();
  }
  std::vector<uint8_t> answer(static_cast<size_t>(length[0]) << 8 | length[1]);
  if (!stream.Read(answer)) return NoAnswer();
  if (answer.size() < kIdBytes ||
      !std::equal(query.begin(), query.begin() + kIdBytes, answer.begin())) {
    return NoAnswer();
  }
  return answer;
}

}  // namespace aio
