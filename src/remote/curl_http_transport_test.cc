// The transport over real sockets, against a server that the test scripts.
#include "remote/curl_http_transport.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <future>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "base/file_descriptor.h"

namespace aio {
namespace {

using testing::HasSubstr;
constexpr auto kPatience = std::chrono::seconds(30);

// Each connection is served by `serve` on a thread of its own.
class ScriptedServer {
 public:
  explicit ScriptedServer(std::function<void(int fd)> serve) : serve_(std::move(serve)) {
    listener_ = FileDescriptor(socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(listen(listener_.get(), 16), 0);
    socklen_t size = sizeof(address);
    getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Accept(); });
  }
  ~ScriptedServer() {
    shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const int fd : open_) shutdown(fd, SHUT_RDWR);
    }
    for (std::thread& connection : connections_) connection.join();
  }
  int port() const { return port_; }
  int accepted() const { return accepted_; }

  // The next request, headers and body; empty when the client has gone.
  static std::string Read(int fd) {
    std::string request;
    char byte = 0;
    while (request.find("\r\n\r\n") == std::string::npos) {
      if (recv(fd, &byte, 1, 0) != 1) return "";
      request += byte;
    }
    const size_t at = request.find("Content-Length: ");
    const size_t length =
        at == std::string::npos ? 0 : std::strtoul(request.c_str() + at + 16, nullptr, 10);
    for (size_t i = 0; i < length && recv(fd, &byte, 1, 0) == 1; ++i) request += byte;
    return request;
  }
  static bool Write(int fd, const std::string& text) {
    return send(fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }
  static bool Answer(int fd, const std::string& body, const std::string& status = "200 OK") {
    return Write(fd, "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) +
                         "\r\n\r\n" + body);
  }

 private:
  void Accept() {
    while (true) {
      const int fd = accept(listener_.get(), nullptr, nullptr);
      if (fd < 0) return;
      ++accepted_;
      {
        const std::lock_guard lock(mutex_);
        open_.insert(fd);
      }
      connections_.emplace_back([this, fd] {
        const FileDescriptor connection(fd);
        serve_(fd);
        const std::lock_guard lock(mutex_);
        open_.erase(fd);
      });
    }
  }

  const std::function<void(int fd)> serve_;
  FileDescriptor listener_;
  int port_ = 0;
  std::atomic<int> accepted_{0};
  std::vector<std::thread> connections_;
  std::mutex mutex_;
  std::set<int> open_;  // guarded by mutex_
  std::thread thread_;
};

class Receiver final : public HttpReceiver {
 public:
  void OnHead(const HttpHead& head) override {
    const std::lock_guard lock(mutex_);
    head_ = head;
  }
  bool OnBytes(std::string_view bytes) override {
    const std::lock_guard lock(mutex_);
    body_ += bytes;
    changed_.notify_all();
    return body_.size() <= takes_;
  }
  void OnEnd(const Status& fault) override {
    const std::lock_guard lock(mutex_);
    fault_ = fault;
    ++ends_;
    changed_.notify_all();
  }
  bool WaitForEnd() {
    return Wait([this] { return ends_ > 0; });
  }
  bool WaitForBytes(size_t count) {
    return Wait([this, count] { return body_.size() >= count; });
  }
  HttpHead head() { return Locked(head_); }
  std::string body() { return Locked(body_); }
  Status fault() { return Locked(fault_); }
  int ends() { return Locked(ends_); }
  void set_takes(size_t bytes) { takes_ = bytes; }

 private:
  template <typename Condition>
  bool Wait(Condition condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, condition);
  }
  template <typename T>
  T Locked(const T& value) {
    const std::lock_guard lock(mutex_);
    return value;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  HttpHead head_;
  std::string body_;
  Status fault_;
  int ends_ = 0;
  std::atomic<size_t> takes_{~size_t{0}};
};

