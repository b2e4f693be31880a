#include "discovery/testing/dns_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "base/check.h"

namespace aio {
namespace {

constexpr int kNoSuchName = 3;

FileDescriptor Bound(int type, int& port) {
  FileDescriptor fd(socket(AF_INET, type | SOCK_CLOEXEC, 0));
  sockaddr_in address{.sin_family = AF_INET,
                      .sin_port = htons(static_cast<uint16_t>(port)),
                      .sin_addr = {htonl(INADDR_LOOPBACK)},
                      .sin_zero = {}};
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(fd.get(), generic, size) != 0) return {};
  AIO_CHECK(getsockname(fd.get(), generic, &size) == 0, "a socket has no name");
  port = ntohs(address.sin_port);
  return fd;
}

}  // namespace

DnsServer::DnsServer() : wake_(eventfd(0, EFD_CLOEXEC)) {
  // Both on one port, which another program may have one of.
  while (!tcp_.valid()) {
    port_ = 0;
    udp_ = Bound(SOCK_DGRAM, port_);
    tcp_ = Bound(SOCK_STREAM, port_);
  }
  AIO_CHECK(listen(tcp_.get(), 8) == 0, "cannot listen");
  thread_ = std::thread([this] { Serve(); });
}

DnsServer::~DnsServer() {
  const uint64_t one = 1;
  AIO_CHECK(write(wake_.get(), &one, sizeof one) == sizeof one, "cannot wake");
  thread_.join();
}

std::string DnsServer::address() const { return "127.0.0.1:" + std::to_string(port_); }

void DnsServer::Set(const std::string& name, int type, DnsTestAnswer answer) {
  Set(name, type,
      [answer](std::span<const uint8_t> query, bool) { return WriteDnsAnswer(query, answer); });
}

void DnsServer::Set(const std::string& name, int type, Answer answer) {
  const std::lock_guard lock(mutex_);
  answers_[{name, type}] = std::move(answer);
}

bool DnsServer::WaitForQuestions(int count) {
  std::unique_lock lock(mutex_);
  const int until = questions_ + count;
  return changed_.wait_for(lock, std::chrono::seconds(60), [&] { return questions_ >= until; });
}

void DnsServer::Serve() {
  while (true) {
    std::array<pollfd, 3> polled = {
        {{udp_.get(), POLLIN, 0}, {tcp_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}}};
    if (poll(polled.data(), polled.size(), -1) < 0) continue;
    if (polled[2].revents != 0) return;
    if (polled[0].revents != 0) ServeUdp();
    if (polled[1].revents != 0) ServeTcp();
  }
}

void DnsServer::ServeUdp() {
  std::array<uint8_t, 2048> query{};
  sockaddr_in from{};
  socklen_t size = sizeof from;
  auto* client = reinterpret_cast<sockaddr*>(&from);
  const ssize_t got = recvfrom(udp_.get(), query.data(), query.size(), 0, client, &size);
  if (got <= 0) return;
  const std::vector<uint8_t> answer = AnswerTo({query.data(), static_cast<size_t>(got)}, false);
  if (!answer.empty()) sendto(udp_.get(), answer.data(), answer.size(), 0, client, size);
}

// A resolver's query comes in one piece; nothing else is served.
void DnsServer::ServeTcp() {
  const FileDescriptor client(accept4(tcp_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  std::array<uint8_t, 2048> query{};
  const ssize_t got = recv(client.get(), query.data(), query.size(), 0);
  if (got <= 2) return;
  const std::vector<uint8_t> answer =
      AnswerTo({query.data() + 2, static_cast<size_t>(got) - 2}, true);
  std::vector<uint8_t> framed = {static_cast<uint8_t>(answer.size() >> 8),
                                 static_cast<uint8_t>(answer.size())};
  framed.insert(framed.end(), answer.begin(), answer.end());
  if (!answer.empty()) send(client.get(), framed.data(), framed.size(), MSG_NOSIGNAL);
}

std::vector<uint8_t> DnsServer::AnswerTo(std::span<const uint8_t> query, bool over_tcp) {
  const DnsTestQuestion question = ReadDnsQuestion(query);
  Answer answer;
  {
    const std::lock_guard lock(mutex_);
    ++questions_;
    const auto found = answers_.find({question.name, question.type});
    if (found != answers_.end()) answer = found->second;
  }
  changed_.notify_all();
  if (answer) return answer(query, over_tcp);
  return WriteDnsAnswer(query, {.code = kNoSuchName, .truncated = false, .records = {}});
}

}  // namespace aio
