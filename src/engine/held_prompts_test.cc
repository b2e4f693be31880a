#include "engine/held_prompts.h"

#include <gtest/gtest.h>

#include <utility>

namespace aio {
namespace {

class HeldPromptsTest : public testing::Test {
 protected:
  uint64_t Hold(int blocks) {
    HeldPrefix prefix;
    EXPECT_TRUE(prefix.blocks.Grow(pool_, blocks));
    return held_.Add(std::move(prefix));
  }

  BlockPool pool_{10};
  HeldPrompts held_;
};

TEST_F(HeldPromptsTest, ReleaseGivesTheBlocksBack) {
  const uint64_t id = Hold(3);
  EXPECT_NE(held_.Find(id), nullptr);
  EXPECT_EQ(pool_.num_used(), 3);
  held_.Release(id);
  held_.Release(id);
  EXPECT_EQ(held_.Find(id), nullptr);
  EXPECT_EQ(pool_.num_used(), 0);
}

TEST_F(HeldPromptsTest, NothingIsReclaimedWhileThereIsRoom) {
  Hold(3);
  EXPECT_TRUE(held_.MakeRoom(pool_, 7, std::nullopt));
  EXPECT_EQ(held_.size(), 1);
}

TEST_F(HeldPromptsTest, TheOldestGoesFirstAndNoMoreThanNeeded) {
  const uint64_t oldest = Hold(3);
  const uint64_t middle = Hold(3);
  const uint64_t youngest = Hold(3);
  EXPECT_TRUE(held_.MakeRoom(pool_, 4, std::nullopt));
  EXPECT_EQ(held_.Find(oldest), nullptr);
  EXPECT_NE(held_.Find(middle), nullptr);
  EXPECT_NE(held_.Find(youngest), nullptr);
}

TEST_F(HeldPromptsTest, TheOneToKeepStays) {
  const uint64_t oldest = Hold(3);
  const uint64_t youngest = Hold(3);
  EXPECT_TRUE(held_.MakeRoom(pool_, 7, oldest));
  EXPECT_NE(held_.Find(oldest), nullptr);
  EXPECT_EQ(held_.Find(youngest), nullptr);
}

TEST_F(HeldPromptsTest, NothingIsReclaimedInVain) {
  const uint64_t held = Hold(3);
  BlockTable running;
  ASSERT_TRUE(running.Grow(pool_, 5));
  EXPECT_FALSE(held_.MakeRoom(pool_, 6, std::nullopt));
  EXPECT_FALSE(held_.MakeRoom(pool_, 3, held));
  EXPECT_NE(held_.Find(held), nullptr);
}

TEST_F(HeldPromptsTest, BlocksSharedWithASequenceDoNotCountAsObtainable) {
  const uint64_t shared = Hold(4);
  const uint64_t own = Hold(4);
  BlockTable sequence = held_.Find(shared)->blocks.SharePrefix(4);
  EXPECT_FALSE(held_.MakeRoom(pool_, 7, std::nullopt));
  EXPECT_TRUE(held_.MakeRoom(pool_, 6, std::nullopt));
  EXPECT_NE(held_.Find(shared), nullptr);  // older, but it would have freed nothing
  EXPECT_EQ(held_.Find(own), nullptr);
}

}  // namespace
}  // namespace aio
