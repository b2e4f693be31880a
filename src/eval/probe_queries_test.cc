#include "eval/probe_queries.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "backend/testing/fake_backend.h"

namespace aio {
namespace {

using ::testing::HasSubstr;

const LabelQuery kQuery = {.prefix = "", .suffix = "about:", .labels = {{"a", "a"}, {"b", "b"}}};

std::vector<ProbeJob> Jobs(int count) {
  std::vector<ProbeJob> jobs;
  for (int i = 0; i < count; ++i) {
    jobs.push_back(
        {fmt::format("hash{}", i), {{"user", std::string(static_cast<size_t>(i + 1), 'x')}}});
  }
  return jobs;
}

// Scores that tell a prompt by its length.
FakeModel Model() {
  FakeModel model = FakeModel::Named("small", "small");
  model.logits = [](const Request& request, const LabelQuery&) {
    return std::vector<float>{static_cast<float>(FakePromptText(request.prompt).size()), 0.1f};
  };
  return model;
}

class ProbeQueriesTest : public ::testing::Test {
 protected:
  ProbeQueriesTest()
      : path_((std::filesystem::path(::testing::TempDir()) / "aio_probe_cache.jsonl").string()) {
    std::filesystem::remove(path_);
  }
  ~ProbeQueriesTest() override { std::filesystem::remove(path_); }

  const std::string path_;
};

TEST_F(ProbeQueriesTest, GivesEveryScoreInTheOrderAsked) {
  FakeBackend backend({Model()}, FakeBackend::Delivery::kThread);
  ProbeCache cache;
  size_t last = 0;
  const ProbeRun run{
      .model = "small", .labels = kQuery, .in_flight_max = 3, .progress = [&](size_t done) {
        last = done;
      }};
  const auto results = ProbeAll(backend, run, Jobs(20), cache);
  ASSERT_TRUE(results.ok()) << results.status().ToString();
  for (size_t i = 0; i < 20; ++i) {
    ASSERT_TRUE((*results)[i].ok());
    EXPECT_EQ((*results)[i].logits[0], static_cast<float>(i + 1));
  }
  EXPECT_EQ(last, 20u);
}

TEST_F(ProbeQueriesTest, AsksNothingTwice) {
  FakeBackend backend({Model()});
  const std::string key = ProbeKey("fingerprint", kQuery);
  const ProbeRun run{.model = "small", .labels = kQuery, .in_flight_max = 2, .progress = {}};
  auto cache = ProbeCache::Open(path_, key, 2);
  ASSERT_TRUE(cache.ok()) << cache.status().ToString();
  const auto first = ProbeAll(backend, run, Jobs(5), *cache);
  ASSERT_TRUE(first.ok());

  FakeModel broken = Model();
  broken.probe_refusal = Internal("must not be asked");
  FakeBackend other({broken});
  auto again = ProbeCache::Open(path_, key, 2);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->size(), 5u);
  const auto second = ProbeAll(other, run, Jobs(5), *again);
  ASSERT_TRUE(second.ok()) << second.status().ToString();
  for (size_t i = 0; i < 5; ++i) EXPECT_EQ((*second)[i].logits, (*first)[i].logits);

  // Another model's scores are not these.
  EXPECT_EQ(ProbeCache::Open(path_, ProbeKey("another", kQuery), 2)->size(), 0u);
  LabelQuery reworded = kQuery;
  reworded.suffix = "says:";
  EXPECT_NE(ProbeKey("fingerprint", reworded), key);
}

TEST_F(ProbeQueriesTest, ATornCacheLosesOnlyTheTornLine) {
  const std::string key = ProbeKey("fingerprint", kQuery);
  {
    auto cache = ProbeCache::Open(path_, key, 2);
    ASSERT_TRUE(cache->Add("one", {.logits = {0.1f, -3.25f}, .prompt_tokens = 7}).ok());
  }
  std::ofstream(path_, std::ios::app) << "{\"probe\": \"" << key;
  auto cache = ProbeCache::Open(path_, key, 2);
  ASSERT_TRUE(cache.ok());
  EXPECT_EQ(cache->unreadable_lines(), 1);
  ASSERT_NE(cache->Find("one"), nullptr);
  EXPECT_EQ(cache->Find("one")->logits, (std::vector<float>{0.1f, -3.25f}));
  ASSERT_TRUE(cache->Add("two", {.logits = {1, 2}, .prompt_tokens = 7}).ok());
  EXPECT_NE(ProbeCache::Open(path_, key, 2)->Find("two"), nullptr);
}

TEST_F(ProbeQueriesTest, APromptThatDoesNotFitIsAFaultOfItsOwnAndAnyOtherEndsTheRun) {
  const ProbeRun run{.model = "small", .labels = kQuery, .in_flight_max = 2, .progress = {}};
  FakeModel full = Model();
  full.probe_fault = InvalidArgument("too long");
  FakeBackend backend({full});
  ProbeCache cache;
  const auto results = ProbeAll(backend, run, Jobs(3), cache);
  ASSERT_TRUE(results.ok());
  EXPECT_EQ((*results)[0].fault, "too long");

  FakeModel gone = Model();
  gone.probe_fault = Unavailable("gone");
  FakeBackend other({gone});
  EXPECT_THAT(ProbeAll(other, run, Jobs(3), cache).status().message(), HasSubstr("gone"));
}

TEST_F(ProbeQueriesTest, ACacheThatCannotBeWrittenIsSaidBeforeAnyWork) {
  EXPECT_THAT(ProbeCache::Open("/nowhere/cache.jsonl", "k", 2).status().message(),
              HasSubstr("/nowhere/cache.jsonl: cannot be written"));
}

}  // namespace
}  // namespace aio
