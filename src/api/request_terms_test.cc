#include "api/request_terms.h"

#include <gtest/gtest.h>

namespace aio {
namespace {

std::string ParamIn(ApiKind kind, const std::string& param) {
  const Status status = InTermsOf(
      kind, InvalidArgument("too long").WithParam(param).WithReason("context_length_exceeded"));
  EXPECT_EQ(status.message(), "too long");
  EXPECT_EQ(status.reason(), "context_length_exceeded");
  return status.param();
}

TEST(RequestTermsTest, FieldsHaveTheNamesOfTheApi) {
  EXPECT_EQ(ParamIn(ApiKind::kChat, "messages"), "messages");
  EXPECT_EQ(ParamIn(ApiKind::kCompletion, "max_tokens"), "max_tokens");
  EXPECT_EQ(ParamIn(ApiKind::kResponse, "messages[1].role"), "input");
  EXPECT_EQ(ParamIn(ApiKind::kResponse, "prompt"), "input");
  EXPECT_EQ(ParamIn(ApiKind::kResponse, "max_tokens"), "max_output_tokens");
  EXPECT_EQ(ParamIn(ApiKind::kResponse, "temperature"), "temperature");
  EXPECT_EQ(ParamIn(ApiKind::kMessage, "stop"), "stop_sequences");
  EXPECT_EQ(ParamIn(ApiKind::kMessage, "messages"), "messages");
}

}  // namespace
}  // namespace aio
