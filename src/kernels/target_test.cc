#include "kernels/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace aio {
namespace {

TEST(TargetTest, NamesAreReportedAndBadOnesRefused) {
  const std::string before(ActiveTarget());
  EXPECT_THAT(AvailableTargets(), testing::Contains(before));
  EXPECT_EQ(AvailableTargets().back(), "scalar");
  for (const std::string& name : AvailableTargets()) {
    EXPECT_TRUE(SelectTarget(name).ok());
    EXPECT_EQ(ActiveTarget(), name);
  }
  ASSERT_TRUE(SelectTarget(before).ok());
  const Status unknown = SelectTarget("mmx");
  EXPECT_EQ(unknown.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(unknown.message(),
              testing::AllOf(testing::HasSubstr("mmx"), testing::HasSubstr("scalar")));
  EXPECT_EQ(ActiveTarget(), before);
}

TEST(TargetTest, TheEnvironmentChoosesOrIsRefused) {
  const std::string before(ActiveTarget());
  const char* set = std::getenv("AIO_TARGET");
  const std::string saved = set == nullptr ? "" : set;
  ASSERT_EQ(setenv("AIO_TARGET", "scalar", 1), 0);
  EXPECT_TRUE(SelectTargetFromEnvironment().ok());
  EXPECT_EQ(ActiveTarget(), "scalar");
  ASSERT_EQ(setenv("AIO_TARGET", "AVX1024", 1), 0);
  EXPECT_THAT(SelectTargetFromEnvironment().message(),
              testing::AllOf(testing::HasSubstr("AIO_TARGET"), testing::HasSubstr("AVX1024")));
  EXPECT_EQ(ActiveTarget(), "scalar");
  ASSERT_EQ(setenv("AIO_TARGET", saved.c_str(), 1), 0);
  EXPECT_TRUE(SelectTargetFromEnvironment().ok());
  ASSERT_TRUE(SelectTarget(before).ok());
}

}  // namespace
}  // namespace aio
