// The server over TLS, with certificates made on the spot.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "http/http_test_server.h"
#include "http/tls_test_files.h"

namespace aio {
namespace {

using std::chrono::milliseconds;
using ::testing::EndsWith;
using ::testing::HasSubstr;

class TlsTest : public HttpServerTest {
 protected:
  void StartTls(HttpServerOptions options = {}, HttpHandler handler = EchoHandler) {
    options.tls = files_.Make("first");
    Start(std::move(options), std::move(handler));
  }

  void ExpectServesTls() {
    TlsTestClient client(port());
    ASSERT_TRUE(client.Get("/alive"));
    EXPECT_THAT(client.ReadUntil("GET /alive ? "), EndsWith("GET /alive ? "));
  }

  Status StartWith(const TlsFiles& files) {
    HttpServerOptions options;
    options.tls = files;
    return HttpServer(options).Start("127.0.0.1", 0, EchoHandler);
  }

  TlsTestFiles files_;
};

TEST_F(TlsTest, ServesRequestAfterRequest) {
  StartTls();
  TlsTestClient client(port());
  ASSERT_TRUE(client.connected());
  EXPECT_EQ(client.version(), "TLSv1.3");
  EXPECT_EQ(client.Protocol(), "http/1.1");
  EXPECT_EQ(client.ServerName(), "first");
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client.Get("/" + std::to_string(i)));
    EXPECT_THAT(client.ReadUntil(" ? "), EndsWith("GET /" + std::to_string(i) + " ? "));
  }
}

TEST_F(TlsTest, OldVersionsAreRefused) {
  StartTls();
  EXPECT_EQ(TlsTestClient(port(), TLS1_2_VERSION).version(), "TLSv1.2");
  EXPECT_FALSE(TlsTestClient(port(), TLS1_1_VERSION).connected());
  ExpectServesTls();
}

TEST_F(TlsTest, LargeBodiesGoBothWays) {
  StartTls();
  TlsTestClient client(port());
  const std::string body(1 << 20, 'x');
  ASSERT_TRUE(client.Send("POST / HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Length: " +
                          std::to_string(body.size()) + "\r\n\r\n" + body));
  EXPECT_THAT(client.ReadToEnd(), EndsWith("POST / ? " + body));
  EXPECT_TRUE(client.WasToldTheEnd());
}

TEST_F(TlsTest, StreamsComeInPieces) {
  Event closed;
  StartTls({}, [&](HttpRequest request, std::shared_ptr<ResponseWriter> response) {
    if (request.path == "/alive") return EchoHandler(request, response);
    response->OnClose([&] { closed.Set(); });
    std::thread([response] {
      response->Start({.status = 200, .headers = {}, .body = "first"});
      while (response->open()) response->Write("more");
    }).detach();
  });
  TlsTestClient client(port());
  ASSERT_TRUE(client.Get("/"));
  EXPECT_THAT(client.ReadUntil("first"), EndsWith("first"));
  EXPECT_THAT(client.ReadUntil("more"), EndsWith("more"));
  client.Close();
  EXPECT_TRUE(closed.Wait()) << "a client that leaves is noticed";
  ExpectServesTls();
}

TEST_F(TlsTest, ClientsThatLeaveBeforeTheAnswerAreNoticed) {
  Event arrived;
  Event closed;
  std::shared_ptr<ResponseWriter> writer;
  StartTls({}, [&](HttpRequest, std::shared_ptr<ResponseWriter> response) {
    response->OnClose([&] { closed.Set(); });
    writer = std::move(response);
    arrived.Set();
  });
  TlsTestClient client(port());
  ASSERT_TRUE(client.Get("/"));
  ASSERT_TRUE(arrived.Wait());
  client.Close();
  EXPECT_TRUE(closed.Wait());
}

