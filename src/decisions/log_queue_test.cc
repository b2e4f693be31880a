#include "decisions/log_queue.h"

#include <gtest/gtest.h>

#include <string>

namespace aio {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

DecisionRecord WithPrompt(size_t bytes) {
  DecisionRecord record;
  record.prompt = std::string(bytes, 'x');
  return record;
}

TEST(LogQueueTest, PromptsThatWereTakenCountUntilTheyAreSettled) {
  constexpr size_t kMost = size_t{40} << 20;  // of the 64 MiB for all
  LogQueue queue(100);
  EXPECT_NE(queue.AddDecision(WithPrompt(kMost)), 0u);
  const LogQueue::Taken taken = queue.Take(Duration::zero(), Duration::zero());
  EXPECT_EQ(queue.AddDecision(WithPrompt(kMost)), 0u) << "the first is still in memory";
  EXPECT_NE(queue.AddDecision(WithPrompt(10)), 0u);
  EXPECT_EQ(queue.Settle(taken.items), 1u);
  EXPECT_EQ(queue.waiting(), 1u);
  EXPECT_NE(queue.AddDecision(WithPrompt(kMost)), 0u);
}

TEST(LogQueueTest, AHalfFullQueueHurriesARetryOnce) {
  LogQueue queue(4);
  const auto add = [&] { EXPECT_NE(queue.AddDecision({}), 0u); };
  const auto take = [&] { return queue.Take(Duration::zero(), Duration::zero()); };
  add();
  const LogQueue::Taken first = take();
  EXPECT_FALSE(queue.WaitToRetry(milliseconds(1)));
  add();
  EXPECT_TRUE(queue.WaitToRetry(hours(10)));
  const LogQueue::Taken second = take();
  EXPECT_FALSE(queue.WaitToRetry(milliseconds(1))) << "it did not help";
  add();
  EXPECT_FALSE(queue.WaitToRetry(milliseconds(1)));
  const LogQueue::Taken third = take();
  for (const LogQueue::Taken* taken : {&first, &second, &third}) queue.Settle(taken->items);
  add();
  add();
  EXPECT_TRUE(queue.WaitToRetry(hours(10))) << "filled anew";
}

}  // namespace
}  // namespace aio
