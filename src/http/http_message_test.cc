#include "http/http_message.h"

#include <gtest/gtest.h>

namespace aio {
namespace {

TEST(HttpMessageTest, HeaderNamesIgnoreCase) {
  HttpHeaders headers({{"Content-Type", "a"}, {"X-Y", "1"}, {"x-y", "2"}});
  EXPECT_EQ(headers.Get("content-type"), "a");
  EXPECT_EQ(headers.Get("X-y"), "1");
  EXPECT_TRUE(headers.Has("x-Y"));
  EXPECT_EQ(headers.Get("x-z"), "");
  EXPECT_FALSE(headers.Has("x-"));
  headers.Set("X-Y", "3");
  EXPECT_EQ(headers.entries().size(), 2u);
  EXPECT_EQ(headers.Get("x-y"), "3");
}

TEST(HttpMessageTest, PercentDecode) {
  EXPECT_EQ(PercentDecode("aio%2Fauto"), "aio/auto");
  EXPECT_EQ(PercentDecode("%41%e9"), "A\xE9");
  EXPECT_EQ(PercentDecode("100%"), "100%");
  EXPECT_EQ(PercentDecode("%4"), "%4");
  EXPECT_EQ(PercentDecode("%zz%4z"), "%zz%4z");
}

TEST(HttpMessageTest, QueryValue) {
  EXPECT_EQ(QueryValue("a=1&bb=2", "a"), "1");
  EXPECT_EQ(QueryValue("a=1&bb=2", "bb"), "2");
  EXPECT_EQ(QueryValue("a=1&bb=2", "b"), "");
  EXPECT_EQ(QueryValue("a&b=&a=3", "a"), "3");
  EXPECT_EQ(QueryValue("&&=&", "a"), "");
  EXPECT_EQ(QueryValue("", "a"), "");
}

TEST(HttpMessageTest, Reasons) {
  EXPECT_EQ(HttpReason(404), "Not Found");
  EXPECT_EQ(HttpReason(799), "Unknown");
}

}  // namespace
}  // namespace aio
