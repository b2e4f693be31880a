#include "server/headers.h"

#include <gtest/gtest.h>

#include <string>

#include "server/cors.h"

namespace aio {
namespace {

TEST(HeadersTest, RequestIdsAreFreshAndSane) {
  const std::string id = NewRequestId();
  EXPECT_EQ(id.size(), 32u);
  EXPECT_TRUE(IsSaneRequestId(id));
  EXPECT_NE(id, NewRequestId());
}

TEST(HeadersTest, InsaneRequestIdsAreNotTaken) {
  EXPECT_TRUE(IsSaneRequestId("req_1-2.3:4/5+6=@x"));
  EXPECT_FALSE(IsSaneRequestId(""));
  EXPECT_FALSE(IsSaneRequestId("a b"));
  EXPECT_FALSE(IsSaneRequestId("a\nb"));
  EXPECT_FALSE(IsSaneRequestId("\xC3\xA9"));
  EXPECT_TRUE(IsSaneRequestId(std::string(128, 'x')));
  EXPECT_FALSE(IsSaneRequestId(std::string(129, 'x')));
}

TEST(HeadersTest, PrintableAscii) {
  EXPECT_EQ(PrintableAscii("a\r\nb\xC3\xA9~ \x7F", 100), "a??b?~ ?");
  EXPECT_EQ(PrintableAscii("abcdef", 3), "abc");
}

TEST(HeadersTest, DecisionHeadersSayWhatIsKnown) {
  Decision decision;
  decision.model = "m";
  decision.reason = "override";
  HttpHeaders headers = DecisionHeaders("m", &decision);
  EXPECT_EQ(headers.Get("x-aio-model"), "m");
  EXPECT_EQ(headers.Get("x-aio-strategy"), "plain");
  EXPECT_EQ(headers.Get("x-aio-reason"), "override");
  EXPECT_FALSE(headers.Has("x-aio-intent"));
  EXPECT_FALSE(headers.Has("x-aio-entropy"));
  decision.probed = true;
  decision.intent = "math";
  decision.entropy = 0.12345;
  headers = DecisionHeaders("m", &decision);
  EXPECT_EQ(headers.Get("x-aio-intent"), "math");
  EXPECT_EQ(headers.Get("x-aio-entropy"), "0.1235");
  EXPECT_EQ(DecisionHeaders("m", nullptr).entries().size(), 1u);
}

TEST(HeadersTest, PresentedKeys) {
  const auto shown = [](HttpHeaders headers) {
    HttpRequest request;
    request.headers = std::move(headers);
    return std::string(PresentedKey(request));
  };
  EXPECT_EQ(shown({{"Authorization", "Bearer secret"}}), "secret");
  EXPECT_EQ(shown({{"authorization", "bearer secret"}}), "secret");
  EXPECT_EQ(shown({{"X-Api-Key", "secret"}}), "secret");
  EXPECT_EQ(shown({{"x-api-key", "other"}, {"authorization", "Bearer secret"}}), "secret");
  EXPECT_EQ(shown({}), "");
  EXPECT_EQ(shown({{"authorization", ""}}), "");
  EXPECT_EQ(shown({{"authorization", "Bearer "}}), "");
  EXPECT_EQ(shown({{"authorization", "Basic secret"}}), "");
}

TEST(HeadersTest, RequestedTimeouts) {
  const auto timeout = [](const char* value) {
    HttpRequest request;
    request.headers = {{"x-request-timeout-ms", value}};
    return RequestedTimeout(request);
  };
  EXPECT_EQ(*RequestedTimeout({}), Duration::zero());
  EXPECT_EQ(*timeout("1500"), std::chrono::milliseconds(1500));
  for (const char* bad :
       {"", "0", "-1", "1.5", "1e3", " 5", "5 ", "ten", "86400001", "99999999999999999999999"}) {
    EXPECT_EQ(timeout(bad).status().code(), StatusCode::kInvalidArgument) << bad;
  }
}

TEST(HeadersTest, ShortDurations) {
  EXPECT_EQ(ShortDuration(Duration::zero()), "0ms");
  EXPECT_EQ(ShortDuration(Duration(1)), "1ms");
  EXPECT_EQ(ShortDuration(std::chrono::milliseconds(250)), "250ms");
  EXPECT_EQ(ShortDuration(std::chrono::milliseconds(1001)), "2s");
  EXPECT_EQ(ShortDuration(std::chrono::seconds(61)), "1m1s");
  EXPECT_EQ(ShortDuration(std::chrono::seconds(3600)), "1h0m0s");
}

TEST(HeadersTest, Origins) {
  for (const char* good : {"*", "http://localhost:3000", "https://chat.example.org"}) {
    EXPECT_TRUE(CheckCorsOrigin(good).ok()) << good;
  }
  for (const char* bad : {"", "localhost", "https://", "https://a.org/", "https://*.a.org",
                          "ftp://a.org", "HTTPS://a.org", "https://A.org", "null"}) {
    EXPECT_FALSE(CheckCorsOrigin(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace aio
