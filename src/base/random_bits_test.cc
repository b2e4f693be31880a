#include "base/random_bits.h"

#include <gtest/gtest.h>

#include <mutex>
#include <set>
#include <thread>
#include <vector>

namespace aio {
namespace {

TEST(RandomBitsTest, NoneComesTwiceOnAnyThread) {
  constexpr int kThreads = 4;
  constexpr int kEach = 1000;
  std::mutex mutex;
  std::set<uint64_t> seen;  // guarded by mutex
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < kEach; ++j) {
        const uint64_t bits = RandomBits();
        const std::lock_guard lock(mutex);
        seen.insert(bits);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(seen.size(), size_t{kThreads * kEach});
}

TEST(RandomBitsTest, EveryBitIsUsed) {
  uint64_t ones = 0;
  uint64_t zeros = 0;
  for (int i = 0; i < 1000; ++i) {
    const uint64_t bits = RandomBits();
    ones |= bits;
    zeros |= ~bits;
  }
  EXPECT_EQ(ones, ~uint64_t{0});
  EXPECT_EQ(zeros, ~uint64_t{0});
}

}  // namespace
}  // namespace aio
