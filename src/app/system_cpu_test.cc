#include "app/system_cpu.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace aio {
namespace {

int CoresWith(const std::string& cpu_max) {
  const std::string path = ::testing::TempDir() + "/cpu.max";
  std::ofstream(path) << cpu_max;
  return UsableCores(path);
}

TEST(SystemCpuTest, TheQuotaIsRoundedUp) {
  const int all = UsableCores("/nowhere/cpu.max");
  EXPECT_GE(all, 1);
  EXPECT_EQ(CoresWith("max 100000\n"), all);
  EXPECT_EQ(CoresWith("100000000 100000\n"), all) << "the affinity is less";
  EXPECT_EQ(CoresWith("100000 100000\n"), 1);
  EXPECT_EQ(CoresWith("1000 100000\n"), 1);
  EXPECT_EQ(CoresWith("100001 100000\n"), std::min(2, all));
  for (const char* odd : {"", "nonsense", "5", "100000 0"}) EXPECT_EQ(CoresWith(odd), all);
}

TEST(SystemCpuTest, TheAffinityIsABound) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  int first = 0;
  while (!CPU_ISSET(first, &before)) ++first;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
  EXPECT_EQ(CoresWith("max 100000\n"), 1);
  EXPECT_EQ(sched_setaffinity(0, sizeof(before), &before), 0);
}

}  // namespace
}  // namespace aio
