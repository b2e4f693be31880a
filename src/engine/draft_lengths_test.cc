#include "engine/draft_lengths.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace aio {
namespace {

using Chances = std::vector<float>;

std::vector<int> Choose(const std::vector<Chances>& chances, const StepCosts& costs,
                        int count_max = 100, int other_rows = 0) {
  std::vector<std::span<const float>> views(chances.begin(), chances.end());
  const auto sequences = static_cast<int>(chances.size());
  std::vector<int> lengths;
  DraftLengths().Choose(views, {static_cast<double>(sequences), sequences + other_rows}, costs,
                        count_max, lengths);
  return lengths;
}

// Of a model bound by memory: twice the tokens, hardly more time.
StepCosts Flat() { return StepCosts({1, 17}, {10, 11}); }
// Of a model bound by arithmetic.
StepCosts Steep() { return StepCosts({1, 17}, {10, 170}); }

TEST(DraftLengthsTest, WhereAStepCostsTheSameAllGuessesAreChecked) {
  EXPECT_EQ(Choose({Chances(8, 0.9F)}, Flat()), (std::vector<int>{8}));
}

TEST(DraftLengthsTest, WhereEachTokenCostsItsOwnNothingIsGuessed) {
  EXPECT_EQ(Choose({Chances(8, 0.95F)}, Steep()), (std::vector<int>{0}));
}

TEST(DraftLengthsTest, HighAcceptanceAloneIsNotEnough) {
  // 0.6 a guess: a step of two must cost less than 1.6 of one.
  EXPECT_EQ(Choose({{0.6F}}, StepCosts({1, 2}, {10, 15})), (std::vector<int>{1}));
  EXPECT_EQ(Choose({{0.6F}}, StepCosts({1, 2}, {10, 17})), (std::vector<int>{0}));
}

TEST(DraftLengthsTest, StopsWhereTheNextGuessWouldNotPay) {
  EXPECT_EQ(Choose({{0.9F, 0.9F, 0.1F, 0.9F}}, StepCosts({1, 5}, {10, 15})), (std::vector<int>{2}));
}

TEST(DraftLengthsTest, LooksBeyondAStepInTheCurve) {
  // The second token costs much, those after it next to nothing.
  const StepCosts costs({1, 2, 9}, {10, 19, 20});
  EXPECT_EQ(Choose({Chances(1, 0.8F)}, costs), (std::vector<int>{0}));
  EXPECT_EQ(Choose({Chances(8, 0.8F)}, costs), (std::vector<int>{8}));
}

TEST(DraftLengthsTest, TheMostPromisingSequencesGetTheRoom) {
  EXPECT_EQ(Choose({Chances(4, 0.5F), Chances(4, 0.9F)}, Flat(), /*count_max=*/4),
            (std::vector<int>{0, 4}));
}

TEST(DraftLengthsTest, ABusyStepLeavesLessRoomForGuesses) {
  // Up to eight tokens a step is bound by memory, then by arithmetic.
  const StepCosts costs({1, 8, 32}, {10, 10.5, 40});
  EXPECT_EQ(Choose({Chances(4, 0.5F)}, costs), (std::vector<int>{4}));
  const std::vector<int> busy = Choose(std::vector<Chances>(8, Chances(4, 0.5F)), costs);
  EXPECT_EQ(*std::max_element(busy.begin(), busy.end()), 0);
}

TEST(DraftLengthsTest, NothingToChoose) {
  EXPECT_EQ(Choose({}, Flat()), (std::vector<int>{}));
  EXPECT_EQ(Choose({{}}, Flat()), (std::vector<int>{0}));
  EXPECT_EQ(Choose({Chances(3, 0.9F)}, Flat(), /*count_max=*/0), (std::vector<int>{0}));
}

// Against every choice there is.
TEST(DraftLengthsTest, NoOtherChoiceIsBetter) {
  std::mt19937 random(7);
  std::uniform_real_distribution<float> uniform(0.05F, 0.98F);
  for (int round = 0; round < 500; ++round) {
    const std::vector<Chances> chances = {{uniform(random), uniform(random), uniform(random)},
                                          {uniform(random), uniform(random)}};
    const StepCosts costs({1, 2, 4, 8}, {10, 10 + 4 * uniform(random), 15 + 6 * uniform(random),
                                         22 + 20 * uniform(random)});
    const auto rate = [&](const std::vector<int>& lengths) {
      double tokens = 2;
      for (size_t i = 0; i < 2; ++i) {
        double chance = 1;
        for (int j = 0; j < lengths[i]; ++j) tokens += chance *= chances[i][j];
      }
      return tokens / costs.Ms(2 + lengths[0] + lengths[1]);
    };
    const double chosen = rate(Choose(chances, costs));
    for (int a = 0; a <= 3; ++a) {
      for (int b = 0; b <= 2; ++b) ASSERT_LE(rate({a, b}), chosen * (1 + 1e-9));
    }
  }
}

TEST(BestRateTest, OfADraftModelCountsItsTime) {
  const StepCosts costs = Flat();
  const StepBase one{1, 1};
  EXPECT_DOUBLE_EQ(BestRate({}, one, costs), 0.1);
  EXPECT_GT(BestRateOfModel(0.9F, 8, /*draft_ms=*/1, 0, one, costs), 0.2);
  EXPECT_LT(BestRateOfModel(0.9F, 8, /*draft_ms=*/10, 0, one, costs), 0.1);
  EXPECT_LT(BestRateOfModel(0.9F, 8, /*draft_ms=*/1, /*catch_up_ms=*/100, one, costs), 0.1);
}

}  // namespace
}  // namespace aio
