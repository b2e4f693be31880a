#include "sandbox/sandbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aio {
namespace {

TEST(SandboxTest, RunsAProgram) {
  auto sandbox = Sandbox::Create({});
  ASSERT_TRUE(sandbox.ok()) << sandbox.status().ToString();
  auto run = sandbox->RunPython("import math\nprint(math.sqrt(16))\nexit(3)", {});
  ASSERT_TRUE(run.ok()) << run.status().ToString();
  EXPECT_EQ(run->output, "4.0\n");
  EXPECT_EQ(run->errors, "");
  EXPECT_EQ(run->status, 3);
  printf("%.3f s wall %.3f cpu\n", run->wall_seconds, run->cpu_seconds);
}

}  // namespace
}  // namespace aio
