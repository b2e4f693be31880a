#include "admission/fair_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <new>
#include <string>
#include <utility>

#include "base/testing/allocation_counter.h"

namespace aio {
namespace {

using std::chrono::seconds;

const TimePoint kStart{};

class FairQueueTest : public testing::Test {
 protected:
  void Push(const std::string& client, int64_t cost = 100, int priority = 0,
            TimePoint deadline = kNoDeadline) {
    queue_.Push({.id = next_++,
                 .client = client,
                 .priority = priority,
                 .cost = cost,
                 .deadline = deadline});
  }

  // Whose turn it is, `count` times.
  std::string Turns(int count) {
    std::string turns;
    for (int i = 0; i < count; ++i) {
      const auto item = queue_.Pop();
      turns += item ? item->client : "-";
    }
    return turns;
  }

  FairQueue queue_;
  uint64_t next_ = 0;
};

TEST_F(FairQueueTest, OneClientIsServedInOrder) {
  for (int i = 0; i < 3; ++i) Push("a");
  for (uint64_t i = 0; i < 3; ++i) EXPECT_EQ(queue_.Pop()->id, i);
  EXPECT_FALSE(queue_.Pop());
}

TEST_F(FairQueueTest, AFloodDoesNotDelayOthers) {
  for (int i = 0; i < 100; ++i) Push("a");
  Push("b");
  Push("c");
  EXPECT_EQ(Turns(4), "abca");
}

TEST_F(FairQueueTest, SharesAreOfTokensNotOfRequests) {
  for (int i = 0; i < 20; ++i) {
    Push("a", 300);
    Push("b", 100);
  }
  const std::string turns = Turns(16);
  EXPECT_EQ(std::count(turns.begin(), turns.end(), 'a'), 4);
  EXPECT_EQ(std::count(turns.begin(), turns.end(), 'b'), 12);
}

TEST_F(FairQueueTest, WhatItReallyCostCounts) {
  for (int i = 0; i < 10; ++i) {
    Push("a");
    Push("b");
  }
  EXPECT_EQ(Turns(2), "ab");
  queue_.Correct("a", 400);
  EXPECT_EQ(Turns(6), "bbbbab");
}

TEST_F(FairQueueTest, IdleTimeIsNeitherSavedNorPaidFor) {
  for (int i = 0; i < 50; ++i) queue_.Served("a", 1000);  // alone on an idle server
  for (int i = 0; i < 4; ++i) {
    Push("a", 1000);
    Push("b", 1000);
  }
  // a was the last one served, so b is ahead by one, not by fifty.
  EXPECT_EQ(Turns(8), "babababa");
}

TEST_F(FairQueueTest, PrioritiesAreStrict) {
  Push("a", 100, 1);
  Push("b", 100, 0);
  Push("a", 100, -1);
  Push("b", 100, 0);
  EXPECT_EQ(Turns(4), "abba");
}

TEST_F(FairQueueTest, RemovedOnesAreGone) {
  Push("a");
  Push("a");
  Push("b");
  EXPECT_TRUE(queue_.Remove(0));
  EXPECT_FALSE(queue_.Remove(0));
  EXPECT_FALSE(queue_.Remove(77));
  EXPECT_EQ(queue_.size_of("a"), 1u);
  EXPECT_EQ(queue_.Pop()->id, 1u);
  EXPECT_TRUE(queue_.Remove(2));
  EXPECT_FALSE(queue_.Pop());
  EXPECT_EQ(queue_.size(), 0u);
}

TEST_F(FairQueueTest, DeadlinesAreInOrder) {
  EXPECT_FALSE(queue_.NextToExpire());
  Push("a", 100, 0, kStart + seconds(2));
  Push("a", 100, 0, kStart + seconds(1));
  Push("a");
  EXPECT_EQ(queue_.NextDeadline(), kStart + seconds(1));
  EXPECT_EQ(queue_.NextToExpire(), 1u);
  EXPECT_TRUE(queue_.Remove(1));
  EXPECT_EQ(queue_.NextToExpire(), 0u);
  EXPECT_TRUE(queue_.Remove(0));
  EXPECT_EQ(queue_.NextDeadline(), kNoDeadline);
  EXPECT_FALSE(queue_.NextToExpire());
  EXPECT_EQ(queue_.Pop()->id, 2u);
}

// Whichever allocation fails, the queue is as it was.
TEST_F(FairQueueTest, WantOfMemoryChangesNothing) {
  const std::string client(100, 'c');  // takes memory to copy
  bool failed = true;
  for (int nth = 1; failed; ++nth) {
    QueuedItem item{.id = 7, .client = client, .deadline = kStart + seconds(1)};
    const FailingAllocation allocation(nth);
    try {
      queue_.Push(std::move(item));
    } catch (const std::bad_alloc&) {
      EXPECT_EQ(queue_.size(), 0u);
      EXPECT_EQ(queue_.size_of(client), 0u);
      EXPECT_EQ(queue_.NextDeadline(), kNoDeadline);
      EXPECT_FALSE(queue_.Pop());
    }
    failed = allocation.has_failed();
  }
  EXPECT_EQ(queue_.Pop()->id, 7u);
  EXPECT_FALSE(queue_.Pop());
}

TEST_F(FairQueueTest, ClientsWithoutEndAreForgotten) {
  for (int i = 0; i < 100'000; ++i) queue_.Served("client" + std::to_string(i), 1);
  Push("a");
  EXPECT_EQ(Turns(2), "a-");
}

}  // namespace
}  // namespace aio
