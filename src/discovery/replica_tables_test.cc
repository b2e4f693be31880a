#include "discovery/replica_tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aio {
namespace {

using testing::HasSubstr;

Result<std::vector<ReplicaSpec>> Parse(std::string_view text) {
  return ParseReplicaFile(text, "replicas.toml", {.weight = 2, .zone = "a"});
}

TEST(ParseReplicaFile, ReadsAllKeys) {
  const auto replicas = Parse(R"(
[[replicas]]
url = "http://one:8000"
weight = 0.5
zone = "b"
strategy = "prompt_lookup"
draining = true
[[replicas]]
url = "https://two"
)");
  ASSERT_TRUE(replicas.ok()) << replicas.status().ToString();
  const ReplicaSpec one{.url = "http://one:8000",
                        .weight = 0.5,
                        .zone = "b",
                        .strategy = "prompt_lookup",
                        .draining = true};
  const ReplicaSpec two{.url = "https://two", .weight = 2, .zone = "a"};
  EXPECT_THAT(*replicas, testing::ElementsAre(one, two));
}

TEST(ParseReplicaFile, SaysWhereAndWhatIsWrong) {
  const auto fault = [](std::string_view text) { return Parse(text).status().message(); };
  EXPECT_THAT(fault("[[replicas]]\nweight = 1"),
              HasSubstr("replicas.toml:1: replicas[0].url: is missing"));
  EXPECT_THAT(fault("[[replicas]]\nurl = \"host\""),
              HasSubstr("replicas.toml:2: replicas[0].url: 'host': is neither"));
  EXPECT_THAT(fault("[[replicas]]\nurl = \"http://h\"\nweight = 0"),
              HasSubstr("replicas[0].weight: must be a number from 0.001 to 1000"));
  EXPECT_THAT(fault("[[replicas]]\nurl = \"http://h\"\nwieght = 1"), HasSubstr("unknown key"));
  EXPECT_THAT(fault("[[replicas]]\nurl = \"http://h\"\n[[replicas]]\nurl = \"http://h\""),
              HasSubstr("replicas[1].url: 'http://h' stands here twice"));
  EXPECT_THAT(fault("[[replicas]]\nurl = \"http://h"), HasSubstr("not valid TOML"));
}

TEST(ParseReplicaFile, RefusesStrategiesThatNoRequestAsksFor) {
  for (const char* name : {"promt_lookup", "auto", "Plain"}) {
    const auto replicas =
        Parse("[[replicas]]\nurl = \"http://h\"\nstrategy = \"" + std::string(name) + "\"");
    EXPECT_THAT(replicas.status().message(),
                HasSubstr("replicas.toml:3: replicas[0].strategy: '" + std::string(name) +
                          "' is not known; there are plain, prompt_lookup, draft_model"));
  }
  for (const char* name : {"plain", "prompt_lookup", "draft_model", ""}) {
    const auto replicas =
        Parse("[[replicas]]\nurl = \"http://h\"\nstrategy = \"" + std::string(name) + "\"");
    ASSERT_TRUE(replicas.ok()) << replicas.status().ToString();
    EXPECT_EQ(replicas->front().strategy, name);
  }
}

// A file that was just truncated must not take all replicas away.
TEST(ParseReplicaFile, DoesNotTakeNothingForNone) {
  EXPECT_THAT(Parse("").status().message(), HasSubstr("replicas: is missing"));
  EXPECT_THAT(Parse("replicas = []").value(), testing::IsEmpty());
}

TEST(ParseReplicaFile, RefusesMoreThanCanBe) {
  std::string text = "replicas = [";
  for (size_t i = 0; i <= kReplicasMax; ++i) {
    text += "{url = \"http://h" + std::to_string(i) + "\"},";
  }
  EXPECT_THAT(Parse(text + "]").status().message(), HasSubstr("has 4097 replicas; at most 4096"));
}

}  // namespace
}  // namespace aio
