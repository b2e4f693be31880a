#include "base/thread_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>

#include <atomic>
#include <cstdlib>
#include <system_error>
#include <thread>
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

TEST_P(ThreadPoolTest, RunsCoverEveryTaskOnceAndStartLong) {
  ThreadPool pool(GetParam());
  for (const size_t num_tasks : {0, 1, 3, 64, 1000}) {
    std::vector<std::atomic<int>> count(num_tasks);
    std::atomic<size_t> longest{0};
    pool.ParallelForRuns(num_tasks, [&](size_t begin, size_t end, int) {
      ASSERT_LT(begin, end);
      for (size_t task = begin; task < end; ++task) count[task].fetch_add(1);
      size_t before = longest.load();
      while (before < end - begin && !longest.compare_exchange_weak(before, end - begin)) {
      }
    });
    for (const auto& c : count) ASSERT_EQ(c.load(), 1);
    EXPECT_GE(longest.load(), num_tasks / static_cast<size_t>(pool.num_threads()) / 4);
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

TEST(PinnedThreadPoolTest, KeepsToOneCoreAThread) {
  // Pinning lasts, so not in the thread that runs the other tests.
  std::thread([] {
    ThreadPool pool(2, /*pin=*/true);
    std::vector<int> cores(2, -1);
    pool.ParallelFor(64, [&](size_t, int thread) {
      cpu_set_t set;
      ASSERT_EQ(sched_getaffinity(0, sizeof(set), &set), 0);
      cores[thread] = CPU_COUNT(&set);
    });
    EXPECT_THAT(cores, testing::Each(testing::AnyOf(1, -1)));
    EXPECT_EQ(cores[0], 1);
  }).join();
}

// In a process of its own, with room for the stacks of some threads but not of all.
TEST(ThreadPoolDeathTest, ThrowsWhenTheMachineGivesNoMoreThreads) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers reserve more address space than the limit leaves";
#endif
  const auto start_too_many = [] {
    const rlimit limit{.rlim_cur = 1 << 30, .rlim_max = 1 << 30};
    if (setrlimit(RLIMIT_AS, &limit) != 0) std::_Exit(2);
    try {
      ThreadPool pool(4096);
    } catch (const std::system_error&) {
      std::_Exit(0);
    }
    std::_Exit(1);
  };
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(start_too_many(), ::testing::ExitedWithCode(0), "");
}

INSTANTIATE_TEST_SUITE_P(Threads, ThreadPoolTest, ::testing::Values(1, 2, 4));

}  // namespace
}  // namespace aio
