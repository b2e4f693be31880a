#include "eval/multi_intent_suite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "eval/made_prompts.h"

namespace aio {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(MultiIntentSuiteTest, PairsEveryLabelWithEveryOther) {
  std::map<std::string, int> kinds;
  for (const SuitePrompt& prompt : MakeMultiIntentSuite({}, {.prompts = 300})) {
    ++kinds[prompt.kind];
    EXPECT_THAT(prompt.text, Not(HasSubstr("{"))) << prompt.kind;
  }
  EXPECT_EQ(kinds.size(), 6u);
  for (const auto& [kind, count] : kinds) EXPECT_EQ(count, 50) << kind;
}

TEST(MultiIntentSuiteTest, UsesThePromptsGivenInMostAndMakesUpTheRest) {
  const std::map<std::string, std::vector<std::string>> bases = {
      {"code", {"def given_code():"}}, {"math", {"given sum"}}, {"qa", {"given question"}}};
  int given = 0;
  const auto suite = MakeMultiIntentSuite(bases, {.prompts = 300});
  for (const SuitePrompt& prompt : suite) {
    const bool has_code = prompt.text.find("def given_code():") != std::string::npos;
    const bool has_math = prompt.text.find("given sum") != std::string::npos;
    const bool has_qa = prompt.text.find("given question") != std::string::npos;
    const int parts = (has_code ? 1 : 0) + (has_math ? 1 : 0) + (has_qa ? 1 : 0);
    EXPECT_TRUE(parts == 0 || parts == 2) << prompt.text;
    given += parts == 2 ? 1 : 0;
  }
  EXPECT_GT(given, 150);
  EXPECT_LT(given, 250);
}

TEST(MadePromptsTest, ReplacesMarksAndNothingElse) {
  EXPECT_EQ(FillIn("{a}{{a}}{b} {c}", {{"{a}", "1"}, {"{b}", "{a}"}}), "1{1}{a} {c}");
}

TEST(MadePromptsTest, HalvesShareNoWording) {
  const auto some = [](Wordings wordings) {
    SuiteDraw draw(1, wordings);
    std::set<std::string> programs;
    for (int i = 0; i < 300; ++i) programs.insert(MadeProgram(draw, 1));
    return programs;
  };
  const std::set<std::string> held_out = some(Wordings::kHeldOut);
  for (const std::string& text : some(Wordings::kTuning)) EXPECT_EQ(held_out.count(text), 0u);
}

TEST(MadePromptsTest, ProgramsAreAsLongAsAskedFor) {
  SuiteDraw draw(1);
  const std::string text = MadeProgram(draw, 2000);
  EXPECT_GE(text.size(), 2000u);
  EXPECT_LT(text.size(), 2400u);
}

}  // namespace
}  // namespace aio
