#include "engine/prefix_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

namespace aio {
namespace {

constexpr int kBlock = KvCache::kBlockTokens;
using Tokens = std::vector<int32_t>;

// `count` tokens from `first` on.
Tokens Range(int first, int count) {
  Tokens tokens(count);
  std::iota(tokens.begin(), tokens.end(), first);
  return tokens;
}

Tokens operator+(Tokens a, const Tokens& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

class PrefixCacheTest : public testing::Test {
 protected:
  // A sequence that computed `tokens` and ended; its blocks.
  Tokens Remember(const Tokens& tokens, uint64_t salt = 0) {
    BlockTable table;
    EXPECT_TRUE(table.Grow(pool_, BlockPool::BlocksFor(static_cast<int>(tokens.size()))));
    cache_.Insert(salt, tokens, table);
    return {table.ids().begin(), table.ids().end()};
  }
  int Known(const Tokens& tokens, uint64_t salt = 0) {
    return cache_.Find(salt, tokens).num_tokens();
  }

  BlockPool pool_{12};
  PrefixCache cache_{pool_};
};

TEST_F(PrefixCacheTest, FindsTheLongestKnownBeginningToTheToken) {
  Remember(Range(0, 3 * kBlock + 5));
  EXPECT_EQ(Known(Range(0, 3 * kBlock + 5)), 3 * kBlock + 5);
  EXPECT_EQ(Known(Range(0, 9 * kBlock)), 3 * kBlock + 5);
  EXPECT_EQ(Known(Range(0, 2 * kBlock + 7)), 2 * kBlock + 7);
  EXPECT_EQ(Known(Range(0, kBlock + 3) + Range(900, 40)), kBlock + 3);
  EXPECT_EQ(Known(Range(0, 1)), 1);
  EXPECT_EQ(Known(Range(1, 40)), 0);
  EXPECT_EQ(Known({}), 0);
}

TEST_F(PrefixCacheTest, FullBlocksAreSharedAndTheRestIsToBeCopied) {
  const Tokens blocks = Remember(Range(0, 2 * kBlock + 5));
  const CachedPrefix prefix = cache_.Find(0, Range(0, 2 * kBlock + 3) + Range(500, 9));
  ASSERT_EQ(prefix.blocks.size(), 2);
  EXPECT_EQ(prefix.blocks.ids()[1], blocks[1]);
  ASSERT_EQ(prefix.tail.size(), 1);
  EXPECT_EQ(prefix.tail.ids()[0], blocks[2]);
  EXPECT_EQ(prefix.tail_tokens, 3);
  EXPECT_EQ(pool_.num_used(), 3);
}

TEST_F(PrefixCacheTest, OfSeveralContinuationsTheOneWithMostInCommonIsFound) {
  const Tokens system = Range(0, kBlock);
  Remember(system + Tokens{1, 2, 3, 4, 9});
  Remember(system + Tokens{1, 2, 8});
  Remember(system + Tokens{5});
  EXPECT_EQ(Known(system + Tokens{1, 2, 3, 4, 5, 6}), kBlock + 4);
  EXPECT_EQ(Known(system + Tokens{1, 2, 8, 8}), kBlock + 3);
  EXPECT_EQ(Known(system + Tokens{1, 2, 7}), kBlock + 2);
  EXPECT_EQ(Known(system + Tokens{6}), kBlock);
}

TEST_F(PrefixCacheTest, WhatIsKnownTakesNoSecondBlock) {
  const Tokens first = Remember(Range(0, 2 * kBlock));
  BlockTable table;
  ASSERT_TRUE(table.Grow(pool_, 3));
  cache_.Insert(0, Range(0, 3 * kBlock), table);
  EXPECT_EQ(table.ids()[0], first[0]);
  EXPECT_EQ(table.ids()[1], first[1]);
  EXPECT_EQ(cache_.num_blocks(), 3);
  EXPECT_EQ(pool_.num_free(), pool_.num_blocks() - 3);
}

TEST_F(PrefixCacheTest, ALongerTailTakesTheShorterOnesPlace) {
  Remember(Range(0, 5));
  Remember(Range(0, 9));
  EXPECT_EQ(cache_.num_blocks(), 1);
  Remember(Range(0, 7));  // known
  EXPECT_EQ(cache_.num_blocks(), 1);
  EXPECT_EQ(Known(Range(0, 20)), 9);
  EXPECT_EQ(pool_.num_free(), pool_.num_blocks() - 1);
}

TEST_F(PrefixCacheTest, SaltsKeepWorldsApart) {
  Remember(Range(0, 50), 7);
  EXPECT_EQ(Known(Range(0, 50), 8), 0);
  EXPECT_EQ(Known(Range(0, 50)), 0);
  EXPECT_EQ(Known(Range(0, 50), 7), 50);
}

TEST_F(PrefixCacheTest, TheLeastRecentlyUsedGoesFirstFromItsEnd) {
  Remember(Range(0, 3 * kBlock));
  Remember(Range(500, 3 * kBlock));
  EXPECT_EQ(Known(Range(0, kBlock)), kBlock);  // its first block is used now, not its end
  EXPECT_TRUE(cache_.MakeRoom(pool_.num_free() + 1));
  EXPECT_EQ(Known(Range(0, 3 * kBlock)), 2 * kBlock);
  EXPECT_EQ(Known(Range(500, 3 * kBlock)), 3 * kBlock);
  EXPECT_TRUE(cache_.MakeRoom(pool_.num_blocks()));
  EXPECT_EQ(cache_.num_blocks(), 0);
  EXPECT_EQ(Known(Range(0, kBlock)), 0);
}

TEST_F(PrefixCacheTest, WhatIsInUseStaysAndNothingGoesInVain) {
  Remember(Range(0, 3 * kBlock));
  Remember(Range(500, 2 * kBlock));
  {
    const CachedPrefix in_use = cache_.Find(0, Range(0, 2 * kBlock + 4));  // all three blocks
    EXPECT_FALSE(cache_.MakeRoom(10));
    EXPECT_EQ(cache_.num_blocks(), 5);
    EXPECT_TRUE(cache_.MakeRoom(9));
    EXPECT_EQ(cache_.num_blocks(), 3);
  }
  EXPECT_TRUE(cache_.MakeRoom(12));
}

// Random conversations against a list of all that was ever inserted: what is found was
// inserted, nothing in use is lost, and the pool's counts hold.
TEST_F(PrefixCacheTest, RandomUse) {
  std::mt19937 random(1);
  const auto pick = [&](int below) { return static_cast<int>(random() % below); };
  std::map<int32_t, Tokens> content;  // of blocks: all tokens up to their end
  for (int round = 0; round < 5000; ++round) {
    Tokens tokens;
    for (int length = 1 + pick(4 * kBlock); static_cast<int>(tokens.size()) < length;) {
      tokens = tokens + Tokens(1 + pick(20), pick(2));
    }
    CachedPrefix prefix = cache_.Find(0, tokens);
    for (int i = 0; i < prefix.blocks.size(); ++i) {
      const Tokens& known = content.at(prefix.blocks.ids()[i]);
      ASSERT_EQ(known, Tokens(tokens.begin(), tokens.begin() + (i + 1) * kBlock));
    }
    if (prefix.tail_tokens > 0) {
      const Tokens& known = content.at(prefix.tail.ids()[0]);
      ASSERT_GE(static_cast<int>(known.size()), prefix.num_tokens());
      ASSERT_TRUE(std::equal(tokens.begin(), tokens.begin() + prefix.num_tokens(), known.begin()));
    }
    prefix.tail.Clear();
    const int blocks = BlockPool::BlocksFor(static_cast<int>(tokens.size()));
    const int missing = blocks - prefix.blocks.size();
    ASSERT_TRUE(cache_.MakeRoom(missing));
    ASSERT_TRUE(prefix.blocks.Grow(pool_, missing));
    for (int i = blocks - missing; i < blocks; ++i) {
      const int end = std::min<int>(static_cast<int>(tokens.size()), (i + 1) * kBlock);
      content[prefix.blocks.ids()[i]] = Tokens(tokens.begin(), tokens.begin() + end);
    }
    cache_.Insert(0, tokens, prefix.blocks);
    ASSERT_EQ(pool_.num_used(), blocks);
    prefix.blocks.Clear();
    ASSERT_EQ(pool_.num_used(), 0);
    ASSERT_EQ(pool_.num_idle(), cache_.num_blocks());
    ASSERT_EQ(Known(tokens), static_cast<int>(tokens.size()));
  }
}

}  // namespace
}  // namespace aio
