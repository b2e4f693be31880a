// What RFC 9110 and RFC 9112 say of requests, a row each: the bytes of a client, the answers it
// gets, and whether the connection goes on. Each is sent at once and byte by byte: how TCP cuts a
// request up may not change what it means.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "http/http_test_server.h"

namespace aio {
namespace {

using namespace std::string_literals;
using ::testing::HasSubstr;

struct Row {
  const char* name;
  std::string bytes;
  std::vector<int> statuses;  // of the answers, in order
  bool closes = false;        // after the last of them; else another request is answered
  const char* last = "";      // the last answer's body, if it is looked at
};

constexpr bool kCloses = true;
constexpr size_t kBodyMax = 1000;
constexpr size_t kHeaderMax = 2048;

std::string Get(const std::string& headers, const std::string& target = "/") {
  return "GET " + target + " HTTP/1.1\r\nHost: t\r\n" + headers + "\r\n";
}
std::string Post(const std::string& headers, const std::string& rest) {
  return "POST / HTTP/1.1\r\nHost: t\r\n" + headers + "\r\n" + rest;
}
std::string Chunked(const std::string& chunks) {
  return Post("Transfer-Encoding: chunked\r\n", chunks);
}
std::string Line(const std::string& line) { return line + "\r\nHost: t\r\n\r\n"; }

std::vector<Row> RequestLines() {
  return {
      {"GET", Line("GET / HTTP/1.1"), {200}, false, "GET / ? "},
      {"query", Line("GET /a?b=c&d HTTP/1.1"), {200}, false, "GET /a ?b=c&d "},
      {"empty query", Line("GET /a? HTTP/1.1"), {200}, false, "GET /a ? "},
      {"two question marks", Line("GET /a?b?c HTTP/1.1"), {200}, false, "GET /a ?b?c "},
      {"escapes stay", Line("GET /%2e%2E/%00 HTTP/1.1"), {200}, false, "GET /%2e%2E/%00 ? "},
      {"dots stay", Line("GET /a/../b HTTP/1.1"), {200}, false, "GET /a/../b ? "},
      {"absolute form", Line("GET http://x/a?b HTTP/1.1"), {200}, false, "GET /a ?b "},
      {"absolute, no path", Line("GET http://x HTTP/1.1"), {200}, false, "GET / ? "},
      {"absolute, port", Line("GET http://x:80/a HTTP/1.1"), {200}, false, "GET /a ? "},
      {"absolute, query alone", Line("GET http://x?b HTTP/1.1"), {200}, false, "GET / ?b "},
      {"asterisk form", Line("OPTIONS * HTTP/1.1"), {200}, false, "OPTIONS * ? "},
      {"authority form", Line("CONNECT t:443 HTTP/1.1"), {200}, false, "CONNECT t:443 ? "},
      {"unknown method", Line("BREW / HTTP/1.1"), {200}, false, "BREW / ? "},
      {"methods have case", Line("get / HTTP/1.1"), {200}, false, "get / ? "},
      {"method of odd characters", Line("M-S!#$% / HTTP/1.1"), {200}, false, "M-S!#$% / ? "},
      {"empty line before", "\r\n" + Line("GET / HTTP/1.1"), {200}, false, "GET / ? "},
      {"empty lines before", "\r\n\r\n" + Line("GET / HTTP/1.1"), {200}, false, "GET / ? "},
      {"no method", Line(" / HTTP/1.1"), {400}, kCloses},
      {"bad method", Line("GE(T / HTTP/1.1"), {400}, kCloses},
      {"no target", Line("GET HTTP/1.1"), {400}, kCloses},
      {"two spaces", Line("GET  / HTTP/1.1"), {400}, kCloses},
      {"space in the target", Line("GET /a b HTTP/1.1"), {400}, kCloses},
      {"tab for space", Line("GET\t/ HTTP/1.1"), {400}, kCloses},
      {"NUL in the target", Line("GET /\0 HTTP/1.1"s), {400}, kCloses},
      {"control in the target", Line("GET /\x01 HTTP/1.1"), {400}, kCloses},
      {"space at the end", Line("GET / HTTP/1.1 "), {400}, kCloses},
      {"HTTP/0.9", "GET /\r\n\r\n", {400}, kCloses},
      {"HTTP/2.0", Line("GET / HTTP/2.0"), {400}, kCloses},
      {"version in small letters", Line("GET / http/1.1"), {400}, kCloses},
      {"version of one digit", Line("GET / HTTP/1"), {400}, kCloses},
      {"version of three digits", Line("GET / HTTP/1.11"), {400}, kCloses},
      {"another protocol", Line("GET / ICY/1.1"), {400}, kCloses},
      {"lines end by LF", "GET / HTTP/1.1\nHost: t\n\n", {400}, kCloses},
      {"a field ends by LF", "GET / HTTP/1.1\r\nHost: t\n\r\n", {400}, kCloses},
      {"first line ends by CR", "GET / HTTP/1.1\rHost: t\r\n\r\n", {400}, kCloses},
      {"line too long", Line("GET /" + std::string(kHeaderMax, 'a') + " HTTP/1.1"), {431}, kCloses},
  };
}

std::vector<Row> Headers() {
  return {
      {"no space after the colon", Get("A:b\r\n"), {200}},
      {"spaces about the value", Get("A: \t b \t\r\n"), {200}},
      {"empty value", Get("A:\r\n"), {200}},
      {"bytes beyond ASCII", Get("A: \xC3\xA9\xFF\r\n"), {200}},
      {"name of odd characters", Get("!#$%&'*+-.^_`|~9: b\r\n"), {200}},
      {"twice", Get("A: b\r\nA: c\r\n"), {200}},
      {"fifty",
       Get([] {
         std::string fifty;
         for (int i = 0; i < 50; ++i) fifty += "A: b\r\n";
         return fifty;
       }()),
       {200}},
      {"upgrades are not taken", Get("Connection: Upgrade\r\nUpgrade: h2c\r\n"), {200}},
      {"ranges are not taken", Get("Range: bytes=0-1\r\n"), {200}, false, "GET / ? "},
      {"unknown expectation", Get("Expect: tea\r\n"), {200}},
      {"empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", {200}},
      {"Host in capitals", "GET / HTTP/1.1\r\nHOST: t\r\n\r\n", {200}},
      {"Host with port", "GET / HTTP/1.1\r\nHost: t:80\r\n\r\n", {200}},
      {"no Host", "GET / HTTP/1.1\r\nA: b\r\n\r\n", {400}, kCloses},
      {"no header", "GET / HTTP/1.1\r\n\r\n", {400}, kCloses},
      {"two Hosts", Get("Host: t\r\n"), {400}, kCloses},
      {"Host of two words", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", {400}, kCloses},
      {"no colon", Get("A b\r\n"), {400}, kCloses},
      {"no name", Get(": b\r\n"), {400}, kCloses},
      {"space before the colon", Get("A : b\r\n"), {400}, kCloses},
      {"space in the name", Get("A B: c\r\n"), {400}, kCloses},
      {"space before the name", "GET / HTTP/1.1\r\n A: b\r\nHost: t\r\n\r\n", {400}, kCloses},
      {"control in the name", Get("A\x01: b\r\n"), {400}, kCloses},
      {"control in the value", Get("A: b\x01\r\n"), {400}, kCloses},
      {"NUL in the value", Get("A: b\0c\r\n"s), {400}, kCloses},
      {"DEL in the value", Get("A: b\x7F\r\n"), {400}, kCloses},
      {"CR in the value", Get("A: b\rc\r\n"), {400}, kCloses},
      {"LF in the value", Get("A: b\nC: d\r\n"), {400}, kCloses},
      {"header too long", Get("A: " + std::string(kHeaderMax, 'b') + "\r\n"), {431}, kCloses},
  };
}

std::vector<Row> Bodies() {
  const std::string most(kBodyMax, 'x');
  return {
      {"POST without a body", Post("", ""), {200}, false, "POST / ? "},
      {"length", Post("Content-Length: 5\r\n", "abcde"), {200}, false, "POST / ? abcde"},
      {"length 0", Post("Content-Length: 0\r\n", ""), {200}, false, "POST / ? "},
      {"length with zeros",
       Post("Content-Length: 005\r\n", "abcde"),
       {200},
       false,
       "POST / ? abcde"},
      {"length in spaces",
       Post("Content-Length:   5  \r\n", "abcde"),
       {200},
       false,
       "POST / ? abcde"},
      {"GET with a body", Get("Content-Length: 2\r\n") + "ab", {200}, false, "GET / ? ab"},
      {"any bytes", Post("Content-Length: 4\r\n", "\r\n\0\xFF"s), {200}},
      {"as long as may be", Post("Content-Length: 1000\r\n", most), {200}},
      {"too long", Post("Content-Length: 1001\r\n", ""), {413}, kCloses},
      {"lengths that differ",
       Post("Content-Length: 1\r\nContent-Length: 2\r\n", "ab"),
       {400},
       kCloses},
      {"list of lengths", Post("Content-Length: 1, 1\r\n", "a"), {400}, kCloses},
      {"negative length", Post("Content-Length: -1\r\n", ""), {400}, kCloses},
      {"signed length", Post("Content-Length: +1\r\n", "a"), {400}, kCloses},
      {"length in words", Post("Content-Length: five\r\n", "abcde"), {400}, kCloses},
      {"empty length", Post("Content-Length:\r\n", ""), {400}, kCloses},
      {"length of 21 digits",
       Post("Content-Length: 100000000000000000000\r\n", ""),
       {400},
       kCloses},
      {"one chunk", Chunked("5\r\nabcde\r\n0\r\n\r\n"), {200}, false, "POST / ? abcde"},
      {"chunks", Chunked("2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n"), {200}, false, "POST / ? abcde"},
      {"no chunk", Chunked("0\r\n\r\n"), {200}, false, "POST / ? "},
      {"size in capitals",
       Chunked("A\r\n0123456789\r\n0\r\n\r\n"),
       {200},
       false,
       "POST / ? 0123456789"},
      {"size with zeros", Chunked("0005\r\nabcde\r\n000\r\n\r\n"), {200}, false, "POST / ? abcde"},
      {"extensions", Chunked("2;a=b;c\r\nab\r\n0;d\r\n\r\n"), {200}, false, "POST / ? ab"},
      {"quoted extension", Chunked("2;a=\"b;c\"\r\nab\r\n0\r\n\r\n"), {200}, false, "POST / ? ab"},
      {"trailers", Chunked("2\r\nab\r\n0\r\nA: b\r\nC: d\r\n\r\n"), {200}, false, "POST / ? ab"},
      {"coding in capitals", Post("Transfer-Encoding: CHUNKED\r\n", "0\r\n\r\n"), {200}},
      {"chunks too long", Chunked("3e9\r\n" + most + "x\r\n0\r\n\r\n"), {413}, kCloses},
      {"size of no digit", Chunked("\r\nab\r\n0\r\n\r\n"), {400}, kCloses},
      {"size that is none", Chunked("2x\r\nab\r\n0\r\n\r\n"), {400}, kCloses},
      {"negative size", Chunked("-2\r\nab\r\n0\r\n\r\n"), {400}, kCloses},
      {"size of 17 digits", Chunked("10000000000000002\r\nab\r\n0\r\n\r\n"), {400}, kCloses},
      {"size ends by LF", Chunked("2\nab\r\n0\r\n\r\n"), {400}, kCloses},
      {"chunk longer than said", Chunked("2\r\nabc\r\n0\r\n\r\n"), {400}, kCloses},
      {"chunk ends by LF", Chunked("2\r\nab\n0\r\n\r\n"), {400}, kCloses},
      {"both framings",
       Post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
       {400},
       kCloses},
      {"chunks of HTTP/1.0",
       "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       {501},
       kCloses},
      {"other coding", Post("Transfer-Encoding: gzip\r\n", ""), {501}, kCloses},
      {"other coding first",
       Post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"),
       {501},
       kCloses},
      {"chunked twice",
       Post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"),
       {501},
       kCloses},
      {"chunked, but not last",
       Post("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n"),
       {501},
       kCloses},
  };
}

std::vector<Row> Connections() {
  const std::string get = Get("");
  std::string twenty;
  for (int i = 0; i < 20; ++i) twenty += Get("", "/" + std::to_string(i));
  return {
      {"two", get + Get("", "/b"), {200, 200}, false, "GET /b ? "},
      {"twenty", twenty, std::vector<int>(20, 200), false, "GET /19 ? "},
      {"a body between", get + Post("Content-Length: 2\r\n", "ab") + get, {200, 200, 200}},
      {"chunks between", get + Chunked("2\r\nab\r\n0\r\n\r\n") + get, {200, 200, 200}},
      {"empty line between", Post("Content-Length: 2\r\n", "ab") + "\r\n" + get, {200, 200}},
      {"noise behind", get + "\x01\x02\r\n\r\n", {200, 400}, kCloses},
      {"a fault behind", get + "GET / HTTP/1.1\r\n\r\n" + get, {200, 400}, kCloses},
      {"close", Get("Connection: close\r\n"), {200}, kCloses},
      {"close in capitals", Get("Connection: CLOSE\r\n"), {200}, kCloses},
      {"close among others", Get("Connection: te, close\r\n"), {200}, kCloses},
      {"nothing after close", Get("Connection: close\r\n") + get, {200}, kCloses},
      {"keep-alive", Get("Connection: keep-alive\r\n"), {200}},
      {"HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", {200}, kCloses, "GET / ? "},
      {"HTTP/1.0 with Host", "GET / HTTP/1.0\r\nHost: t\r\n\r\n", {200}, kCloses},
      {"HTTP/1.0 kept", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", {200}},
      {"HTTP/1.0 with a body",
       "POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nab",
       {200},
       kCloses,
       "POST / ? ab"},
      {"HTTP/1.0 expects nothing",
       "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab",
       {200},
       kCloses,
       "POST / ? ab"},
      {"expects, and goes on at once",
       Post("Expect: 100-continue\r\nContent-Length: 0\r\n", ""),
       {200}},
      {"expects too much",
       Post("Expect: 100-continue\r\nContent-Length: 1001\r\n", ""),
       {413},
       kCloses},
      {"expects in chunks too much",
       Post("Expect: 100-continue\r\nTransfer-Encoding: gzip\r\n", ""),
       {501},
       kCloses},
  };
}

class ConformanceTest : public HttpServerTest {
 protected:
  void SetUp() override {
    HttpServerOptions options;
    options.body_bytes_max = kBodyMax;
    options.header_bytes_max = kHeaderMax;
    Start(options);
  }

  void Check(const std::vector<Row>& rows) {
    for (const Row& row : rows) {
      for (const size_t piece : {row.bytes.size(), size_t{1}}) {
        SCOPED_TRACE(std::string(row.name) + (piece == 1 ? ", byte by byte" : ""));
        CheckRow(row, piece);
      }
    }
  }

  void CheckRow(const Row& row, size_t piece) {
    TestClient client(port());
    client.SendAtOnce();
    for (size_t at = 0; at < row.bytes.size(); at += piece) {
      if (!client.Send(std::string_view(row.bytes).substr(at, piece)))
        break;  // it has heard enough
    }
    TestClient::Response response;
    for (const int status : row.statuses) {
      response = client.Read();
      ASSERT_EQ(response.status, status);
      ASSERT_TRUE(response.complete);
    }
    if (*row.last != '\0') {
      EXPECT_EQ(response.body, row.last);
    }
    EXPECT_EQ(response.headers.Get("connection") == "close", row.closes);
    if (row.closes) {
      EXPECT_TRUE(client.AtEnd());
    } else {
      client.Request("GET", "/next");
      EXPECT_EQ(client.Read().body, "GET /next ? ");
    }
  }
};

TEST_F(ConformanceTest, RequestLines) { Check(RequestLines()); }
TEST_F(ConformanceTest, Headers) { Check(Headers()); }
TEST_F(ConformanceTest, Bodies) { Check(Bodies()); }
TEST_F(ConformanceTest, Connections) { Check(Connections()); }

// A piece has been looked at when a request that was sent after it has its answer.
TEST_F(ConformanceTest, ALastChunkMayComeInPieces) {
  TestClient other(port());
  const auto let_it_be_read = [&other] {
    other.Send(Get(""));
    other.Read();
  };
  for (const std::string& body : {"0\r\n\r\n"s, "2\r\nab\r\n0\r\n\r\n"s, "0\r\nx: y\r\n\r\n"s}) {
    for (int round = 0; round < 10; ++round) {
      TestClient client(port());
      client.Send(Chunked(""));
      for (const char c : body) {
        let_it_be_read();
        client.Send(std::string(1, c));
      }
      EXPECT_EQ(client.Read().status, 200) << body;
    }
  }
}

TEST_F(ConformanceTest, ContinueComesBeforeTheBodyAndOnlyIfItIsWanted) {
  TestClient client(port());
  const std::string expecting = Post("Expect: 100-continue\r\nContent-Length: 2\r\n", "");
  client.Send(expecting);
  EXPECT_EQ(client.ReadUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("ab");
  EXPECT_EQ(client.Read().body, "POST / ? ab");
  client.Send(expecting);
  EXPECT_EQ(client.ReadUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("cd" + Get("", "/behind"));
  EXPECT_EQ(client.Read().body, "POST / ? cd");
  EXPECT_EQ(client.Read().body, "GET /behind ? ");
}

TEST_F(ConformanceTest, HeadsAreThoseOfGetWithoutABody) {
  TestClient client(port());
  client.Send(Line("HEAD /a HTTP/1.1") + Line("GET /b HTTP/1.1") +
              "HEAD /c HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\nab");
  const TestClient::Response head = client.Read(/*head=*/true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.Get("content-length"), "10");  // of "HEAD /a ? "
  EXPECT_EQ(client.Read().body, "GET /b ? ") << "nothing stood between";
  EXPECT_EQ(client.Read(/*head=*/true).headers.Get("content-length"), "12");
}

TEST_F(ConformanceTest, AnswersHaveADateAndOneFraming) {
  TestClient client(port());
  client.Send(Get(""));
  const TestClient::Response response = client.Read();
  EXPECT_THAT(std::string(response.headers.Get("date")),
              testing::MatchesRegex("[A-Z][a-z][a-z], .. [A-Z][a-z][a-z] .* GMT"));
  EXPECT_TRUE(response.headers.Has("content-length"));
  EXPECT_FALSE(response.headers.Has("transfer-encoding"));
}

}  // namespace
}  // namespace aio
