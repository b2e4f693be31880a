// What a well-behaved client sees.
#include "http/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "http/http_test_server.h"

namespace aio {
namespace {

using ::testing::HasSubstr;
using Response = TestClient::Response;

TEST_F(HttpServerTest, PassesTheRequestOn) {
  Start();
  TestClient client(port());
  ASSERT_TRUE(client.Request("POST", "/a/b%20c?x=1&y", "body"));
  const Response response = client.Read();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.Get("content-type"), "text/plain");
  EXPECT_EQ(response.body, "POST /a/b%20c ?x=1&y body");
}

TEST_F(HttpServerTest, PassesHeadersOn) {
  Start({}, [](HttpRequest request, std::shared_ptr<ResponseWriter> response) {
    response->Send(Text(std::string(request.headers.Get("X-FOO"))));
  });
  TestClient client(port());
  client.Request("GET", "/", "", "x-foo: bar baz \r\n");
  EXPECT_EQ(client.Read().body, "bar baz");
}

TEST_F(HttpServerTest, KeepsTheConnection) {
  Start();
  TestClient client(port());
  for (int i = 0; i < 3; ++i) {
    const std::string target = "/" + std::to_string(i);
    ASSERT_TRUE(client.Request("GET", target));
    EXPECT_EQ(client.Read().body, "GET " + target + " ? ");
  }
}

TEST_F(HttpServerTest, ClosesWhenAsked) {
  Start();
  TestClient client(port());
  client.Request("GET", "/", "", "Connection: close\r\n");
  EXPECT_EQ(client.Read().headers.Get("connection"), "close");
  EXPECT_TRUE(client.AtEnd());
}

TEST_F(HttpServerTest, SpeaksHttp10) {
  Start();
  TestClient client(port());
  client.Send("GET /old HTTP/1.0\r\n\r\n");
  EXPECT_EQ(client.Read().body, "GET /old ? ");
  EXPECT_TRUE(client.AtEnd());
}

TEST_F(HttpServerTest, HeadHasNoBody) {
  Start();
  TestClient client(port());
  client.Request("HEAD", "/");
  EXPECT_EQ(client.Read(/*head=*/true).headers.Get("content-length"), "9");
  client.Request("GET", "/x");
  EXPECT_EQ(client.Read().body, "GET /x ? ");
}

TEST_F(HttpServerTest, TakesAbsoluteTargets) {
  Start();
  TestClient client(port());
  client.Request("GET", "http://elsewhere:80/path?q");
  EXPECT_EQ(client.Read().body, "GET /path ?q ");
  client.Request("GET", "http://elsewhere?x=/path");
  EXPECT_EQ(client.Read().body, "GET / ?x=/path ");
  client.Request("GET", "http://elsewhere");
  EXPECT_EQ(client.Read().body, "GET / ? ");
}

TEST_F(HttpServerTest, TakesChunkedBodies) {
  Start();
  TestClient client(port());
  client.Send("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n");
  client.Send("3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\n\r\n");
  EXPECT_EQ(client.Read().body, "POST / ? abcde");
}

TEST_F(HttpServerTest, AnswersExpectations) {
  Start();
  TestClient client(port());
  client.Send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.ReadUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("hi");
  EXPECT_EQ(client.Read().body, "POST / ? hi");
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInOrder) {
  Start();
  TestClient client(port());
  std::string requests;
  for (int i = 0; i < 50; ++i) {
    requests +=
        "POST /" + std::to_string(i) + " HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc";
  }
  ASSERT_TRUE(client.Send(requests));
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(client.Read().body, "POST /" + std::to_string(i) + " ? abc");
  }
}

TEST_F(HttpServerTest, StreamsFromAnotherThread) {
  std::thread writer;
  Start({}, [&](HttpRequest, std::shared_ptr<ResponseWriter> response) {
    writer = std::thread([response] {
      response->Start({.status = 200, .headers = {{"x-a", "b"}}, .body = ""});
      for (int i = 0; i < 1000; ++i) response->Write(std::to_string(i) + "\n");
      response->Finish();
    });
  });
  TestClient client(port());
  client.Request("GET", "/");
  const Response response = client.Read();
  writer.join();
  EXPECT_TRUE(response.complete);
  EXPECT_EQ(response.headers.Get("x-a"), "b");
  EXPECT_TRUE(response.body.ends_with("\n998\n999\n"));
}

TEST_F(HttpServerTest, ChunksArriveAsTheyAreWritten) {
  std::shared_ptr<ResponseWriter> writer;
  Event started;
  Start({}, [&](HttpRequest, std::shared_ptr<ResponseWriter> response) {
    writer = response;
    writer->Start({});
    started.Set();
  });
  TestClient client(port());
  client.Request("GET", "/");
  ASSERT_TRUE(started.Wait());
  EXPECT_EQ(client.ReadHead().status, 200);
  writer->Write("one");
  EXPECT_EQ(client.ReadUntil("one\r\n"), "3\r\none\r\n");
  writer->Write("two");
  EXPECT_EQ(client.ReadUntil("two\r\n"), "3\r\ntwo\r\n");
  writer->Finish();
  EXPECT_EQ(client.ReadUntil("0\r\n\r\n"), "0\r\n\r\n");
}

TEST_F(HttpServerTest, SilentStreamsArePinged) {
  HttpServerOptions options;
  options.ping_interval = std::chrono::milliseconds(10);
  std::shared_ptr<ResponseWriter> writer;
  Event started;
  Start(options, [&](HttpRequest, std::shared_ptr<ResponseWriter> response) {
    writer = response;
    started.Set();
  });
  TestClient client(port());
  client.Request("GET", "/");
  ASSERT_TRUE(started.Wait());
  writer->Start({}, "ping");
  EXPECT_EQ(client.ReadHead().status, 200);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.ReadUntil("ping\r\n"), "4\r\nping\r\n");
  writer->Finish();
  EXPECT_TRUE(client.ReadUntil("0\r\n\r\n").ends_with("0\r\n\r\n"));
}

