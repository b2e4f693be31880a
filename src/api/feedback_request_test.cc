#include "api/feedback_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aio {
namespace {

using ::testing::HasSubstr;

TEST(FeedbackRequestTest, ReadsAll) {
  const auto feedback =
      DecodeFeedbackRequest(R"({"id": "r-1", "score": -0.25, "comment": "too long"})");
  ASSERT_TRUE(feedback.ok()) << feedback.status().ToString();
  EXPECT_EQ(feedback->id, "r-1");
  EXPECT_EQ(feedback->score, -0.25);
  EXPECT_EQ(feedback->comment, "too long");
  EXPECT_EQ(EncodeFeedback(*feedback), R"({"object":"feedback","id":"r-1","score":-0.25})");
  EXPECT_EQ(DecodeFeedbackRequest(R"({"id": "r", "score": 1})")->comment, std::nullopt);
}

TEST(FeedbackRequestTest, FaultsNameTheField) {
  const auto param = [](const std::string& body) {
    const auto feedback = DecodeFeedbackRequest(body);
    return feedback.ok() ? "fine" : feedback.status().param();
  };
  EXPECT_EQ(param(R"({"score": 1})"), "id");
  EXPECT_EQ(param(R"({"id": "", "score": 1})"), "id");
  EXPECT_EQ(param(R"({"id": 7, "score": 1})"), "id");
  EXPECT_EQ(param(R"({"id": "r"})"), "score");
  EXPECT_EQ(param(R"({"id": "r", "score": "good"})"), "score");
  EXPECT_EQ(param(R"({"id": "r", "score": 1.01})"), "score");
  EXPECT_EQ(param(R"({"id": "r", "score": 1, "comment": 3})"), "comment");
  EXPECT_EQ(param(R"({"id": "r", "score": 1, "coment": "x"})"), "coment");
  EXPECT_EQ(param(R"({"id": "r", "score": 1, "comment": ")" + std::string(5000, 'x') + "\"}"),
            "comment");
  EXPECT_THAT(DecodeFeedbackRequest("[]").status().message(), HasSubstr("JSON object"));
  EXPECT_THAT(DecodeFeedbackRequest(R"({"id": "r", "score": 2})").status().message(),
              HasSubstr("2 is not a number from -1 (bad) to 1 (good)"));
}

}  // namespace
}  // namespace aio
