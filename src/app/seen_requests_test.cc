#include "app/seen_requests.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "router/intent_distribution.h"

namespace aio {
namespace {

class SeenRequestsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = ::testing::TempDir() + "seen_requests_test.jsonl";
    std::filesystem::remove(path_);
  }
  void TearDown() override { std::filesystem::remove(path_); }

  Result<SimWorkload> Read(std::string_view text) {
    std::ofstream(path_) << text;
    return ReadSeenRequests(path_);
  }

  std::string path_;
};

TEST_F(SeenRequestsTest, RecordsOfALoadAreTraffic) {
  const auto seen = Read(
      R"({"intended_ms":20,"role":"large","intent":"qa","entropy":0.5,"prompt_tokens":40,"cached_tokens":8,"output_tokens":7})"
      "\n"
      R"({"intended_ms":10,"role":"small","intent":"code","entropy":0.1,"prompt_tokens":30,"cached_tokens":25,"output_tokens":5})"
      "\n"
      R"({"intended_ms":30,"error":"refused"})"
      "\n");
  ASSERT_TRUE(seen.ok()) << seen.status().ToString();
  ASSERT_EQ(seen->requests.size(), 2u) << "one had no answer";
  const SimRequest& first = seen->requests[0];
  EXPECT_EQ(ToMs(first.arrival), 10);
  EXPECT_EQ(first.prompt_tokens, 30);
  EXPECT_EQ(first.answer_tokens, 5);
  EXPECT_EQ(seen->labels[static_cast<size_t>(first.intent)], "code");
  const auto distribution = IntentDistribution::FromLogits(seen->labels, first.label_logits);
  ASSERT_TRUE(distribution.ok());
  EXPECT_EQ(distribution->labels[distribution->top()], "code");
  EXPECT_NEAR(distribution->entropy, 0.1, 1e-4);
  // The large model found eight tokens known that it had not computed for this request.
  EXPECT_EQ(first.blocks, seen->requests[1].blocks);
  EXPECT_EQ(first.block_tokens, 8);
  EXPECT_EQ(first.unprobed_tokens, 5) << "that the small model computed for the answer";
}

TEST_F(SeenRequestsTest, FaultsNameFileAndLine) {
  EXPECT_NE(Read("{\"error\":\"refused\"}\nnot json\n").status().message().find(path_ + ":2"),
            std::string::npos);
  EXPECT_NE(Read("{\"intended_ms\":-1,\"prompt_tokens\":3,\"output_tokens\":3}\n")
                .status()
                .message()
                .find(path_ + ":1"),
            std::string::npos);
  EXPECT_NE(Read("{\"intended_ms\":1,\"prompt_tokens\":3,\"output_tokens\":\"x\"}\n")
                .status()
                .message()
                .find(path_ + ":1: output_tokens: must be a number"),
            std::string::npos);
  EXPECT_NE(ReadSeenRequests(::testing::TempDir()).status().message().find("is a folder"),
            std::string::npos);
  EXPECT_NE(Read("").status().message().find("has no request"), std::string::npos);
  EXPECT_NE(Read("{\"intended_ms\":1e300,\"prompt_tokens\":1e300,\"output_tokens\":1e300}\n")
                .status()
                .message()
                .find(path_),
            std::string::npos);
  EXPECT_EQ(ReadSeenRequests("/nowhere/log.db").status().code(), StatusCode::kNotFound);
}

TEST(LogitsOfEntropyTest, EveryEntropyCanBeHad) {
  for (const double entropy : {0.0, 0.05, 0.45, 1.0, 1.0986, 5.0}) {
    const auto distribution =
        IntentDistribution::FromLogits({"a", "b", "c"}, LogitsOfEntropy(3, 1, entropy));
    ASSERT_TRUE(distribution.ok());
    EXPECT_NEAR(distribution->entropy, std::min(entropy, 1.0986), 1e-3) << entropy;
    if (entropy < 1) {
      EXPECT_EQ(distribution->top(), 1u);
    }
  }
}

}  // namespace
}  // namespace aio
