#include "engine/block_pool.h"

#include <gtest/gtest.h>

#include <set>
#include <utility>
#include <vector>

namespace aio {
namespace {

TEST(BlockPoolTest, BlocksForRoundsUp) {
  EXPECT_EQ(BlockPool::BlocksFor(0), 0);
  EXPECT_EQ(BlockPool::BlocksFor(1), 1);
  EXPECT_EQ(BlockPool::BlocksFor(KvCache::kBlockTokens), 1);
  EXPECT_EQ(BlockPool::BlocksFor(KvCache::kBlockTokens + 1), 2);
}

TEST(BlockPoolTest, GrowsAllOrNothingAndGivesBack) {
  BlockPool pool(4);
  BlockTable table;
  EXPECT_FALSE(table.Grow(pool, 5));
  EXPECT_EQ(table.size(), 0);
  EXPECT_TRUE(table.Grow(pool, 3));
  EXPECT_EQ(pool.num_used(), 3);
  EXPECT_EQ(std::set<int32_t>(table.ids().begin(), table.ids().end()).size(), 3u);
  EXPECT_FALSE(table.Grow(pool, 2));
  EXPECT_TRUE(table.Grow(pool, 1));
  EXPECT_EQ(pool.num_free(), 0);
  table.Clear();
  EXPECT_EQ(pool.num_free(), 4);
}

TEST(BlockPoolTest, BlocksAreGivenOutInTheirOldOrder) {
  BlockPool pool(4);
  BlockTable table;
  ASSERT_TRUE(table.Grow(pool, 4));
  const std::vector<int32_t> order(table.ids().begin(), table.ids().end());
  table.Clear();
  ASSERT_TRUE(table.Grow(pool, 4));
  EXPECT_EQ(std::vector<int32_t>(table.ids().begin(), table.ids().end()), order);
}

TEST(BlockPoolTest, SharedBlocksLiveAsLongAsTheirLastTable) {
  BlockPool pool(4);
  BlockTable first;
  ASSERT_TRUE(first.Grow(pool, 3));
  BlockTable second;
  second.Append(pool, first.ids()[0]);
  second.Append(pool, first.ids()[1]);
  EXPECT_EQ(pool.num_used(), 3);
  EXPECT_EQ(pool.references(second.ids()[0]), 2);
  first.Clear();
  EXPECT_EQ(pool.num_used(), 2);
  second.Clear();
  EXPECT_EQ(pool.num_used(), 0);
}

TEST(BlockPoolTest, ACachedBlockOfNobodyIsIdleUntilItIsForgottenOrUsedAgain) {
  BlockPool pool(2);
  BlockTable table;
  ASSERT_TRUE(table.Grow(pool, 1));
  const int32_t block = table.ids()[0];
  pool.SetCached(block, true);
  EXPECT_EQ(pool.num_used(), 1);
  table.Clear();
  EXPECT_EQ(pool.num_idle(), 1);
  EXPECT_EQ(pool.num_used(), 0);
  EXPECT_EQ(pool.num_free(), 1);
  table.Append(pool, block);
  EXPECT_EQ(pool.num_idle(), 0);
  table.Clear();
  pool.SetCached(block, false);
  EXPECT_EQ(pool.num_idle(), 0);
  EXPECT_EQ(pool.num_free(), 2);
}

TEST(BlockPoolTest, ReplacingABlockGivesTheOldOneBack) {
  BlockPool pool(2);
  BlockTable first, second;
  ASSERT_TRUE(first.Grow(pool, 1));
  ASSERT_TRUE(second.Grow(pool, 1));
  second.Replace(0, first.ids()[0]);
  EXPECT_EQ(second.ids()[0], first.ids()[0]);
  EXPECT_EQ(pool.num_free(), 1);
}

TEST(BlockPoolTest, MovingTakesTheReferencesAlong) {
  BlockPool pool(2);
  BlockTable first;
  ASSERT_TRUE(first.Grow(pool, 1));
  BlockTable second = std::move(first);
  EXPECT_EQ(first.size(), 0);  // NOLINT(bugprone-use-after-move): empty by contract
  EXPECT_EQ(second.size(), 1);
  BlockTable third;
  ASSERT_TRUE(third.Grow(pool, 1));
  third = std::move(second);
  EXPECT_EQ(pool.num_used(), 1);
}

TEST(BlockPoolDeathTest, ATableMayNotOutliveItsPool) {
  EXPECT_DEATH(
      {
        BlockTable table;
        BlockPool pool(1);
        (void)table.Grow(pool, 1);
      },
      "outlives");
}

}  // namespace
}  // namespace aio
