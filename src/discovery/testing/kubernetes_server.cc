#include "discovery/testing/kubernetes_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "base/check.h"

namespace aio {
namespace {

constexpr auto kPatience = std::chrono::seconds(60);

void SendAll(int socket, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = send(socket, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    text.remove_prefix(static_cast<size_t>(sent));
  }
}

// The head of a request, or nothing.
std::string ReadHead(int socket) {
  std::string head;
  std::array<char, 4096> bytes{};
  while (head.find("\r\n\r\n") == std::string::npos) {
    const ssize_t got = recv(socket, bytes.data(), bytes.size(), 0);
    if (got <= 0) return "";
    head.append(bytes.data(), static_cast<size_t>(got));
  }
  return head;
}

KubernetesServer::Request ParseHead(const std::string& head) {
  KubernetesServer::Request request;
  const size_t begin = head.find(' ') + 1;
  request.target = head.substr(begin, head.find(' ', begin) - begin);
  constexpr std::string_view kName = "\r\nauthorization: ";
  const size_t header = head.find(kName);
  if (header != std::string::npos) {
    const size_t value = header + kName.size();
    request.authorization = head.substr(value, head.find('\r', value) - value);
  }
  return request;
}

std::string Chunk(std::string_view text) {
  return fmt::format("{:x}\r\n{}\r\n", text.size(), text);
}

}  // namespace

KubernetesServer::KubernetesServer() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{
      .sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  AIO_CHECK(bind(listener_.get(), generic, size) == 0 && listen(listener_.get(), 16) == 0 &&
                getsockname(listener_.get(), generic, &size) == 0,
            "cannot listen");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Accept(); });
}

KubernetesServer::~KubernetesServer() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
    for (const Connection& connection : connections_) shutdown(connection.socket.get(), SHUT_RDWR);
  }
  changed_.notify_all();
  shutdown(listener_.get(), SHUT_RDWR);
  thread_.join();
  for (Connection& connection : connections_) connection.thread.join();
}

std::string KubernetesServer::url() const { return fmt::format("http://127.0.0.1:{}", port_); }

void KubernetesServer::SetList(Reply reply) {
  const std::lock_guard lock(mutex_);
  list_ = std::move(reply);
}

void KubernetesServer::SetNextWatch(Reply reply) {
  const std::lock_guard lock(mutex_);
  next_watches_.push_back(std::move(reply));
}

std::vector<KubernetesServer::Request> KubernetesServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

KubernetesServer::Request KubernetesServer::WaitForWatch(size_t number) {
  std::unique_lock lock(mutex_);
  const bool came = changed_.wait_for(lock, kPatience, [&] { return watches_.size() >= number; });
  return came ? watches_[number - 1] : Request{};
}

bool KubernetesServer::WaitForLists(size_t count) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kPatience, [&] {
    const auto lists = std::count_if(requests_.begin(), requests_.end(),
                                     [](const Request& request) { return !request.is_watch(); });
    return static_cast<size_t>(lists) >= count;
  });
}

void KubernetesServer::Send(std::string_view text) {
  const std::lock_guard lock(mutex_);
  SendAll(watch_, Chunk(text));
}

void KubernetesServer::EndWatch() {
  const std::lock_guard lock(mutex_);
  SendAll(watch_, Chunk(""));
  shutdown(watch_, SHUT_RDWR);
}

void KubernetesServer::CutWatch() {
  const std::lock_guard lock(mutex_);
  SendAll(watch_, "ff\r\n{\"type\":\"MODIF");
  shutdown(watch_, SHUT_RDWR);
}

void KubernetesServer::Accept() {
  while (true) {
    FileDescriptor client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    const std::lock_guard lock(mutex_);
    if (ends_ || !client.valid()) return;
    Connection& connection = connections_.emplace_back();
    connection.socket = std::move(client);
    connection.thread = std::thread([this, fd = connection.socket.get()] { Serve(fd); });
  }
}

// One request a connection.
void KubernetesServer::Serve(int socket) {
  const std::string head = ReadHead(socket);
  if (head.empty()) return;
  const Request request = ParseHead(head);
  const Reply reply = ReplyTo(request);
  std::string text = fmt::format("HTTP/1.1 {} Whatever\r\nconnection: close\r\n", reply.status);
  text += reply.stays_open
              ? "transfer-encoding: chunked\r\n\r\n"
              : fmt::format("content-length: {}\r\n\r\n{}", reply.body.size(), reply.body);
  SendAll(socket, text);
  {
    const std::lock_guard lock(mutex_);
    if (reply.stays_open) watch_ = socket;
    if (request.is_watch()) watches_.push_back(request);
    if (!reply.stays_open) shutdown(socket, SHUT_WR);
  }
  changed_.notify_all();
}

KubernetesServer::Reply KubernetesServer::ReplyTo(const Request& request) {
  Reply reply;
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
    if (!request.is_watch()) {
      reply = list_;
    } else if (next_watches_.empty()) {
      reply.stays_open = true;
    } else {
      reply = std::move(next_watches_.front());
      next_watches_.erase(next_watches_.begin());
    }
  }
  changed_.notify_all();
  return reply;
}

}  // namespace aio
