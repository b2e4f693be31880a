#include "base/task_thread.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace aio {
namespace {

TEST(TaskThreadTest, RunsInOrderOnOneThreadAndWaitsForTheLast) {
  std::vector<int> order;
  std::vector<std::thread::id> threads;
  {
    TaskThread tasks;
    for (int i = 0; i < 100; ++i) {
      tasks.Post([&order, &threads, i] {
        order.push_back(i);
        threads.push_back(std::this_thread::get_id());
      });
    }
  }
  ASSERT_EQ(order.size(), 100u);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(order[i], i);
    EXPECT_EQ(threads[i], threads[0]);
  }
  EXPECT_NE(threads[0], std::this_thread::get_id());
}

TEST(TaskThreadTest, ATaskMayPostAnother) {
  bool ran = false;
  {
    TaskThread tasks;
    tasks.Post([&] { tasks.Post([&] { ran = true; }); });
  }
  EXPECT_TRUE(ran);
}

}  // namespace
}  // namespace aio
