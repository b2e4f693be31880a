#include "eval/attack_suite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/utf8.h"
#include "eval/attack_kinds.h"

namespace aio {
namespace {

using ::testing::HasSubstr;

std::vector<std::string> Bases() {
  std::vector<std::string> bases;
  for (int i = 0; i < 200; ++i) {
    bases.push_back("Which town number " + std::to_string(i) + " exports honey? It is near.");
  }
  return bases;
}

TEST(AttackSuiteTest, GivesAsManyAsAskedForEvenlyOverKindsAndBases) {
  const auto suite = MakeAttackSuite(Bases(), {.prompts = 700});
  EXPECT_EQ(suite.size(), 700u);
  std::map<std::string, std::set<int>> bases_by_kind;
  std::set<int> bases;
  for (const SuitePrompt& prompt : suite) {
    bases_by_kind[prompt.kind].insert(prompt.base);
    bases.insert(prompt.base);
  }
  EXPECT_EQ(bases_by_kind.size(), AttackKinds().size());
  for (const auto& [kind, used] : bases_by_kind) EXPECT_GE(used.size(), 43u) << kind;
  EXPECT_GT(bases.size(), 190u);
}

TEST(AttackSuiteTest, EveryPromptStillHoldsItsQuestionUnlessItIsSpeltAnew) {
  const std::vector<std::string> bases = Bases();
  const std::set<std::string> spelt = {"look-alikes", "base64", "split-letters", "interleaved"};
  for (const SuitePrompt& prompt : MakeAttackSuite(bases, {.prompts = 700})) {
    EXPECT_TRUE(IsValidUtf8(prompt.text)) << prompt.kind;
    EXPECT_NE(prompt.text, bases[static_cast<size_t>(prompt.base)]) << prompt.kind;
    if (spelt.count(prompt.kind) > 0) continue;
    EXPECT_THAT(prompt.text, HasSubstr(bases[static_cast<size_t>(prompt.base)])) << prompt.kind;
  }
}

TEST(AttackSuiteTest, TheSameSeedGivesTheSameSuiteAndAnotherAnother) {
  const auto texts = [](uint64_t seed) {
    std::vector<std::string> out;
    for (const SuitePrompt& p : MakeAttackSuite(Bases(), {.seed = seed, .prompts = 100})) {
      out.push_back(p.text);
    }
    return out;
  };
  EXPECT_EQ(texts(3), texts(3));
  EXPECT_NE(texts(3), texts(4));
}

TEST(AttackSuiteTest, HeldOutWordingsAreNotThoseTunedOn) {
  const std::vector<std::string> one = {"Q?"};
  const auto texts = [&](Wordings wordings) {
    std::set<std::string> out;
    for (const SuitePrompt& p : MakeAttackSuite(one, {.prompts = 900, .wordings = wordings})) {
      if (p.kind == "label-line" || p.kind == "template-end") out.insert(p.text);
    }
    return out;
  };
  const std::set<std::string> tuning = texts(Wordings::kTuning);
  const std::set<std::string> held_out = texts(Wordings::kHeldOut);
  EXPECT_EQ(tuning.size(), 10u);
  EXPECT_EQ(held_out.size(), 10u);
  for (const std::string& text : held_out) EXPECT_EQ(tuning.count(text), 0u) << text;
}

TEST(AttackSuiteTest, HidesQuestionsInTheProgramsGiven) {
  int used = 0;
  const std::vector<std::string> programs = {"def the_given_one(): pass"};
  for (const SuitePrompt& p : MakeAttackSuite({"Q?"}, {.prompts = 300, .programs = programs})) {
    if (p.kind == "padding-both") used += p.text.find(programs[0]) != std::string::npos ? 1 : 0;
  }
  EXPECT_GT(used, 5);
}

TEST(AttackKindsTest, SpellsBase64AsTheStandardDoes) {
  EXPECT_EQ(ToBase64(""), "");
  EXPECT_EQ(ToBase64("f"), "Zg==");
  EXPECT_EQ(ToBase64("fo"), "Zm8=");
  EXPECT_EQ(ToBase64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(ToBase64("\xff\xfe"), "//4=");
}

TEST(AttackKindsTest, ReplacesLettersByTheirLikes) {
  SuiteDraw draw(1);
  EXPECT_EQ(WithLookAlikes("ape 7", 100, draw), "\u0430\u0440\u0435 7");
  EXPECT_EQ(WithLookAlikes("ape 7", 0, draw), "ape 7");
}

}  // namespace
}  // namespace aio
