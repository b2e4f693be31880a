// What broken, slow and hostile clients see; after each the server still serves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "http/http_server.h"
#include "http/http_test_server.h"

namespace aio {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Response = TestClient::Response;
using std::chrono::milliseconds;

class HostileTest : public HttpServerTest {
 protected:
  void TearDown() override {
    if (server_ != nullptr && serves_at_end_) ExpectServes();
  }
  bool serves_at_end_ = true;
};

TEST_F(HostileTest, MalformedRequestsAreRefused) {
  Start();
  ExpectRefused("garbage\r\n\r\n", 400);
  ExpectRefused("GET / HTTP/1.1\r\nno colon\r\n\r\n", 400);
  ExpectRefused("GET  / HTTP/1.1\r\nHost: t\r\n\r\n", 400);
  ExpectRefused("GET / HTTP/9.9\r\nHost: t\r\n\r\n", 400);
  ExpectRefused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400);
  ExpectRefused(std::string_view("\x16\x03\x01\x02\x00\x01\x00\x01\xfc", 9), 400);  // TLS
  ExpectRefused("GET / HTTP/1.1\r\nHost: t\r\nX: a\nb\r\n\r\n", 400);
}

TEST_F(HostileTest, HostIsRequiredOnce) {
  Start();
  ExpectRefused("GET / HTTP/1.1\r\n\r\n", 400);
  ExpectRefused("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400);
}

TEST_F(HostileTest, AmbiguousFramingIsRefused) {
  Start();
  const std::string head = "POST / HTTP/1.1\r\nHost: t\r\n";
  ExpectRefused(head + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400);
  ExpectRefused(head + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", 400);
  ExpectRefused(head + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc", 400);
  ExpectRefused(head + "Content-Length: -1\r\n\r\n", 400);
  ExpectRefused(head + "Content-Length: 3x\r\n\r\nabc", 400);
  ExpectRefused(head + "Content-Length: 99999999999999999999999\r\n\r\n", 400);
  ExpectRefused(head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400);
  ExpectRefused(head + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501);
  ExpectRefused(head + "Transfer-Encoding: gzip\r\n\r\n", 501);
}

TEST_F(HostileTest, OversizeHeadersAreRefused) {
  HttpServerOptions options;
  options.header_bytes_max = 1024;
  Start(options);
  ExpectRefused("GET / HTTP/1.1\r\nHost: t\r\nX: " + std::string(2000, 'x') + "\r\n\r\n", 431);
  ExpectRefused("GET /" + std::string(2000, 'x') + " HTTP/1.1\r\nHost: t\r\n\r\n", 431);
  ExpectRefused(std::string(1 << 20, 'x'), 431);
}

TEST_F(HostileTest, OversizeBodiesAreRefusedUnread) {
  HttpServerOptions options;
  options.body_bytes_max = 1000;
  options.render_error = [](int status, std::string_view message, std::string_view remote) {
    EXPECT_TRUE(remote.starts_with("127.0.0.1:"));
    return Text("rendered: " + std::string(message), status);
  };
  Start(options);
  TestClient client(port());
  client.Send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 104857600\r\n\r\n");
  EXPECT_EQ(client.Read().body, "rendered: The request body is larger than 1000 bytes.");
  EXPECT_TRUE(client.AtEnd());
  ExpectRefused(
      "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 104857600\r\n"
      "Expect: 100-continue\r\n\r\n",
      413);
  ExpectRefused("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" +
                    std::string(2000, 'x') + "\r\n0\r\n\r\n",
                413);
}

TEST_F(HostileTest, ASentHundredMegabyteBodyStillGetsItsAnswer) {
  Start();
  TestClient client(port());
  client.Send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 104857600\r\n\r\n");
  const std::string megabyte(1 << 20, 'x');
  for (int i = 0; i < 100 && client.Send(megabyte); ++i) {
  }
  EXPECT_EQ(client.Read().status, 413);
}

TEST_F(HostileTest, HalfSentRequestsTimeOut) {
  HttpServerOptions options;
  options.header_timeout = milliseconds(50);
  options.body_timeout = milliseconds(50);
  Start(options);
  ExpectRefused("GET / HTT", 408);
  ExpectRefused("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nhalf", 408);
  ExpectRefused("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", 408);
  TestClient silent(port());
  EXPECT_TRUE(silent.AtEnd());
}

TEST_F(HostileTest, IdleConnectionsAreClosed) {
  HttpServerOptions options;
  options.idle_timeout = milliseconds(50);
  Start(options);
  TestClient client(port());
  client.Request("GET", "/");
  EXPECT_EQ(client.Read().status, 200);
  EXPECT_TRUE(client.AtEnd());
}

TEST_F(HostileTest, HalfSentRequestsMayVanish) {
  Start();
  for (const char* bytes :
       {"", "GET", "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\nx"}) {
    TestClient client(port());
    client.Send(bytes);
    client.Close();
    TestClient other(port());
    other.Send(bytes);
    other.Reset();
  }
}

TEST_F(HostileTest, PipelinedGarbageIsRefusedAfterTheAnswer) {
  Start();
  TestClient client(port());
  client.Send("GET /good HTTP/1.1\r\nHost: t\r\n\r\n\x01\x02garbage\r\n\r\n");
  EXPECT_EQ(client.Read().body, "GET /good ? ");
  EXPECT_EQ(client.Read().status, 400);
  EXPECT_TRUE(client.AtEnd());
}

// A server whose only request never ends by itself.
class VanishTest : public HttpServerTest {
 protected:
  void StartHolding(HttpServerOptions options = {}, bool stream = false) {
    Start(options, [this, stream](HttpRequest request, std::shared_ptr<ResponseWriter> response) {
      if (request.path == "/alive") return EchoHandler(request, response);
      response->OnClose([this] { closed_.Set(); });
      writer_ = response;
      if (stream) writer_->Start({.status = 200, .headers = {}, .body = "begun"});
      arrived_.Set();
    });
  }

  std::shared_ptr<ResponseWriter> writer_;
  Event arrived_;
  Event closed_;
};

TEST_F(VanishTest, BeforeTheAnswer) {
  StartHolding();
  TestClient client(port());
  client.Request("GET", "/");
  ASSERT_TRUE(arrived_.Wait());
  client.Close();
  EXPECT_TRUE(closed_.Wait());
  EXPECT_FALSE(writer_->open());
  writer_->Send(Text("nobody hears"));
  ExpectServes();
}

TEST_F(VanishTest, BeforeTheAnswerByReset) {
  StartHolding();
  TestClient client(port());
  client.Request("GET", "/");
  ASSERT_TRUE(arrived_.Wait());
  client.Reset();
  EXPECT_TRUE(closed_.Wait());
  ExpectServes();
}

TEST_F(VanishTest, InMidStream) {
  StartHolding({}, /*stream=*/true);
  TestClient client(port());
  client.Request("GET", "/");
  client.ReadUntil("begun");
  client.Close();
  EXPECT_TRUE(closed_.Wait());
  writer_->Write("nobody hears");
  writer_->Finish();
  ExpectServes();
}

TEST_F(VanishTest, WithFurtherRequestsInThePipeline) {
  StartHolding();
  TestClient client(port());
  client.Request("GET", "/");
  client.Request("GET", "/next");
  ASSERT_TRUE(arrived_.Wait());
  client.Close();
  EXPECT_TRUE(closed_.Wait());
  ExpectServes();
}

TEST_F(VanishTest, AFloodOfFurtherRequestsWaits) {
  StartHolding();
  TestClient client(port());
  client.Request("GET", "/");
  ASSERT_TRUE(arrived_.Wait());
  std::string flood;
  for (int i = 0; i < 4000; ++i) flood += "GET /alive HTTP/1.1\r\nHost: test\r\n\r\n";
  std::thread sender([&] { client.Send(flood); });
  writer_->Send(Text("first"));
  writer_.reset();
  EXPECT_EQ(client.Read().body, "first");
  for (int i = 0; i < 4000; ++i) ASSERT_EQ(client.Read().body, "GET /alive ? ");
  sender.join();
}

class FloodTest : public VanishTest {
 protected:
  // A client whose request is held and whose further ones fill the pipeline and more, though
  // not the socket's buffer, behind which not even the kernel would hear of the client's end.
  void StartFlooded(TestClient& client) {
    client.Request("GET", "/");
    ASSERT_TRUE(arrived_.Wait());
    ASSERT_TRUE(client.Send(std::string(96 << 10, 'x')));
  }
};

TEST_F(FloodTest, MayVanish) {
  StartHolding();
  TestClient client(port());
  StartFlooded(client);
  client.Close();
  EXPECT_TRUE(closed_.Wait());
  EXPECT_FALSE(writer_->stopped());
  ExpectServes();
}

TEST_F(FloodTest, MayVanishByReset) {
  StartHolding();
  TestClient client(port());
  StartFlooded(client);
  client.Reset();
  EXPECT_TRUE(closed_.Wait());
  ExpectServes();
}

TEST_F(FloodTest, DoesNotDelayTheStop) {
  StartHolding();
  TestClient client(port());
  StartFlooded(client);
  server_->Stop();
  EXPECT_TRUE(closed_.Wait());
  EXPECT_TRUE(writer_->stopped());
}

TEST_F(VanishTest, SlowReadersAreDropped) {
  HttpServerOptions options;
  options.buffered_bytes_max = 64 << 10;
  StartHolding(options, /*stream=*/true);
  TestClient client(port(), /*receive_buffer_bytes=*/4096);
  client.Request("GET", "/");
  ASSERT_TRUE(arrived_.Wait());
  const std::string chunk(16 << 10, 'x');
  // More than the buffers of both ends of a socket can take.
  for (int i = 0; i < 4096 && writer_->open(); ++i) writer_->Write(chunk);
  EXPECT_TRUE(closed_.Wait());
  EXPECT_FALSE(writer_->open());
  ExpectServes();
}

TEST_F(VanishTest, StalledReadersAreDropped) {
  HttpServerOptions options;
  options.write_timeout = milliseconds(50);
  options.buffered_bytes_max = 64 << 20;
  StartHolding(options, /*stream=*/true);
  TestClient client(port(), /*receive_buffer_bytes=*/4096);
  client.Request("GET", "/");
  ASSERT_TRUE(arrived_.Wait());
  writer_->Write(std::string(32 << 20, 'x'));
  EXPECT_TRUE(closed_.Wait());
  ExpectServes();
}

// The parser bounds neither.
TEST_F(HostileTest, ChunkLinesAndTrailersWithoutEndAreRefused) {
  Start();
  const std::string head = "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
  ExpectRefused(head + "1;a=" + std::string(200'000, 'a'), 431);
  ExpectRefused(head + "1\r\nx\r\n0\r\nA: " + std::string(200'000, 'a'), 431);
}

TEST_F(HostileTest, ThrowingHandlersBecome500) {
  serves_at_end_ = false;
  Start({}, [](HttpRequest request, std::shared_ptr<ResponseWriter> response) {
    if (request.path == "/alive") return EchoHandler(request, response);
    if (request.path == "/stream") response->Start({.status = 200, .headers = {}, .body = "part"});
    throw std::runtime_error("secret");
  });
  TestClient client(port());
  client.Request("GET", "/");
  const Response response = client.Read();
  EXPECT_EQ(response.status, 500);
  EXPECT_THAT(response.body, Not(HasSubstr("secret")));
  client.Request("GET", "/stream");
  const Response stream = client.Read();
  EXPECT_EQ(stream.body, "part");
  EXPECT_FALSE(stream.complete);
  EXPECT_TRUE(client.AtEnd());
  ExpectServes();
}

TEST_F(HostileTest, HandlersThatDropTheAnswerBecome500) {
  serves_at_end_ = false;
  Start({}, [](HttpRequest, std::shared_ptr<ResponseWriter>) {});
  TestClient client(port());
  client.Request("GET", "/");
  EXPECT_EQ(client.Read().status, 500);
}

}  // namespace
}  // namespace aio
