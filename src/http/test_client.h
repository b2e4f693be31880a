// A client for tests that speaks to a server over a plain socket, so that it can also send
// what no HTTP library would. Every read gives up after kPatience: a hung server fails a test
// rather than blocking it. For tests only.
#ifndef AIO_HTTP_TEST_CLIENT_H_
#define AIO_HTTP_TEST_CLIENT_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <string_view>

#include "http/http_message.h"

namespace aio {

class TestClient {
 public:
  static constexpr std::chrono::seconds kPatience{30};

  struct Response {
    int status = 0;  // 0: no whole response came
    HttpHeaders headers;
    std::string body;       // chunks joined
    bool complete = false;  // the body came whole
  };

  explicit TestClient(int port, int receive_buffer_bytes = 0) {
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    if (receive_buffer_bytes > 0) {
      ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~TestClient() { Close(); }
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  bool connected() const { return connected_; }

  // What is sent goes out at once, not with what is sent next.
  void SendAtOnce() {
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }

  // False once the server has closed.
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  // A request with Host and, for a body, Content-Length.
  bool Request(std::string_view method, std::string_view target, std::string_view body = "",
               std::string_view headers = "") {
    std::string text;
    text.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: test\r\n");
    text.append(headers);
    if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return Send(text.append("\r\n").append(body));
  }

  void Close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

  // Closes so that the server's side sees a reset instead of an end.
  void Reset() {
    const linger hard{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    Close();
  }

  // The bytes up to and with `marker`; what came, if the server closed before.
  std::string ReadUntil(std::string_view marker) {
    while (received_.find(marker) == std::string::npos) {
      if (!Fill()) return Cut(received_.size());
    }
    return Cut(received_.find(marker) + marker.size());
  }

  // Everything up to the server's closing.
  std::string ReadToEnd() {
    while (Fill()) {
    }
    return Cut(received_.size());
  }

  // Whether the server has closed, with nothing more to read.
  bool AtEnd() { return received_.empty() && !Fill(); }

  Response Read(bool head = false) {
    Response response = ReadHead();
    if (response.status == 0) return response;
    if (head) {
      response.complete = true;
    } else if (response.headers.Has("transfer-encoding")) {
      ReadChunks(response);
    } else if (response.headers.Has("content-length")) {
      ReadBytes(std::stoul(std::string(response.headers.Get("content-length"))), response);
    } else {
      response.body = ReadToEnd();
      response.complete = true;
    }
    return response;
  }

  // Status line and headers, leaving the body to ReadUntil() and its like.
  Response ReadHead() {
    Response response;
    const std::string head = ReadUntil("\r\n\r\n");
    if (!head.starts_with("HTTP/1.1 ") || !head.ends_with("\r\n\r\n")) return response;
    response.status = std::stoi(head.substr(9, 3));
    size_t at = head.find("\r\n") + 2;
    while (at + 2 < head.size()) {
      const size_t colon = head.find(": ", at);
      const size_t end = head.find("\r\n", at);
      response.headers.Add(head.substr(at, colon - at), head.substr(colon + 2, end - colon - 2));
      at = end + 2;
    }
    return response;
  }

 private:
  // Reads what is there; false at the end of the connection or of patience.
  bool Fill() {
    pollfd waiting{.fd = fd_, .events = POLLIN, .revents = 0};
    const int patience = static_cast<int>(std::chrono::milliseconds(kPatience).count());
    if (::poll(&waiting, 1, patience) <= 0) return false;
    char bytes[16 << 10];
    const ssize_t got = ::recv(fd_, bytes, sizeof bytes, 0);
    if (got <= 0) return false;
    received_.append(bytes, static_cast<size_t>(got));
    return true;
  }

  std::string Cut(size_t length) {
    std::string head = received_.substr(0, length);
    received_.erase(0, length);
    return head;
  }

  void ReadBytes(size_t length, Response& response) {
    while (received_.size() < length && Fill()) {
    }
    response.complete = received_.size() >= length;
    response.body += Cut(length);
  }

  void ReadChunks(Response& response) {
    while (true) {
      const std::string size_line = ReadUntil("\r\n");
      if (!size_line.ends_with("\r\n")) return;
      const size_t size = std::stoul(size_line, nullptr, 16);
      ReadBytes(size, response);
      if (!response.complete) return;
      response.complete = ReadUntil("\r\n") == "\r\n" && size == 0;
      if (size == 0) return;
    }
  }

  int fd_ = -1;
  bool connected_ = false;
  std::string received_;
};

}  // namespace aio

#endif  // AIO_HTTP_TEST_CLIENT_H_
