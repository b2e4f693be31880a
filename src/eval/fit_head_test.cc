#include "eval/fit_head.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace aio {
namespace {

const std::vector<std::string> kLabels = {"code", "qa", "math"};

// Texts of a few windows, whose classes show more clearly the deeper one looks: `clarity` [depths].
std::vector<HeadExample> MakeExamples(const std::vector<float>& clarity, int count, uint32_t seed) {
  constexpr int kHidden = 6;
  std::mt19937 random(seed);
  std::normal_distribution<float> noise(0, 1);
  std::vector<HeadExample> examples;
  for (int i = 0; i < count; ++i) {
    HeadExample& example = examples.emplace_back();
    example.label = i % 3;
    example.tunes = i / 3 % 3 == 0;
    for (size_t depth = 0; depth < clarity.size(); ++depth) {
      HiddenWindows& windows = example.depths.emplace_back();
      windows.layers = static_cast<int>(depth) * 2;
      windows.hidden_size = kHidden;
      windows.tokens = {16, 15, 4};
      for (int k = 0; k < 3 * kHidden; ++k) windows.means.push_back(noise(random));
      for (int w = 0; w < 3; ++w) windows.means[w * kHidden + example.label] += clarity[depth];
    }
  }
  return examples;
}

std::vector<const HeadExample*> Pointers(const std::vector<HeadExample>& examples) {
  std::vector<const HeadExample*> pointers;
  for (const HeadExample& example : examples) pointers.push_back(&example);
  return pointers;
}

TEST(FitHeadTest, ChoosesTheLeastDepthThatKeepsTheAccuracy) {
  const std::vector<float> clarity = {0.2f, 6, 6, 7};
  const HeadFits fits = FitHeads(MakeExamples(clarity, 600, 1), kLabels, {}).value();
  ASSERT_EQ(fits.by_depth.size(), 4u);
  EXPECT_EQ(fits.smallest, 1);
  const HeadFit& smallest = fits.by_depth[1];
  EXPECT_EQ(smallest.head.layers, 2);
  EXPECT_TRUE(CheckProbeHead(smallest.head).ok());
  EXPECT_EQ(smallest.tuned.texts, 201);
  EXPECT_GT(smallest.tuned.accuracy(), 0.99);
  EXPECT_LT(fits.by_depth[0].tuned.accuracy(), 0.8);
  // On texts that it has not seen.
  const std::vector<HeadExample> unseen = MakeExamples(clarity, 300, 2);
  const HeadQuality quality = MeasureHead(smallest.head, Pointers(unseen), 1);
  EXPECT_EQ(quality.texts, 300);
  EXPECT_GT(quality.right, 297);
  EXPECT_LT(quality.log_loss, 0.1);
}

TEST(FitHeadTest, TextsThatChooseAreNotFitted) {
  std::vector<HeadExample> examples = MakeExamples({4}, 300, 1);
  // Were they fitted, labels that contradict all others would count.
  for (HeadExample& example : examples) {
    if (example.tunes) example.label = (example.label + 1) % 3;
  }
  const HeadFits fits = FitHeads(examples, kLabels, {}).value();
  EXPECT_LT(fits.by_depth[0].tuned.accuracy(), 0.05);
}

TEST(FitHeadTest, TheBoundOfDissentIsAQuantile) {
  const std::vector<HeadExample> examples = MakeExamples({3}, 300, 1);
  const ProbeHead head = FitHeads(examples, kLabels, {}).value().by_depth[0].head;
  const auto dissent = [&](const HeadExample& example) {
    return StrongestDissent(ApplyHead(head, example.depths[0]).window_logits, 1);
  };
  for (const double kept : {0.5, 0.9, 1.0}) {
    const double bound = DissentBound(head, Pointers(examples), 0, 1, kept);
    int within = 0;
    for (const HeadExample& example : examples) {
      within += example.label == 1 && dissent(example) <= bound;
    }
    EXPECT_EQ(within, std::lround(100 * kept));
  }
  EXPECT_EQ(DissentBound(head, {}, 0, 1, 0.9), 1);
}

TEST(FitHeadTest, RefusesLabelsWithoutTexts) {
  std::vector<HeadExample> examples = MakeExamples({4}, 30, 1);
  EXPECT_THAT(FitHeads(examples, {"code", "qa", "math", "law"}, {}).status().message(),
              testing::HasSubstr("label \"law\" has no text to fit a head to"));
  for (HeadExample& example : examples) example.tunes = false;
  EXPECT_THAT(FitHeads(examples, kLabels, {}).status().message(),
              testing::HasSubstr("label \"code\" has no text to choose between fits by"));
}

}  // namespace
}  // namespace aio