class CurlHttpTransportTest : public testing::Test {
 protected:
  CurlHttpTransportTest() {
    auto made = MakeCurlHttpTransport({}, clock_);
    EXPECT_TRUE(made.ok());
    transport_ = *std::move(made);
  }
  // On the transport's thread, and waits for it.
  void Run(const std::function<void()>& task) {
    std::promise<void> done;
    transport_->Post([&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }
  std::shared_ptr<Receiver> Start(HttpCall call) {
    auto receiver = std::make_shared<Receiver>();
    Run([&] { handle_ = transport_->Start(std::move(call), receiver); });
    return receiver;
  }
  static std::string Url(const ScriptedServer& server) {
    return "http://127.0.0.1:" + std::to_string(server.port()) + "/v1/x";
  }

  SystemClock clock_;
  std::unique_ptr<HttpTransport> transport_;
  std::shared_ptr<HttpCallHandle> handle_;
};

void ServeEcho(int fd) {
  while (true) {
    const std::string request = ScriptedServer::Read(fd);
    if (request.empty() || !ScriptedServer::Answer(fd, request)) return;
  }
}

TEST_F(CurlHttpTransportTest, PostsWithHeadersAndKeepsTheConnection) {
  const ScriptedServer server(ServeEcho);
  HttpCall call{.url = Url(server), .address = {}};
  call.headers = std::make_shared<const std::vector<std::string>>(
      std::vector<std::string>{"authorization: Bearer k", "content-type: application/json"});
  call.body = std::make_shared<const std::string>("{\"a\": 1}");
  for (int i = 0; i < 3; ++i) {
    const auto receiver = Start(call);
    ASSERT_TRUE(receiver->WaitForEnd());
    EXPECT_TRUE(receiver->fault().ok()) << receiver->fault().ToString();
    EXPECT_EQ(receiver->head().status, 200);
    EXPECT_THAT(receiver->body(), HasSubstr("POST /v1/x HTTP/1.1"));
    EXPECT_THAT(receiver->body(), HasSubstr("authorization: Bearer k"));
    EXPECT_THAT(receiver->body(), HasSubstr("\r\n\r\n{\"a\": 1}"));
  }
  EXPECT_EQ(server.accepted(), 1);
}

TEST_F(CurlHttpTransportTest, ConnectsToTheAddressInPlaceOfTheHost) {
  const ScriptedServer server(ServeEcho);
  HttpCall call{.url = "http://model.invalid:1/v1/x", .address = "127.0.0.1"};
  call.port = server.port();
  const auto receiver = Start(call);
  ASSERT_TRUE(receiver->WaitForEnd());
  EXPECT_THAT(receiver->body(), HasSubstr("GET /v1/x"));
  EXPECT_THAT(receiver->body(), HasSubstr("Host: model.invalid:1"));
}

TEST_F(CurlHttpTransportTest, AStatusAndItsRetryAfterAreNoFault) {
  const ScriptedServer server([](int fd) {
    ScriptedServer::Read(fd);
    ScriptedServer::Write(fd, "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\nno");
  });
  const auto receiver = Start({.url = Url(server), .address = {}});
  ASSERT_TRUE(receiver->WaitForEnd());
  EXPECT_TRUE(receiver->fault().ok());
  EXPECT_EQ(receiver->head().status, 503);
  EXPECT_EQ(receiver->head().retry_after, std::chrono::seconds(7));
  EXPECT_EQ(receiver->body(), "no");
}

TEST_F(CurlHttpTransportTest, AnAnswerWithoutABodyHasItsHead) {
  const ScriptedServer server([](int fd) {
    ScriptedServer::Read(fd);
    ScriptedServer::Write(fd, "HTTP/1.1 204 Fine\r\nRetry-After: 3\r\n\r\n");
  });
  const auto receiver = Start({.url = Url(server), .address = {}});
  ASSERT_TRUE(receiver->WaitForEnd());
  EXPECT_EQ(receiver->head().status, 204);
  EXPECT_EQ(receiver->head().retry_after, std::chrono::seconds(3));
}

TEST_F(CurlHttpTransportTest, NobodyThereIsAFault) {
  int port = 0;
  {
    const ScriptedServer gone([](int) {});
    port = gone.port();
  }
  HttpCall call{.url = "http://127.0.0.1:" + std::to_string(port), .address = {}};
  call.body = std::make_shared<const std::string>("x");
  const auto receiver = Start(call);
  ASSERT_TRUE(receiver->WaitForEnd());
  EXPECT_EQ(receiver->fault().code(), StatusCode::kUnavailable);
}

TEST_F(CurlHttpTransportTest, AnAnswerThatBreaksOffIsAFault) {
  const ScriptedServer server([](int fd) {
    ScriptedServer::Read(fd);
    ScriptedServer::Write(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
  });
  HttpCall call{.url = Url(server), .address = {}};
  call.body = std::make_shared<const std::string>("x");
  const auto receiver = Start(call);
  ASSERT_TRUE(receiver->WaitForEnd());
  EXPECT_EQ(receiver->body(), "half");
  EXPECT_FALSE(receiver->fault().ok());
}

TEST_F(CurlHttpTransportTest, CancelClosesTheConnectionAndNothingComesAnyMore) {
  std::promise<void> gone;
  const ScriptedServer server([&gone](int fd) {
    ScriptedServer::Read(fd);
    ScriptedServer::Write(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    char byte = 0;
    while (recv(fd, &byte, 1, 0) > 0) {
    }
    gone.set_value();
  });
  const auto receiver = Start({.url = Url(server), .address = {}});
  ASSERT_TRUE(receiver->WaitForBytes(4));
  Run([&] { handle_->Cancel(); });
  EXPECT_EQ(gone.get_future().wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ(receiver->ends(), 0);
}

TEST_F(CurlHttpTransportTest, WhoWantsNoMoreEndsIt) {
  const ScriptedServer server([](int fd) {
    ScriptedServer::Read(fd);
    ScriptedServer::Write(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
    while (ScriptedServer::Write(fd, std::string(1000, 'x'))) {
    }
  });
  auto receiver = std::make_shared<Receiver>();
  receiver->set_takes(10);
  Run([&] { handle_ = transport_->Start({.url = Url(server), .address = {}}, receiver); });
  ASSERT_TRUE(receiver->WaitForEnd());
  EXPECT_FALSE(receiver->fault().ok());
}

TEST_F(CurlHttpTransportTest, APausedCallHoldsItsServerBack) {
  constexpr int64_t kWhole = 64 << 20;  // more than sockets hold
  std::atomic<int64_t> written{0};
  std::promise<void> paused;
  const ScriptedServer server([&](int fd) {
    ScriptedServer::Read(fd);
    ScriptedServer::Write(
        fd, "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kWhole) + "\r\n\r\n");
    const std::string piece(1 << 16, 'x');
    if (ScriptedServer::Write(fd, piece)) written += 1 << 16;
    paused.get_future().wait();
    while (written < kWhole && ScriptedServer::Write(fd, piece)) written += 1 << 16;
  });
  const auto receiver = Start({.url = Url(server), .address = {}});
  ASSERT_TRUE(receiver->WaitForBytes(1));
  Run([&] { handle_->SetPaused(true); });
  paused.set_value();
  // Until the server cannot write any more, however long that is.
  int64_t before = -1;
  while (before != written) {
    before = written;
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  EXPECT_LT(written, kWhole);
  EXPECT_EQ(receiver->ends(), 0);
  Run([&] { handle_->SetPaused(false); });
  ASSERT_TRUE(receiver->WaitForEnd());
  EXPECT_EQ(static_cast<int64_t>(receiver->body().size()), kWhole);
}

TEST_F(CurlHttpTransportTest, TasksRunInTheOrderOfTheirTimes) {
  std::vector<int> order;
  std::promise<void> done;
  const TimePoint now = transport_->Now();
  transport_->RunAt(now + std::chrono::milliseconds(30), [&] {
    order.push_back(3);
    done.set_value();
  });
  transport_->RunAt(now + std::chrono::milliseconds(10), [&] { order.push_back(1); });
  transport_->RunAt(now + std::chrono::milliseconds(20), [&] { order.push_back(2); });
  done.get_future().wait();
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST_F(CurlHttpTransportTest, MayGoWhileCallsRun) {
  const ScriptedServer server([](int fd) {
    ScriptedServer::Read(fd);
    ScriptedServer::Write(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    char byte = 0;
    while (recv(fd, &byte, 1, 0) > 0) {
    }
  });
  const auto receiver = Start({.url = Url(server), .address = {}});
  ASSERT_TRUE(receiver->WaitForBytes(4));
  transport_.reset();
  handle_->Cancel();  // does nothing any more
  EXPECT_EQ(receiver->ends(), 0);
}

}  // namespace
}  // namespace aio
