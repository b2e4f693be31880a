#include "app/run_environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aio {
namespace {

TEST(RunEnvironmentTest, ArgumentsAreQuotedWhereAShellWouldTakeThemApart) {
  EXPECT_EQ(ShellQuoted("--out=a/b.json"), "--out=a/b.json");
  EXPECT_EQ(ShellQuoted(""), "''");
  EXPECT_EQ(ShellQuoted("two words"), "'two words'");
  EXPECT_EQ(ShellQuoted("it's $x"), "'it'\\''s $x'");
}

TEST(RunEnvironmentTest, TellsTheCommandWithoutItsFolder) {
  EXPECT_THAT(CommandLine(), testing::StartsWith("app_test"));
}

TEST(RunEnvironmentTest, TellsThreadsAndSystem) {
  EXPECT_THAT(DescribeMachine(), testing::Contains(testing::Pair("threads", testing::Ne("0"))));
  EXPECT_THAT(DescribeMachine(), testing::Contains(testing::Pair("system", testing::Ne(""))));
}

}  // namespace
}  // namespace aio
