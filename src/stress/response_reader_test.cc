#include "stress/response_reader.h"

#include <gtest/gtest.h>

#include <string>

namespace aio {
namespace {

const std::string kWhole = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
const std::string kStream =
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n";

TEST(ResponseReaderTest, ReadsWholeAnswersAndStreamsInAnyPieces) {
  for (const std::string& text : {kWhole, kStream}) {
    for (size_t piece = 1; piece <= text.size(); ++piece) {
      ResponseReader reader;
      for (size_t at = 0; at < text.size(); at += piece) {
        const std::string bytes = text.substr(at, piece);
        EXPECT_FALSE(reader.done());
        EXPECT_EQ(reader.Feed(bytes), bytes.size());
      }
      EXPECT_TRUE(reader.done());
      EXPECT_EQ(reader.status(), 200);
      EXPECT_EQ(reader.body(), "hello");
    }
  }
}

TEST(ResponseReaderTest, TakesNoMoreThanOneAnswer) {
  ResponseReader reader;
  EXPECT_EQ(reader.Feed(kStream + kWhole), kStream.size());
  EXPECT_TRUE(reader.done());
  reader.Next();
  EXPECT_FALSE(reader.begun());
  EXPECT_EQ(reader.Feed(kWhole), kWhole.size());
  EXPECT_TRUE(reader.done());
}

TEST(ResponseReaderTest, Heads) {
  ResponseReader reader;
  reader.Next(/*is_head=*/true);
  reader.Feed("HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 5\r\n\r\n");
  EXPECT_TRUE(reader.done());
  EXPECT_EQ(reader.status(), 404);
  EXPECT_TRUE(reader.closes());
}

TEST(ResponseReaderTest, ContinueIsNoAnswer) {
  ResponseReader reader;
  reader.Feed("HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_FALSE(reader.done());
  reader.Feed(kWhole);
  EXPECT_EQ(reader.body(), "hello");
}

TEST(ResponseReaderTest, WithoutALengthTheConnectionsEndIsTheEnd) {
  ResponseReader reader;
  reader.Feed("HTTP/1.1 200 OK\r\n\r\nhello");
  EXPECT_FALSE(reader.done());
  reader.FeedEnd();
  EXPECT_TRUE(reader.done());
  EXPECT_EQ(reader.body(), "hello");
}

TEST(ResponseReaderTest, WhatIsNoHttpIsBroken) {
  for (const char* text :
       {"hello\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc\r\n"}) {
    ResponseReader reader;
    reader.Feed(text);
    EXPECT_TRUE(reader.broken()) << text;
  }
  ResponseReader flood;
  flood.Feed(std::string(100'000, 'x'));
  EXPECT_TRUE(flood.broken());
}

}  // namespace
}  // namespace aio
