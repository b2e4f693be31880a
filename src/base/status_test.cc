#include "base/status.h"

#include <gtest/gtest.h>

#include <memory>

namespace aio {
namespace {

TEST(StatusTest, CarriesWhatAClientNeeds) {
  const Status status = InvalidArgument("temperature must be >= 0, got -1")
                            .WithParam("temperature")
                            .WithReason("out_of_range");
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(status.param(), "temperature");
  EXPECT_EQ(status.reason(), "out_of_range");
  EXPECT_EQ(status.ToString(), "invalid_argument: temperature must be >= 0, got -1");
}

TEST(StatusTest, ContextGoesInFront) {
  const Status status = NotFound("no such key").WithContext("model.gguf");
  EXPECT_EQ(status.message(), "model.gguf: no such key");
}

Result<int> Half(int n) {
  if (n % 2 != 0) return InvalidArgument("odd");
  return n / 2;
}

Result<int> Quarter(int n) {
  AIO_ASSIGN_OR_RETURN(const int half, Half(n));
  AIO_ASSIGN_OR_RETURN(const int quarter, Half(half));
  return quarter;
}

TEST(ResultTest, MacrosPassValuesAndFaultsOn) {
  EXPECT_EQ(*Quarter(12), 3);
  EXPECT_EQ(Quarter(6).status().message(), "odd");
}

TEST(ResultTest, HoldsMoveOnlyTypes) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
  std::unique_ptr<int> taken = std::move(result).value();
  EXPECT_EQ(*taken, 7);
}

TEST(ResultDeathTest, TakingTheValueOfAFaultStopsTheProgram) {
  EXPECT_DEATH((void)Half(1).value(), "odd");
}

}  // namespace
}  // namespace aio