TEST_F(HttpServerTest, ServesManyClientsAtOnce) {
  HttpServerOptions options;
  options.io_threads = 4;
  Start(options);
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      TestClient client(port());
      for (int i = 0; i < 50; ++i) {
        const std::string body = std::to_string(t * 1000 + i);
        client.Request("POST", "/", body);
        if (client.Read().body == "POST / ? " + body) ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 400);
}

TEST_F(HttpServerTest, ConnectionsEndWithTheirClients) {
  Start();
  for (int i = 0; i < 200; ++i) {
    TestClient client(port());
    client.Request("GET", "/");
    EXPECT_EQ(client.Read().status, 200);
  }
  const auto deadline = std::chrono::steady_clock::now() + TestClient::kPatience;
  while (server_->connections() > 0 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_EQ(server_->connections(), 0);
}

TEST_F(HttpServerTest, PortInUseIsNamedWithItsMend) {
  Start();
  HttpServer other;
  const Status status = other.Start("127.0.0.1", port(), EchoHandler);
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_EQ(status.message(), "cannot listen on 127.0.0.1 port " + std::to_string(port()) +
                                  ": the port is in use; choose another with --port");
}

TEST_F(HttpServerTest, BadAddressesAreNamedWithTheirMend) {
  HttpServer server;
  EXPECT_THAT(server.Start("203.0.113.1", 0, EchoHandler).message(),
              HasSubstr("no such address on this machine; choose another with --host"));
  EXPECT_THAT(server.Start("127.0.0.1", 70000, EchoHandler).message(), HasSubstr("70000"));
  EXPECT_THAT(server.Start("no such host", 0, EchoHandler).message(), HasSubstr("--host"));
}

TEST_F(HttpServerTest, DrainLetsRunningRequestsFinish) {
  std::shared_ptr<ResponseWriter> writer;
  Event started;
  Start({}, [&](HttpRequest, std::shared_ptr<ResponseWriter> response) {
    writer = response;
    started.Set();
  });
  TestClient idle(port());
  TestClient busy(port());
  busy.Request("GET", "/");
  ASSERT_TRUE(started.Wait());
  std::thread drain([&] { EXPECT_TRUE(server_->Drain(TestClient::kPatience)); });
  EXPECT_TRUE(idle.AtEnd());  // idle connections go first
  writer->Send(Text("done"));
  const Response response = busy.Read();
  EXPECT_EQ(response.body, "done");
  EXPECT_EQ(response.headers.Get("connection"), "close");
  drain.join();
  EXPECT_TRUE(busy.AtEnd());
  EXPECT_FALSE(TestClient(port()).connected());
}

TEST_F(HttpServerTest, DrainGivesUpAtItsDeadline) {
  Event started;
  Event closed;
  HttpServerOptions options;
  options.farewell_timeout = std::chrono::milliseconds(1);
  std::shared_ptr<ResponseWriter> writer;
  Start(options, [&](HttpRequest, std::shared_ptr<ResponseWriter> response) {
    writer = response;
    writer->OnClose([&] { closed.Set(); });
    started.Set();
  });
  TestClient client(port());
  client.Request("GET", "/");
  ASSERT_TRUE(started.Wait());
  EXPECT_FALSE(server_->Drain(std::chrono::milliseconds(1)));
  EXPECT_TRUE(closed.Wait());
  EXPECT_TRUE(client.AtEnd());
  writer->Send(Text("too late"));  // after the server's end: nothing happens
  server_.reset();
  writer->Write("later still");
}

TEST_F(HttpServerTest, DrainLetsTheCancelledSaySo) {
  Event started;
  HttpServerOptions options;
  options.farewell_timeout = TestClient::kPatience;
  Start(options, [&](HttpRequest, std::shared_ptr<ResponseWriter> response) {
    response->OnClose([response] { response->Send(Text("cancelled", 503)); });
    started.Set();
  });
  TestClient client(port());
  client.Request("GET", "/");
  ASSERT_TRUE(started.Wait());
  EXPECT_FALSE(server_->Drain(std::chrono::milliseconds(1)));
  EXPECT_EQ(client.Read().body, "cancelled");
}

TEST_F(HttpServerTest, StopEndsStreams) {
  Event closed;
  std::shared_ptr<ResponseWriter> writer;
  Event started;
  Start({}, [&](HttpRequest, std::shared_ptr<ResponseWriter> response) {
    writer = response;
    writer->OnClose([&] { closed.Set(); });
    writer->Start({.status = 200, .headers = {}, .body = "begun"});
    started.Set();
  });
  TestClient client(port());
  client.Request("GET", "/");
  ASSERT_TRUE(started.Wait());
  client.ReadUntil("begun");
  server_->Stop();
  EXPECT_TRUE(closed.Wait());
  EXPECT_FALSE(writer->open());
  EXPECT_TRUE(writer->stopped());
  EXPECT_EQ(server_->connections(), 0);
}

TEST_F(HttpServerTest, FurtherClientsWaitForASlot) {
  HttpServerOptions options;
  options.connections_max = 1;
  Start(options);
  auto first = std::make_unique<TestClient>(port());
  first->Request("GET", "/1");
  EXPECT_EQ(first->Read().status, 200);
  TestClient second(port());
  second.Request("GET", "/2");
  EXPECT_EQ(server_->connections(), 1);
  first.reset();
  EXPECT_EQ(second.Read().body, "GET /2 ? ");
}

}  // namespace
}  // namespace aio
