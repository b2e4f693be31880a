#include "app/head_examples.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "engine/testing/tiny_model.h"

namespace aio {
namespace {

TEST(CandidateDepthsTest, AllOfFewAndSomeOfMany) {
  EXPECT_THAT(CandidateDepths(4), testing::ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(CandidateDepths(28), testing::ElementsAre(0, 3, 7, 10, 14, 17, 21, 24, 28));
}

class HeadReaderTest : public testing::Test {
 protected:
  const SystemClock clock_;
  const std::unique_ptr<EmbeddedBackend> engine_ =
      EmbeddedBackend::Create({MakeTinyModel("tiny", "small")}, {}, clock_).value();
};

TEST_F(HeadReaderTest, ReadsTextsInOrderButThoseThatAreTooLong) {
  const HeadReader reader{*engine_, clock_, "tiny", {{0, 2}, 8}};
  const std::vector<LabelledText> texts = {{{{"user", "hens"}}, 1, false},
                                           {{{"user", std::string(5000, 'x')}}, 0, false},
                                           {{{"user", "hens and hens"}}, 2, true}};
  const std::vector<HeadExample> examples = reader.Read(texts, "reading").value();
  ASSERT_EQ(examples.size(), 2u);
  EXPECT_EQ(examples[0].label, 1);
  EXPECT_EQ(examples[1].label, 2);
  EXPECT_TRUE(examples[1].tunes);
  ASSERT_EQ(examples[1].depths.size(), 2u);
  EXPECT_EQ(examples[1].depths[0].layers, 0);
  EXPECT_EQ(examples[1].depths[1].layers, 2);
  EXPECT_NE(examples[1].depths[1].means, examples[0].depths[1].means);
}

TEST_F(HeadReaderTest, OtherFaultsAreTold) {
  const HeadReader reader{*engine_, clock_, "gone", {{0}, 8}};
  const auto examples = reader.Read({{{{"user", "hens"}}, 0, false}}, "reading");
  EXPECT_EQ(examples.status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace aio