TEST_F(TlsTest, WhatIsNoHandshakeIsClosed) {
  HttpServerOptions options;
  options.header_timeout = milliseconds(50);
  StartTls(options);
  TestClient plain(port());
  plain.Request("GET", "/");
  EXPECT_EQ(plain.Read().status, 0);
  TestClient silent(port());
  EXPECT_TRUE(silent.AtEnd()) << "it may not keep its place";
  TestClient half(port());
  half.Send(std::string_view("\x16\x03\x01\x02\x00\x01\x00\x01\xfc", 9));
  half.ReadToEnd();
  TestClient vanished(port());
  vanished.Send(std::string_view("\x16\x03\x01", 3));
  vanished.Reset();
  ExpectServesTls();
}

TEST_F(TlsTest, SlowReadersAreDropped) {
  HttpServerOptions options;
  options.write_timeout = milliseconds(50);
  options.buffered_bytes_max = 64 << 20;
  Event closed;
  std::shared_ptr<ResponseWriter> writer;
  StartTls(options, [&](HttpRequest request, std::shared_ptr<ResponseWriter> response) {
    if (request.path == "/alive") return EchoHandler(request, response);
    response->OnClose([&] { closed.Set(); });
    response->Start({.status = 200, .headers = {}, .body = std::string(32 << 20, 'x')});
    writer = std::move(response);
  });
  TlsTestClient client(port());
  ASSERT_TRUE(client.Get("/"));
  EXPECT_TRUE(closed.Wait());
  ExpectServesTls();
}

TEST_F(TlsTest, StopsAndDrains) {
  StartTls();
  TlsTestClient idle(port());
  ASSERT_TRUE(idle.connected());
  TestClient unshaken(port());
  EXPECT_TRUE(server_->Drain(std::chrono::seconds(5)));
  EXPECT_EQ(idle.ReadToEnd(), "");
}

TEST_F(TlsTest, ANewCertificateIsForNewConnections) {
  StartTls();
  TlsTestClient old(port());
  ASSERT_TRUE(server_->SetTls(files_.Make("second")).ok());
  EXPECT_EQ(TlsTestClient(port()).ServerName(), "second");
  ASSERT_TRUE(old.Get("/"));
  EXPECT_THAT(old.ReadUntil(" ? "), HasSubstr("200 OK")) << "what is open goes on";

  EXPECT_FALSE(server_->SetTls({.certificate = files_.Path("none"), .key = ""}).ok());
  EXPECT_EQ(TlsTestClient(port()).ServerName(), "second");
}

TEST_F(TlsTest, FaultsNameTheFile) {
  const TlsFiles good = files_.Make("good");
  const TlsFiles other = files_.Make("other");
  const auto fault = [&](const TlsFiles& files) { return StartWith(files).message(); };
  EXPECT_EQ(fault(good), "");
  EXPECT_THAT(fault({.certificate = files_.Path("none"), .key = good.key}),
              HasSubstr("none: cannot open"));
  EXPECT_THAT(fault({.certificate = good.certificate, .key = files_.Path("none")}),
              HasSubstr("none: cannot open"));
  EXPECT_THAT(fault({.certificate = good.certificate, .key = other.key}),
              HasSubstr("other.key: is not"));
  EXPECT_THAT(fault({.certificate = good.key, .key = good.key}),
              HasSubstr("good.key: holds no certificate"));
  EXPECT_THAT(fault({.certificate = good.certificate, .key = files_.Path("")}),
              HasSubstr("is not a plain file"));
  std::ofstream(files_.Path("garbage")) << "garbage";
  ::chmod(files_.Path("garbage").c_str(), 0600);
  EXPECT_THAT(fault({.certificate = good.certificate, .key = files_.Path("garbage")}),
              HasSubstr("garbage: is not the certificate's private key"));
  ::chmod(good.key.c_str(), 0644);
  EXPECT_THAT(fault(good), HasSubstr("chmod 600"));
}

}  // namespace
}  // namespace aio
