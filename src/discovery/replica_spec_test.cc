#include "discovery/replica_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "discovery/replica_url.h"

namespace aio {
namespace {

using testing::HasSubstr;

TEST(CheckReplicaUrl, TakesServers) {
  for (const char* url : {"http://vllm-large-0:8000", "https://models.example.org",
                          "http://10.0.0.1:1", "http://[2001:db8::1]:8000", "http://[::1]",
                          "https://h.example.org./engines/large", "http://snake_case:65535"}) {
    EXPECT_TRUE(CheckReplicaUrl(url).ok()) << url << ": " << CheckReplicaUrl(url).ToString();
  }
}

TEST(CheckReplicaUrl, NamesWhatIsWrong) {
  const auto fault = [](std::string_view url) { return CheckReplicaUrl(url).message(); };
  EXPECT_THAT(fault(""), HasSubstr("neither http:// nor https://"));
  EXPECT_THAT(fault("host:8000"), HasSubstr("neither http:// nor https://"));
  EXPECT_THAT(fault("ftp://host"), HasSubstr("'ftp://host': is neither"));
  EXPECT_THAT(fault("http://"), HasSubstr("has no host"));
  EXPECT_THAT(fault("http://:80"), HasSubstr("has no host"));
  EXPECT_THAT(fault("http://host:"), HasSubstr("no port after it"));
  EXPECT_THAT(fault("http://host:0"), HasSubstr("'0' is no port"));
  EXPECT_THAT(fault("http://host:65536"), HasSubstr("'65536' is no port"));
  EXPECT_THAT(fault("http://host:http"), HasSubstr("'http' is no port"));
  EXPECT_THAT(fault("http://host:80:80"), HasSubstr("is no port"));
  EXPECT_THAT(fault("http://user:secret@host"), HasSubstr("has a user"));
  EXPECT_THAT(fault("http://host?key=1"), HasSubstr("has a query"));
  EXPECT_THAT(fault("http://host/#top"), HasSubstr("has a fragment"));
  EXPECT_THAT(fault("http://host:80/"), HasSubstr("ends with '/'"));
  EXPECT_THAT(fault("http://host:80/v1"), HasSubstr("ends with '/v1'"));
  EXPECT_THAT(fault("http://ho st"), HasSubstr("blanks"));
  EXPECT_THAT(fault("http://host\r\nx: y"), HasSubstr("blanks"));
  EXPECT_THAT(fault("http://2001:db8::1"), HasSubstr("is no port"));
  EXPECT_THAT(fault("http://[10.0.0.1]"), HasSubstr("no IPv6 address"));
  EXPECT_THAT(fault("http://[::1"), HasSubstr("no IPv6 address"));
  EXPECT_THAT(fault("http://a..b"), HasSubstr("'a..b' is no host"));
  EXPECT_THAT(fault("http://" + std::string(300, 'a')), HasSubstr("is no host"));
  EXPECT_THAT(fault("http://h/" + std::string(3000, 'a')), HasSubstr("longer than"));
}

TEST(ReplicaUrl, ComesBackFromItsParts) {
  for (const char* url : {"http://host", "https://host:443/a/b", "http://[::1]:80/x"}) {
    EXPECT_EQ(JoinReplicaUrl(SplitReplicaUrl(url).value()), url);
  }
}

TEST(ReplicaSpec, IsOrderedByUrlThenAddress) {
  const ReplicaSpec a{.url = "http://a", .address = "10.0.0.2"};
  const ReplicaSpec b{.url = "http://a", .address = "10.0.0.3"};
  const ReplicaSpec c{.url = "http://b", .address = "10.0.0.1"};
  std::vector<ReplicaSpec> all = {c, b, a};
  std::sort(all.begin(), all.end());
  EXPECT_THAT(all, testing::ElementsAre(a, b, c));
}

}  // namespace
}  // namespace aio
