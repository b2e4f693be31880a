#include "engine/acceptance.h"

#include <gtest/gtest.h>

namespace aio {
namespace {

TEST(GuessClassTest, LongerMatchesAreOfHigherClasses) {
  int last = GuessClass::OfMatch(1);
  EXPECT_EQ(last, 0);
  for (int length = 2; length <= 100; ++length) {
    const int next = GuessClass::OfMatch(length);
    EXPECT_GE(next, last);
    EXPECT_LT(next, GuessClass::kNumMatchClasses);
    last = next;
  }
  EXPECT_EQ(last, GuessClass::kNumMatchClasses - 1);
}

TEST(GuessClassTest, EveryProbabilityHasAClassOfTheDraftModel) {
  for (const float p : {0.0F, 0.05F, 0.5F, 0.999F, 1.0F}) {
    EXPECT_GE(GuessClass::OfDraft(p), GuessClass::kNumMatchClasses);
    EXPECT_LT(GuessClass::OfDraft(p), GuessClass::kAnyOfModel);
  }
  EXPECT_LT(GuessClass::OfDraft(0.1F), GuessClass::OfDraft(0.9F));
}

TEST(AcceptanceTest, LearnsWhatHappensAndForgets) {
  Acceptance acceptance(Acceptance(), 6, 0.93);
  for (int i = 0; i < 60; ++i) acceptance.Observe(3, true);
  EXPECT_GT(acceptance.chance(3), 0.93F);
  for (int i = 0; i < 60; ++i) acceptance.Observe(3, false);
  EXPECT_LT(acceptance.chance(3), 0.05F);
}

TEST(AcceptanceTest, ClassesAreApart) {
  Acceptance acceptance;
  const float before = acceptance.chance(5);
  for (int i = 0; i < 60; ++i) acceptance.Observe(4, false);
  EXPECT_EQ(acceptance.chance(5), before);
}

TEST(AcceptanceTest, ARequestStartsWithWhatWasLearntBefore) {
  Acceptance learnt;
  for (int i = 0; i < 1000; ++i) learnt.Observe(2, i % 10 == 0);
  Acceptance request(learnt, 6, 0.93);
  EXPECT_NEAR(request.chance(2), 0.1F, 0.05F);
  // ... and soon knows better.
  for (int i = 0; i < 20; ++i) request.Observe(2, true);
  EXPECT_GT(request.chance(2), 0.75F);
}

TEST(AcceptanceTest, ARequestThatIsHardToGuessIsSoInOtherClassesToo) {
  Acceptance learnt;
  for (int i = 0; i < 1000; ++i) {
    for (int guess_class = 0; guess_class < 6; ++guess_class)
      learnt.Observe(guess_class, i % 5 > 0);
  }
  Acceptance request(learnt, 6, 0.98);
  const float of_model = request.chance(GuessClass::OfDraft(0.95F));
  EXPECT_NEAR(request.chance(5), 0.8F, 0.05F);
  for (int i = 0; i < 8; ++i) request.Observe(0, false);
  EXPECT_LT(request.chance(5), 0.45F) << "never seen, but its like failed";
  EXPECT_EQ(request.chance(GuessClass::OfDraft(0.95F)), of_model) << "another source";
  // Its own observations tell in the end.
  for (int i = 0; i < 60; ++i) request.Observe(5, true);
  EXPECT_GT(request.chance(5), 0.9F);
}

TEST(AcceptanceTest, NothingIsEverCertain) {
  Acceptance acceptance;
  for (int i = 0; i < 10000; ++i) {
    acceptance.Observe(0, false);
    acceptance.Observe(1, true);
  }
  EXPECT_GT(acceptance.chance(0), 0.0F);
  EXPECT_LT(acceptance.chance(1), 1.0F);
}

TEST(ExperienceByIntentTest, IntentsAreApartAndBounded) {
  ExperienceByIntent learnt;
  for (int i = 0; i < 60; ++i) learnt.Of("code").acceptance.Observe(0, true);
  EXPECT_GT(learnt.Of("code").acceptance.chance(0), learnt.Of("qa").acceptance.chance(0));
  for (int i = 0; i < 1000; ++i) learnt.Of("made up " + std::to_string(i));
  // Beyond some number they share an account, and the known ones keep theirs.
  EXPECT_EQ(&learnt.Of("another"), &learnt.Of("one more"));
  EXPECT_NE(&learnt.Of("code"), &learnt.Of("one more"));
}

}  // namespace
}  // namespace aio
