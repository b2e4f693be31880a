#include "traffic/reshape_trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aio {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

Trace Sample() {
  Trace trace{.source = "t.csv", .requests = {}};
  for (int i = 0; i < 10; ++i) {
    trace.requests.push_back({.arrival = milliseconds(100 * i),
                              .prompt_tokens = 100 * (i + 1),
                              .output_tokens = 10,
                              .blocks = {}});
  }
  return trace;
}

TEST(ReshapeTrace, KeepsWhatArrivedInTheWindow) {
  Trace trace = Sample();
  ASSERT_TRUE(SelectWindow(trace, {.begin = milliseconds(250), .length = milliseconds(400)}).ok());
  ASSERT_EQ(trace.requests.size(), 4u);  // 300 to 600 ms
  EXPECT_EQ(trace.requests.front().prompt_tokens, 400);
  EXPECT_EQ(trace.requests.front().arrival, Duration{});
  EXPECT_EQ(trace.requests.back().arrival, milliseconds(300));
}

TEST(ReshapeTrace, KeepsTheFirstRequests) {
  Trace trace = Sample();
  ASSERT_TRUE(SelectWindow(trace, {.begin = milliseconds(500), .requests = 2}).ok());
  ASSERT_EQ(trace.requests.size(), 2u);
  EXPECT_EQ(trace.requests.back().prompt_tokens, 700);
}

TEST(ReshapeTrace, AnEmptyWindowIsAFault) {
  Trace trace = Sample();
  const Status status = SelectWindow(trace, {.begin = milliseconds(5000)});
  EXPECT_THAT(status.message(), HasSubstr("t.csv: no request arrived in the window from 5 s"));
}

TEST(ReshapeTrace, ScalesTime) {
  Trace trace = Sample();
  ScaleTime(trace, 0.5);
  EXPECT_EQ(trace.requests[3].arrival, milliseconds(150));
}

TEST(ReshapeTrace, ScalesLengthsInProportionToTheContext) {
  Trace trace = Sample();  // the longest has 1010 tokens
  const FittedLengths fitted = FitLengths(trace, {.context_length = 505});
  EXPECT_DOUBLE_EQ(fitted.scale, 0.5);
  EXPECT_EQ(fitted.shortened, 0);
  EXPECT_EQ(trace.requests[3].prompt_tokens, 200);
  EXPECT_EQ(trace.requests[3].output_tokens, 5);
  EXPECT_EQ(trace.requests[9].prompt_tokens, 500);
}

TEST(ReshapeTrace, LeavesShortRequestsAsTheyAre) {
  Trace trace = Sample();
  EXPECT_DOUBLE_EQ(FitLengths(trace, {.context_length = 4096}).scale, 1);
  EXPECT_EQ(trace.requests[9].prompt_tokens, 1000);
}

TEST(ReshapeTrace, CutsWhatDoesNotFitAndCountsIt) {
  Trace trace = Sample();
  const FittedLengths fitted = FitLengths(trace, {.context_length = 905, .scale = 1.0});
  EXPECT_EQ(fitted.shortened, 2);  // 910 and 1010 tokens
  EXPECT_EQ(trace.requests[9].prompt_tokens, 895);
  EXPECT_EQ(trace.requests[9].output_tokens, 10);
}

}  // namespace
}  // namespace aio
