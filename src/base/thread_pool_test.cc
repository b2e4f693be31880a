#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace aio {
namespace {

class ThreadPoolTest : public ::testing::TestWithParam<int> {};

TEST_P(ThreadPoolTest, RunsEveryTaskOfManyShortLoopsOnce) {
  ThreadPool pool(GetParam());
  for (int loop = 0; loop < 500; ++loop) {
    const size_t num_tasks = loop % 17;
    std::vector<std::atomic<int>> runs(num_tasks);
    pool.ParallelFor(num_tasks, [&](size_t task, int thread) {
      ASSERT_GE(thread, 0);
      ASSERT_LT(thread, pool.num_threads());
      runs[task].fetch_add(1);
    });
    for (const auto& count : runs) ASSERT_EQ(count.load(), 1);
  }
}

TEST_P(ThreadPoolTest, ResultsAreVisibleToTheCaller) {
  ThreadPool pool(GetParam());
  std::vector<int> plain(1000);  // not atomic: TSan checks the hand-over
  for (int loop = 1; loop <= 20; ++loop) {
    pool.ParallelFor(plain.size(), [&](size_t task, int) { plain[task] += loop; });
  }
  for (int value : plain) ASSERT_EQ(value, 210);
}

INSTANTIATE_TEST_SUITE_P(Threads, ThreadPoolTest, ::testing::Values(1, 2, 4));

}  // namespace
}  // namespace aio
