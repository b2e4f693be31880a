#include "traffic/mix.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

namespace aio {
namespace {

using testing::HasSubstr;

// Ten short prompts and ten of each longer context, of every kind.
std::vector<WorkloadItem> Items() {
  std::vector<WorkloadItem> items;
  for (const char* intent : {"code", "qa", "math"}) {
    for (const int context : {0, 1000, 3200}) {
      for (int i = 0; i < 10; ++i) {
        items.push_back({.task = std::string("pocket-") + intent,
                         .id = std::to_string(i),
                         .prompt = "p",
                         .intent = intent,
                         .context = context,
                         .max_tokens = 0,
                         .line = ""});
      }
    }
  }
  return items;
}

// "code@0": how many were drawn.
std::map<std::string, int> Count(const std::vector<size_t>& drawn,
                                 const std::vector<WorkloadItem>& items) {
  std::map<std::string, int> counts;
  for (const size_t i : drawn) ++counts[items[i].intent + "@" + std::to_string(items[i].context)];
  return counts;
}

TEST(Mix, ScenariosHaveThePapersShares) {
  const std::vector<WorkloadItem> items = Items();
  const std::map<std::string, std::map<std::string, int>> expected = {
      {"A", {{"code@0", 28}, {"qa@0", 8}, {"math@0", 4}}},
      {"B", {{"code@0", 12}, {"qa@0", 16}, {"math@0", 12}}},
      {"C", {{"code@3200", 20}, {"qa@0", 20}}}};
  for (const auto& [name, counts] : expected) {
    const Result<Mix> mix = FindScenario(name);
    ASSERT_TRUE(mix.ok());
    const auto drawn = DrawMix(*mix, items, 40, 1);
    ASSERT_TRUE(drawn.ok()) << drawn.status().ToString();
    EXPECT_EQ(Count(*drawn, items), counts) << name;
  }
  EXPECT_TRUE(FindScenario("a").ok());
  EXPECT_THAT(FindScenario("D").status().message(), HasSubstr("A, B and C"));
}

TEST(Mix, ReadsSharesAndContexts) {
  const Result<Mix> mix = ParseMix("code=1,pocket-qa@1000=2,math@long=1");
  ASSERT_TRUE(mix.ok()) << mix.status().ToString();
  const std::vector<WorkloadItem> items = Items();
  const auto drawn = DrawMix(*mix, items, 8, 1);
  ASSERT_TRUE(drawn.ok());
  EXPECT_EQ(Count(*drawn, items),
            (std::map<std::string, int>{{"code@0", 2}, {"qa@1000", 4}, {"math@3200", 2}}));
}

TEST(Mix, GivesWhatRoundingLeavesToTheLargestRemainders) {
  const std::vector<WorkloadItem> items = Items();
  const auto drawn = DrawMix(*ParseMix("code=0.5,qa=0.26,math=0.24"), items, 10, 1);
  ASSERT_TRUE(drawn.ok());
  EXPECT_EQ(Count(*drawn, items),
            (std::map<std::string, int>{{"code@0", 5}, {"qa@0", 3}, {"math@0", 2}}));
}

TEST(Mix, TakesAllPromptsBeforeOneComesAgain) {
  const std::vector<WorkloadItem> items = Items();
  const auto ten = DrawMix(*ParseMix("code=1"), items, 10, 3);
  ASSERT_TRUE(ten.ok());
  EXPECT_EQ(std::set<size_t>(ten->begin(), ten->end()).size(), 10u);
  const auto more = DrawMix(*ParseMix("code=1"), items, 25, 3);
  ASSERT_TRUE(more.ok());
  std::map<size_t, int> times;
  for (const size_t i : *more) ++times[i];
  for (const auto& [item, count] : times) EXPECT_THAT(count, testing::AnyOf(2, 3)) << item;
}

TEST(Mix, DrawsTheSameFromTheSameSeed) {
  const std::vector<WorkloadItem> items = Items();
  const Mix mix = *FindScenario("B");
  EXPECT_EQ(*DrawMix(mix, items, 30, 5), *DrawMix(mix, items, 30, 5));
  EXPECT_NE(*DrawMix(mix, items, 30, 5), *DrawMix(mix, items, 30, 6));
}

TEST(Mix, FaultsSayWhatToWrite) {
  for (const char* text : {"", "code", "code=0", "code=x", "=1", "code@=1", "code@-3=1", "code=1,",
                           "code=nan", "code=-1"}) {
    EXPECT_THAT(ParseMix(text).status().message(), HasSubstr("KIND=SHARE")) << text;
  }
  EXPECT_THAT(DrawMix(*ParseMix("poetry=1"), Items(), 3, 1).status().message(),
              HasSubstr("no prompt is of kind 'poetry' without added context"));
  EXPECT_THAT(DrawMix(*ParseMix("code@7=1"), Items(), 3, 1).status().message(),
              HasSubstr("with context 7"));
}

}  // namespace
}  // namespace aio
