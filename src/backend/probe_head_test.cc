#include "backend/probe_head.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace aio {
namespace {

ProbeHead TwoLabels() {
  ProbeHead head;
  head.layers = 1;
  head.hidden_size = 2;
  head.weights = {1, 2, -1, 0.5f};
  head.bias = {0.25f, 0};
  return head;
}

TEST(ProbeHeadTest, TheTextsScoreIsThatOfItsMean) {
  HiddenWindows windows;
  windows.hidden_size = 2;
  windows.tokens = {3, 1};
  windows.means = {1, 1, 5, -3};
  const HeadScores scores = ApplyHead(TwoLabels(), windows);
  EXPECT_THAT(scores.window_logits, testing::ElementsAre(testing::ElementsAre(3.25f, -0.5f),
                                                         testing::ElementsAre(-0.75f, -6.5f)));
  EXPECT_THAT(scores.logits, testing::ElementsAre(2.25f, -2.0f));  // of the mean (2, 0)
}

TEST(ProbeHeadTest, SaysWhatIsWrongWithAHead) {
  EXPECT_TRUE(CheckProbeHead(TwoLabels()).ok());
  ProbeHead head = TwoLabels();
  head.weights.pop_back();
  EXPECT_THAT(CheckProbeHead(head).message(), testing::HasSubstr("3 weights; 2 labels"));
  head = TwoLabels();
  head.bias[0] = std::numeric_limits<float>::infinity();
  EXPECT_THAT(CheckProbeHead(head).message(), testing::HasSubstr("not a finite number"));
  for (int ProbeHead::*field :
       {&ProbeHead::layers, &ProbeHead::hidden_size, &ProbeHead::window_tokens}) {
    head = TwoLabels();
    head.*field = -1;
    EXPECT_EQ(CheckProbeHead(head).code(), StatusCode::kInvalidArgument);
  }
}

TEST(ProbeHeadTest, WindowsAreEvenAndCoverTheText) {
  for (const int size : {1, 8, 16}) {
    for (int tokens = 1; tokens < 200; ++tokens) {
      const int count = NumWindows(tokens, size);
      EXPECT_EQ(WindowBegin(0, count, tokens), 0);
      EXPECT_EQ(WindowBegin(count, count, tokens), tokens);
      for (int w = 0; w < count; ++w) {
        const int length = WindowBegin(w + 1, count, tokens) - WindowBegin(w, count, tokens);
        EXPECT_GE(length, 1);
        EXPECT_LE(length, size + (size + 1) / 2) << tokens << " tokens in windows of " << size;
        EXPECT_GE(2 * length, std::min(size, tokens));
      }
    }
  }
}

TEST(ProbeHeadTest, OneWindowIsEnoughToDissent) {
  const std::vector<float> code = {9, 0, 0};
  const std::vector<float> math = {0, 0, 9};
  const std::vector<float> unsure = {0, 0, 0};
  EXPECT_LT(StrongestDissent({code, code}, 0), 0.001);
  EXPECT_GT(StrongestDissent({code, math, code}, 0), 0.999);
  EXPECT_NEAR(StrongestDissent({code, unsure}, 0), 2.0 / 3, 1e-6);
  EXPECT_EQ(StrongestDissent({}, 0), 0);
}

}  // namespace
}  // namespace aio
