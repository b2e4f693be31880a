// What the tests of http/ share: a server on a free port and events to wait for.
#ifndef AIO_HTTP_HTTP_TEST_SERVER_H_
#define AIO_HTTP_HTTP_TEST_SERVER_H_

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "http/http_server.h"
#include "http/test_client.h"

namespace aio {

// Something that happens once, on another thread.
class Event {
 public:
  void Set() { promise_.set_value(); }
  bool Wait() { return future_.wait_for(TestClient::kPatience) == std::future_status::ready; }

 private:
  std::promise<void> promise_;
  std::future<void> future_ = promise_.get_future();
};

inline HttpResponse Text(std::string body, int status = 200) {
  return {.status = status, .headers = {{"content-type", "text/plain"}}, .body = std::move(body)};
}

// Answers with method, path, query and body, so that a test sees what arrived.
inline void EchoHandler(HttpRequest request, std::shared_ptr<ResponseWriter> response) {
  response->Send(
      Text(request.method + " " + request.path + " ?" + request.query + " " + request.body));
}

class HttpServerTest : public testing::Test {
 protected:
  void Start(HttpServerOptions options = {}, HttpHandler handler = EchoHandler) {
    server_ = std::make_unique<HttpServer>(std::move(options));
    const Status status = server_->Start("127.0.0.1", 0, std::move(handler));
    ASSERT_TRUE(status.ok()) << status.ToString();
  }

  int port() const { return server_->port(); }

  // The server answers a plain request on a new connection.
  void ExpectServes() {
    TestClient client(port());
    ASSERT_TRUE(client.Request("GET", "/alive"));
    EXPECT_EQ(client.Read().body, "GET /alive ? ");
  }

  // Sends `bytes` and expects `status` and then the end of the connection.
  void ExpectRefused(std::string_view bytes, int status) {
    TestClient client(port());
    client.Send(bytes);
    const TestClient::Response response = client.Read();
    EXPECT_EQ(response.status, status) << bytes.substr(0, 200);
    EXPECT_EQ(response.headers.Get("connection"), "close");
    EXPECT_TRUE(client.AtEnd());
  }

  std::unique_ptr<HttpServer> server_;
};

}  // namespace aio

#endif  // AIO_HTTP_HTTP_TEST_SERVER_H_
