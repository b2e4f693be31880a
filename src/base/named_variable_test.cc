#include "base/named_variable.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace aio {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(NamedVariableTest, HoldsTheSecret) {
  setenv("AIO_TEST_Secret_1", "s3cret", 1);
  EXPECT_EQ(*ReadNamedVariable("AIO_TEST_Secret_1"), "s3cret");
  setenv("AIO_TEST_Secret_1", "", 1);
  EXPECT_THAT(ReadNamedVariable("AIO_TEST_Secret_1").status().message(),
              HasSubstr("AIO_TEST_Secret_1 is not set or empty"));
}

TEST(NamedVariableTest, ASecretInPlaceOfTheNameIsNotShown) {
  for (const char* wrong :
       {"postgresql://aio:s3cret@db.example/log", "sk-s3cret", "1s3cret", "s3cret=", ""}) {
    const Status refused = ReadNamedVariable(wrong).status();
    EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument) << wrong;
    EXPECT_THAT(refused.message(), HasSubstr("must be the name of an environment variable"));
    EXPECT_THAT(refused.message(), Not(HasSubstr("s3cret")));
  }
}

}  // namespace
}  // namespace aio
