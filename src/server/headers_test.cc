#include "server/headers.h"

#include <gtest/gtest.h>

#include <string>

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

TEST(HeadersTest, ApiKeys) {
  const auto check = [](const char* header) {
    HttpRequest request;
    if (header != nullptr) request.headers.Add("Authorization", header);
    return CheckApiKey(request, "secret").code();
  };
  EXPECT_EQ(check("Bearer secret"), StatusCode::kOk);
  EXPECT_EQ(check("bearer secret"), StatusCode::kOk);
  EXPECT_EQ(check(nullptr), StatusCode::kUnauthenticated);
  EXPECT_EQ(check(""), StatusCode::kUnauthenticated);
  EXPECT_EQ(check("Bearer "), StatusCode::kUnauthenticated);
  EXPECT_EQ(check("Bearer secre"), StatusCode::kUnauthenticated);
  EXPECT_EQ(check("Bearer secretsecret"), StatusCode::kUnauthenticated);
  EXPECT_EQ(check("Bearer Secret"), StatusCode::kUnauthenticated);
  EXPECT_EQ(check("Basic secret"), StatusCode::kUnauthenticated);
  EXPECT_TRUE(CheckApiKey({}, "").ok());
}

}  // namespace
}  // namespace aio
