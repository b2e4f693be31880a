// Requests whose end two parsers might see in different places, which is how one request is hidden
// in another: each is refused and its connection closed, or read in the one way that the standard
// (RFC 9112) allows. After each the server still serves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "http/http_test_server.h"

namespace aio {
namespace {

using Response = TestClient::Response;

class SmugglingTest : public HttpServerTest {
 protected:
  void SetUp() override { Start(); }
  void TearDown() override { ExpectServes(); }

  // A POST with `headers` (lines) and what follows them; then a request that nobody asked for.
  static std::string Attack(const std::string& headers, const std::string& rest) {
    return "POST /outer HTTP/1.1\r\nHost: t\r\n" + headers + "\r\n" + rest;
  }

  // The hidden request is never answered.
  void ExpectNotSmuggled(const std::string& bytes) {
    TestClient client(port());
    client.Send(bytes);
    const Response response = client.Read();
    EXPECT_TRUE(response.status == 400 || response.status == 413 || response.status == 501)
        << response.status << bytes;
    EXPECT_TRUE(client.AtEnd()) << bytes;
  }

  // It is one request with this body, and what follows is another.
  void ExpectBody(const std::string& bytes, const std::string& body) {
    TestClient client(port());
    client.Send(bytes + "GET /next HTTP/1.1\r\nHost: t\r\n\r\n");
    EXPECT_EQ(client.Read().body, "POST /outer ? " + body) << bytes;
    EXPECT_EQ(client.Read().body, "GET /next ? ") << bytes;
  }
};

const std::string kHidden = "GET /hidden HTTP/1.1\r\nHost: t\r\n\r\n";

TEST_F(SmugglingTest, BothFramings) {
  const std::string chunks = "0\r\n\r\n" + kHidden;
  for (const char* te : {"Transfer-Encoding: chunked\r\n", "transfer-encoding: CHUNKED\r\n",
                         "Transfer-Encoding: identity\r\n", "Transfer-Encoding:\r\n chunked\r\n"}) {
    ExpectNotSmuggled(Attack("Content-Length: 5\r\n" + std::string(te), chunks));
    ExpectNotSmuggled(Attack(te + std::string("Content-Length: 5\r\n"), chunks));
  }
}

TEST_F(SmugglingTest, DisguisedTransferCodings) {
  for (const char* te :
       {"Transfer-Encoding: xchunked\r\n", "Transfer-Encoding : chunked\r\n",
        " Transfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: chunked, chunked\r\n", "Transfer-Encoding: \"chunked\"\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n",
        "Transfer-Encoding: chunked;a=b\r\n",
        "Transfer-Encoding: \x0b"
        "chunked\r\n",
        "Transfer-Encoding: chunked\x0b\r\n", "Transfer-Encoding: x\r\n",
        "X: y\nTransfer-Encoding: chunked\r\n", "X: y\rTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding\r\n: chunked\r\n", "Transfer-Encoding: ch\xC3\xBCnked\r\n",
        "Transfer_Encoding chunked\r\n"}) {
    ExpectNotSmuggled(Attack(te, "0\r\n\r\n" + kHidden));
  }
}

TEST_F(SmugglingTest, ChunksAreOfHttp11) {
  ExpectNotSmuggled("POST /outer HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" +
                    kHidden);
}

TEST_F(SmugglingTest, ContentLengths) {
  for (const char* length :
       {"+0", "-0", "0x0", "0 0", "0,0", "0, 5", "", "0.0", "1e0", "00000000000000000000000000x",
        "18446744073709551616", "9223372036854775808",
        "\x0b"
        "0"}) {
    ExpectNotSmuggled(Attack("Content-Length: " + std::string(length) + "\r\n", kHidden));
  }
  ExpectNotSmuggled(Attack("Content-Length: 0\r\nContent-Length: 5\r\n", kHidden));
  ExpectNotSmuggled(Attack("Content-Length: 5\r\ncontent-length: 0\r\n", kHidden));
  ExpectNotSmuggled(Attack("Content-Length: 5\r\nContent-Length: 5\r\n", kHidden));
  ExpectNotSmuggled(Attack("Content-Length : 0\r\n", kHidden));
}

TEST_F(SmugglingTest, ChunkSizes) {
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  for (const char* size :
       {"-1", "+5", "0x5", " 5", "5 5", "", "g", "fffffffffffffffff", "10000000000000005"}) {
    ExpectNotSmuggled(Attack(chunked, std::string(size) + "\r\nabcde\r\n0\r\n\r\n" + kHidden));
  }
  // Data longer or shorter than the chunk says, and lines that end otherwise.
  ExpectNotSmuggled(Attack(chunked, "3\r\nabcde\r\n0\r\n\r\n" + kHidden));
  ExpectNotSmuggled(Attack(chunked, "5\nabcde\r\n0\r\n\r\n" + kHidden));
  ExpectNotSmuggled(Attack(chunked, "5\r\nabcde\n0\r\n\r\n" + kHidden));
}

TEST_F(SmugglingTest, WhatIsAllowedIsReadInOneWay) {
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  ExpectBody(Attack(chunked, "5\r\nabcde\r\n0\r\n\r\n"), "abcde");
  ExpectBody(Attack(chunked, "00005\r\nabcde\r\n000\r\n\r\n"), "abcde");
  ExpectBody(Attack(chunked, "5;name=value;x\r\nabcde\r\n0;last\r\n\r\n"), "abcde");
  ExpectBody(Attack(chunked, "0\r\nTrailer: GET / HTTP/1.1\r\n\r\n"), "");
  ExpectBody(Attack("Content-Length: 5\r\n", "abcde"), "abcde");
}

TEST_F(SmugglingTest, LinesEndByCrLf) {
  ExpectNotSmuggled("POST /outer HTTP/1.1\nHost: t\n\n" + kHidden);
  ExpectNotSmuggled("POST /outer HTTP/1.1\r\nHost: t\nContent-Length: 0\r\n\r\n" + kHidden);
  ExpectNotSmuggled("POST /outer HTTP/1.1\r\nHost: t\r\nX: a\rb\r\n\r\n" + kHidden);
  using namespace std::string_literals;
  ExpectNotSmuggled("POST /outer HTTP/1.1\r\nHost: t\r\nX: a\0b\r\n\r\n"s + kHidden);
  ExpectNotSmuggled("POST /outer HTTP/1.1\r\n Host: t\r\n\r\n" + kHidden);
  ExpectNotSmuggled("POST /outer\0 HTTP/1.1\r\nHost: t\r\n\r\n"s + kHidden);
  ExpectNotSmuggled("POST /out er HTTP/1.1\r\nHost: t\r\n\r\n" + kHidden);
  ExpectNotSmuggled("POST /outer HTTP/1.1 \r\nHost: t\r\n\r\n" + kHidden);
  ExpectNotSmuggled("POST\t/outer HTTP/1.1\r\nHost: t\r\n\r\n" + kHidden);
  ExpectNotSmuggled("POST /outer HTTP/1.1\r\nHost: t\r\n: x\r\n\r\n" + kHidden);
}

// A folded line is part of the value above, as the standard has it for a server that takes such.
TEST_F(SmugglingTest, FoldedLinesHideNothing) {
  TestClient client(port());
  client.Send("GET /outer HTTP/1.1\r\nHost: t\r\nX: a\r\n Content-Length: 40\r\n\r\n" + kHidden);
  EXPECT_EQ(client.Read().body, "GET /outer ? ");
  EXPECT_EQ(client.Read().body, "GET /hidden ? ") << "a request of its own, not a body";
}

TEST_F(SmugglingTest, OneHostOnly) {
  ExpectNotSmuggled("GET http://other/ HTTP/1.1\r\n\r\n" + kHidden);
  ExpectNotSmuggled("GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n" + kHidden);
}

}  // namespace
}  // namespace aio
