#include "stress/client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>

#include "base/check.h"

namespace aio {
namespace {

constexpr size_t kReadBytes = 64 << 10;
constexpr int kEventsMax = 1024;

// Loopback is a whole network of addresses: each has its own ports, of which those of connections
// that have just ended are not free.
in_addr_t NextAddress() {
  static uint32_t next = 0;
  return htonl(INADDR_LOOPBACK + (next++ / 1024) % 64);
}

}  // namespace

Client::Client(int port, int receive_buffer_bytes)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
  AIO_CHECK(socket_.valid(), "no socket: is the limit of open files too low?");
  if (receive_buffer_bytes > 0) {
    ::setsockopt(fd(), SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
  }
  const int on = 1;
  ::setsockopt(fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(fd(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = NextAddress();
  // One that cannot have the address connects from another.
  (void)::bind(fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  const int failed = ::connect(fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  if (failed != 0 && errno != EINPROGRESS) ended_ = true;
}

void Client::Send(std::string_view bytes) {
  unsent_ += bytes;
  SendMore();
}

void Client::SendMore() {
  while (!unsent_.empty() && socket_.valid()) {
    const ssize_t sent = ::send(fd(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      unsent_.erase(0, static_cast<size_t>(sent));
    } else {
      // Of a connection that is gone reading tells.
      if (errno != EAGAIN && errno != ENOTCONN) unsent_.clear();
      return;
    }
  }
}

void Client::Progress() {
  SendMore();
  static std::array<char, kReadBytes> bytes;
  while (socket_.valid() && !ended_) {
    const ssize_t got = ::recv(fd(), bytes.data(), bytes.size(), 0);
    if (got > 0) {
      received_.append(bytes.data(), static_cast<size_t>(got));
    } else if (got == 0 || (errno != EAGAIN && errno != ENOTCONN)) {
      ended_ = true;
    } else {
      return;
    }
  }
}

bool Client::ReadResponse() {
  received_.erase(0, response_.Feed(received_));
  if (ended_ && received_.empty()) response_.FeedEnd();
  return response_.done();
}

void Client::HalfClose() { ::shutdown(fd(), SHUT_WR); }

void Client::Reset() {
  const linger hard{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  Close();
}

Poller::Poller() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), events_(kEventsMax) {}

void Poller::Add(const Client& client, uint64_t id) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u64 = id;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, client.fd(), &event);
}

std::span<const uint64_t> Poller::Wait(Duration timeout) {
  const int64_t ns = timeout > Duration::zero() ? timeout.count() : 0;
  const timespec wait{.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000};
  const int count = ::epoll_pwait2(epoll_.get(), events_.data(), kEventsMax, &wait, nullptr);
  ids_.clear();
  for (int i = 0; i < count; ++i) ids_.push_back(events_[i].data.u64);
  return ids_;
}

std::string Fetch(int port, std::string_view request, Duration patience) {
  const SystemClock clock;
  Client client(port);
  Poller poller;
  poller.Add(client, 0);
  client.Send(request);
  const TimePoint end = clock.Now() + patience;
  while (!client.ReadResponse() && !client.ended() && clock.Now() < end) {
    poller.Wait(end - clock.Now());
    client.Progress();
  }
  return client.response().done() ? std::move(client.response().body()) : "";
}

std::string FetchPath(int port, std::string_view path) {
  return Fetch(port, fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\n\r\n", path));
}

int64_t NumberIn(std::string_view json, std::string_view name) {
  const std::string key = fmt::format("\"{}\":", name);
  const size_t at = json.find(key);
  if (at == json.npos) return -1;
  int64_t number = -1;
  const size_t begin = json.find_first_not_of(' ', at + key.size());
  if (begin == json.npos) return -1;
  std::from_chars(json.data() + begin, json.data() + json.size(), number);
  return number;
}

std::string PostRequest(std::string_view path, std::string_view body, std::string_view headers) {
  return fmt::format(
      "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Content-Length: {}\r\n{}\r\n{}",
      path, body.size(), headers, body);
}

std::string ChatRequest(int tokens, bool stream, std::string_view prompt, std::string_view model) {
  return PostRequest("/v1/chat/completions",
                     fmt::format(R"({{"model":"{}","messages":[{{"role":"user","content":"{}"}}],)"
                                 R"("max_tokens":{},"temperature":0,"stream":{}}})",
                                 model, prompt, tokens, stream));
}

}  // namespace aio
