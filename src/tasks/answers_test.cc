#include "tasks/answers.h"

#include <gtest/gtest.h>

#include "tasks/numbers.h"
#include "tasks/pass_at_k.h"

namespace aio {
namespace {

const std::vector<std::string> kChoices = {"the river Fenn", "a lake", "iron", "a river"};

std::string Letter(std::string_view text) {
  const auto index = ChosenLetter(text, kChoices);
  return index ? std::string(1, static_cast<char>('A' + *index)) : "none";
}

TEST(ChosenLetterTest, ReadsTheWaysModelsName) {
  EXPECT_EQ(Letter("B"), "B");
  EXPECT_EQ(Letter(" C. iron"), "C");
  EXPECT_EQ(Letter("**D**"), "D");
  EXPECT_EQ(Letter("(A) because B is wrong"), "A");
  EXPECT_EQ(Letter("A and B look alike. The answer is **(D)**."), "D");
  EXPECT_EQ(Letter("Answer: C"), "C");
  EXPECT_EQ(Letter("正确答案是B。"), "B");
  EXPECT_EQ(Letter("答案：C"), "C");
  EXPECT_EQ(Letter("I think (B) fits, or rather (D)."), "D");
  EXPECT_EQ(Letter("It must be C, I think"), "C");
  EXPECT_EQ(Letter("They mined iron there."), "C");
}

TEST(ChosenLetterTest, WordsAreNoLetters) {
  EXPECT_EQ(Letter("A lot of people say so."), "none");
  EXPECT_EQ(Letter("Because Dogs Cannot."), "none");
  EXPECT_EQ(Letter("E"), "none");
  EXPECT_EQ(Letter(""), "none");
  EXPECT_EQ(Letter("iron near a lake"), "none");  // the texts of two choices
}

TEST(HoldsTextTest, ComparesWholeWords) {
  EXPECT_TRUE(HoldsText("It is the Fenn, of course.", "fenn"));
  EXPECT_FALSE(HoldsText("It is Fennford.", "Fenn"));
  EXPECT_TRUE(HoldsText("Orla, Tamsin and Kest", "Tamsin and Kest"));
  EXPECT_TRUE(HoldsText("首都是北京。", "北京"));
  EXPECT_FALSE(HoldsText("anything", "the"));
  EXPECT_FALSE(HoldsText("", "Fenn"));
}

TEST(IsTextTest, WantsNothingElse) {
  EXPECT_TRUE(IsText("The  Fenn.", "fenn"));
  EXPECT_FALSE(IsText("The Fenn flows", "fenn"));
}

TEST(FinalNumberTest, FollowsTheRule) {
  EXPECT_EQ(FinalNumber("3 + 4 = 7\n#### 7"), "7");
  EXPECT_EQ(FinalNumber("#### $1,200.50.\nThat was 3 steps"), "1200.5");
  EXPECT_EQ(FinalNumber("so \\boxed{42} in 3 steps"), "42");
  EXPECT_EQ(FinalNumber("First 5, then 18 eggs."), "18");
  EXPECT_EQ(FinalNumber("It costs $18."), "18");
  EXPECT_EQ(FinalNumber("It is 20%."), "20");
  EXPECT_EQ(FinalNumber("12 ####"), "12");
  EXPECT_EQ(FinalNumber("no digits"), std::nullopt);
  EXPECT_EQ(FinalNumber(""), std::nullopt);
}

TEST(LastNumberTest, IsCanonical) {
  EXPECT_EQ(LastNumber("007.50"), "7.5");
  EXPECT_EQ(LastNumber("72.00"), "72");
  EXPECT_EQ(LastNumber("-0.0"), "0");
  EXPECT_EQ(LastNumber(".5"), "0.5");
  EXPECT_EQ(LastNumber("1,234,567"), "1234567");
  EXPECT_EQ(LastNumber("1, 234"), "234");
  EXPECT_EQ(LastNumber("12,34"), "34");
}

TEST(LastNumberTest, TellsSignsFromMinus) {
  EXPECT_EQ(LastNumber("= -3"), "-3");
  EXPECT_EQ(LastNumber("-$3"), "-3");
  EXPECT_EQ(LastNumber("\u22123"), "-3");
  EXPECT_EQ(LastNumber("5-3"), "3");
  EXPECT_EQ(LastNumber("(2)-3"), "3");
}

TEST(PassAtKTest, IsTheUnbiasedEstimate) {
  EXPECT_DOUBLE_EQ(PassAtK(1, 1, 1), 1);
  EXPECT_DOUBLE_EQ(PassAtK(1, 0, 1), 0);
  EXPECT_NEAR(PassAtK(10, 3, 1), 0.3, 1e-12);
  // 1 - C(3, 2) / C(5, 2)
  EXPECT_NEAR(PassAtK(5, 2, 2), 0.7, 1e-12);
  EXPECT_DOUBLE_EQ(PassAtK(5, 4, 2), 1);
  EXPECT_NEAR(PassAtK(1000, 1, 10), 0.01, 1e-12);
}

}  // namespace
}  // namespace aio
