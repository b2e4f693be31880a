#include "http/exchange.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace aio {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const ExchangeOptions kDefaults = {.keep_alive = true, .buffered_bytes_max = 10000};

struct Watched {
  explicit Watched(ExchangeOptions options = kDefaults) : exchange(options, [this] { ++wakes; }) {}
  int wakes = 0;
  Exchange exchange;
};

TEST(ExchangeTest, SendFramesAWholeResponse) {
  Watched w;
  w.exchange.Send({.status = 404, .headers = {{"x-a", "1"}}, .body = "gone"});
  EXPECT_EQ(w.wakes, 1);
  const Exchange::Output output = w.exchange.Take();
  EXPECT_TRUE(output.last);
  EXPECT_THAT(output.bytes, StartsWith("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_THAT(output.bytes, HasSubstr("\r\nx-a: 1\r\n"));
  EXPECT_THAT(output.bytes, HasSubstr("\r\ndate: "));
  EXPECT_THAT(output.bytes, EndsWith("content-length: 4\r\n\r\ngone"));
  EXPECT_TRUE(w.exchange.keep_alive());
}

TEST(ExchangeTest, StreamsAreChunked) {
  Watched w;
  w.exchange.Start({.status = 200, .headers = {}, .body = ""});
  EXPECT_THAT(w.exchange.Take().bytes, EndsWith("transfer-encoding: chunked\r\n\r\n"));
  w.exchange.Write("0123456789abcdef");
  w.exchange.Write("");  // would end the stream
  EXPECT_EQ(w.exchange.Take().bytes, "10\r\n0123456789abcdef\r\n");
  w.exchange.Finish();
  const Exchange::Output output = w.exchange.Take();
  EXPECT_EQ(output.bytes, "0\r\n\r\n");
  EXPECT_TRUE(output.last);
}

TEST(ExchangeTest, Http10StreamsEndWithTheConnection) {
  Watched w({.http10 = true, .keep_alive = true, .buffered_bytes_max = 100});
  w.exchange.Start({.status = 200, .headers = {}, .body = "a"});
  w.exchange.Write("b");
  w.exchange.Finish();
  const std::string bytes = w.exchange.Take().bytes;
  EXPECT_THAT(bytes, EndsWith("connection: close\r\n\r\nab"));
  EXPECT_THAT(bytes, Not(HasSubstr("transfer-encoding")));
  EXPECT_FALSE(w.exchange.keep_alive());
}

TEST(ExchangeTest, HeadHasLengthAndNoBody) {
  Watched w({.head = true, .keep_alive = true, .buffered_bytes_max = 100});
  w.exchange.Send({.status = 200, .headers = {}, .body = "four"});
  EXPECT_THAT(w.exchange.Take().bytes, EndsWith("content-length: 4\r\n\r\n"));
}

TEST(ExchangeTest, HandlersCannotBreakTheFraming) {
  Watched w;
  w.exchange.Send({.status = 200,
                   .headers = {{"Content-Length", "99"},
                               {"Transfer-Encoding", "chunked"},
                               {"Connection", "upgrade"},
                               {"x-a", "1\r\nx-evil: 2"}},
                   .body = "x"});
  const std::string bytes = w.exchange.Take().bytes;
  EXPECT_THAT(bytes, Not(HasSubstr("99")));
  EXPECT_THAT(bytes, Not(HasSubstr("hunked")));
  EXPECT_THAT(bytes, Not(HasSubstr("upgrade")));
  EXPECT_THAT(bytes, Not(HasSubstr("\r\nx-evil")));
}

TEST(ExchangeTest, OnlyTheFirstAnswerCounts) {
  Watched w;
  w.exchange.Send({.status = 200, .headers = {}, .body = "one"});
  w.exchange.Send({.status = 500, .headers = {}, .body = "two"});
  w.exchange.Start({.status = 500, .headers = {}, .body = "three"});
  w.exchange.Write("four");
  w.exchange.Finish();
  EXPECT_THAT(w.exchange.Take().bytes, EndsWith("\r\n\r\none"));
  EXPECT_EQ(w.exchange.Take().bytes, "");
}

TEST(ExchangeTest, WakesOncePerTake) {
  Watched w;
  w.exchange.Start({.status = 200, .headers = {}, .body = ""});
  w.exchange.Write("a");
  w.exchange.Write("b");
  EXPECT_EQ(w.wakes, 1);
  w.exchange.Take();
  w.exchange.Write("c");
  EXPECT_EQ(w.wakes, 2);
}

TEST(ExchangeTest, OverflowsWhenTheClientIsTooSlow) {
  Watched w({.keep_alive = true, .buffered_bytes_max = 100});
  w.exchange.Start({.status = 200, .headers = {}, .body = ""});
  const size_t head = w.exchange.Take().bytes.size();
  w.exchange.MarkSent(head);
  w.exchange.Write(std::string(60, 'x'));
  const size_t taken = w.exchange.Take().bytes.size();
  w.exchange.MarkSent(taken - 50);  // 50 bytes are still on their way
  w.exchange.Write(std::string(20, 'x'));
  EXPECT_FALSE(w.exchange.overflowed());
  EXPECT_EQ(w.wakes, 3);
  w.exchange.Write(std::string(40, 'x'));
  EXPECT_TRUE(w.exchange.overflowed());
  EXPECT_FALSE(w.exchange.open());
  EXPECT_EQ(w.wakes, 4);  // heard although the last output was not taken
  w.exchange.Write("more");
  w.exchange.Ping();
  w.exchange.Finish();  // must not look like the proper end of an answer with a hole
  const Exchange::Output output = w.exchange.Take();
  EXPECT_EQ(output.bytes, "");
  EXPECT_FALSE(output.last);
}

TEST(ExchangeTest, CloseTellsAnUnfinishedHandler) {
  Watched w;
  int told = 0;
  w.exchange.OnClose([&] { ++told; });
  w.exchange.Start({.status = 200, .headers = {}, .body = ""});
  w.exchange.Close();
  EXPECT_EQ(told, 1);
  w.exchange.OnClose([&] { ++told; });  // too late to wait: at once
  EXPECT_EQ(told, 2);
  const int wakes = w.wakes;
  w.exchange.Write("x");
  w.exchange.Finish();
  w.exchange.Close();
  EXPECT_EQ(w.wakes, wakes);
  EXPECT_EQ(told, 2);
}

TEST(ExchangeTest, CloseDoesNotTellAFinishedHandler) {
  Watched w;
  bool told = false;
  auto held = std::make_shared<int>(0);
  w.exchange.OnClose([&told, held] { told = true; });
  w.exchange.Send({});
  EXPECT_EQ(held.use_count(), 1);  // what callbacks hold goes with the end of the answer
  w.exchange.OnClose([&] { told = true; });
  w.exchange.Close();
  EXPECT_FALSE(told);
}

TEST(ExchangeTest, ACancelledAnswerCanStillBeSent) {
  Watched w;
  int told = 0;
  w.exchange.OnClose([&] { ++told; });
  w.exchange.Cancel();
  EXPECT_EQ(told, 1);
  w.exchange.OnClose([&] { ++told; });  // who comes later hears of it too
  EXPECT_EQ(told, 2);
  EXPECT_TRUE(w.exchange.open());
  w.exchange.Send({.status = 503, .headers = {}, .body = ""});
  EXPECT_THAT(w.exchange.Take().bytes, StartsWith("HTTP/1.1 503 "));
  w.exchange.Close();
  EXPECT_EQ(told, 2);
}

TEST(ExchangeTest, SaysWhoClosed) {
  Watched by_client;
  by_client.exchange.Close();
  by_client.exchange.Close(/*by_server=*/true);  // the first counts
  EXPECT_FALSE(by_client.exchange.stopped());
  Watched by_server;
  by_server.exchange.Close(/*by_server=*/true);
  EXPECT_FALSE(by_server.exchange.open());
  EXPECT_TRUE(by_server.exchange.stopped());
}

TEST(ExchangeTest, DroppingTheWriterEndsTheAnswer) {
  const auto exchange = std::make_shared<Exchange>(kDefaults, [] {});
  MakeResponseWriter(exchange);
  EXPECT_THAT(exchange->Take().bytes, StartsWith("HTTP/1.1 500 "));

  const auto stream = std::make_shared<Exchange>(kDefaults, [] {});
  MakeResponseWriter(stream)->Start({});
  const Exchange::Output output = stream->Take();
  EXPECT_TRUE(output.last);
  EXPECT_THAT(output.bytes, Not(HasSubstr("0\r\n\r\n")));  // the client can tell
  EXPECT_FALSE(stream->keep_alive());
}

TEST(ExchangeTest, DrainingServersKeepNoConnection) {
  const auto draining = std::make_shared<std::atomic<bool>>(false);
  Watched w({.keep_alive = true, .buffered_bytes_max = 100, .draining = draining});
  EXPECT_TRUE(w.exchange.keep_alive());
  *draining = true;
  w.exchange.Send({});
  EXPECT_THAT(w.exchange.Take().bytes, HasSubstr("connection: close\r\n"));
  EXPECT_FALSE(w.exchange.keep_alive());
}

TEST(ExchangeTest, TellsWhenAClientReadsSlowlyAndWhenItHasCaughtUp) {
  Watched w;
  std::vector<bool> told;
  w.exchange.OnFull([&told](bool full) { told.push_back(full); });
  w.exchange.Start({.status = 200, .headers = {}, .body = ""});
  w.exchange.MarkSent(w.exchange.Take().bytes.size());
  w.exchange.Write(std::string(2000, 'x'));
  EXPECT_TRUE(told.empty());
  w.exchange.Write(std::string(1000, 'x'));  // more than a quarter of 10,000
  EXPECT_EQ(told, std::vector<bool>{true});
  const size_t waiting = w.exchange.Take().bytes.size();
  EXPECT_EQ(told.size(), 1u) << "taken is not sent";
  w.exchange.MarkSent(waiting - 1000);
  EXPECT_EQ(told, (std::vector<bool>{true, false}));
}

TEST(ExchangeTest, NothingIsToldOfAnAnswerThatIsWhole) {
  Watched w;
  int told = 0;
  w.exchange.OnFull([&told](bool) { ++told; });
  w.exchange.Start({.status = 200, .headers = {}, .body = ""});
  w.exchange.Write(std::string(5000, 'x'));
  EXPECT_EQ(told, 1);
  w.exchange.Finish();
  w.exchange.MarkSent(w.exchange.Take().bytes.size());
  EXPECT_EQ(told, 1) << "what fed it may be gone";
  w.exchange.OnFull([&told](bool) { ++told; });
  EXPECT_EQ(told, 1);
}

}  // namespace
}  // namespace aio
