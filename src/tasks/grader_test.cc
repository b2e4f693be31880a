#include "tasks/grader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace aio {
namespace {

using ::testing::HasSubstr;

TaskItem CodeItem() {
  TaskItem item;
  item.id = "c";
  item.code.stub = "def f(x):\n    \"\"\"Adds one.\"\"\"\n";
  item.code.entry_point = "f";
  item.code.test = "def check(candidate):\n    assert candidate(1) == 2\n";
  return item;
}

// In the sandbox; a machine that refuses one of its protections still runs these few programs.
Result<Grade> RunAndGrade(const std::string& answer) {
  SandboxOptions options;
  options.may_lack.assign(kProtections.begin(), kProtections.end());
  AIO_ASSIGN_OR_RETURN(const Sandbox sandbox, Sandbox::Create(options));
  return Grader(RunIn(sandbox, {.cpu_seconds = 2, .wall_seconds = 5}))
      .GradeText(AnswerKind::kCode, CodeItem(), answer);
}

TEST(GradeCodeTest, RunsTheAnswer) {
  const auto right = RunAndGrade("```python\ndef f(x):\n    return x + 1\n```");
  ASSERT_TRUE(right.ok()) << right.status().ToString();
  EXPECT_TRUE(right->right) << right->why;
  EXPECT_TRUE(RunAndGrade("    return x + 1\n")->right);
  const auto wrong = RunAndGrade("    return x + 2\n");
  EXPECT_FALSE(wrong->right);
  EXPECT_THAT(wrong->why, HasSubstr("AssertionError"));
  EXPECT_THAT(RunAndGrade("    return x +\n")->why, HasSubstr("SyntaxError"));
}

TEST(GradeCodeTest, LeavingBeforeTheTestsIsNoPass) {
  const auto left = RunAndGrade("import os\nos._exit(0)\ndef f(x):\n    return 2\n");
  EXPECT_FALSE(left->right);
  EXPECT_EQ(left->why, "ended before the tests did");
  EXPECT_FALSE(RunAndGrade("    print('done')\n    raise SystemExit(0)\n")->right);
}

TEST(GradeCodeTest, WhatEndedItIsSaid) {
  SandboxedRun run;
  run.end = SandboxedRun::End::kCpuLimit;
  const Grader grader([&](std::string_view) -> Result<SandboxedRun> { return run; });
  const auto why = [&] {
    return grader.GradeText(AnswerKind::kCode, CodeItem(), "    return 2\n")->why;
  };
  EXPECT_EQ(why(), "over the CPU limit");
  run.end = SandboxedRun::End::kSignalled;
  run.status = 11;
  EXPECT_EQ(why(), "killed by signal 11");
  run.end = SandboxedRun::End::kExited;
  run.status = 1;
  run.errors = "Traceback\nValueError: x\n";
  EXPECT_EQ(why(), "ValueError: x");
}

TEST(GradeCodeTest, TheSameProgramRunsOnce) {
  int runs = 0;
  SandboxedRun run;
  const Grader grader([&](std::string_view) -> Result<SandboxedRun> {
    ++runs;
    return run;
  });
  const auto grade = [&](const char* text) {
    return grader.GradeText(AnswerKind::kCode, CodeItem(), text).ok();
  };
  EXPECT_TRUE(grade("    return 2\n") && grade("    return 2\n") && grade("    return 3\n"));
  EXPECT_EQ(runs, 2);
  run.end = SandboxedRun::End::kWallLimit;
  EXPECT_TRUE(grade("    return 4\n") && grade("    return 4\n"));
  EXPECT_EQ(runs, 4);
}

TEST(GradeCodeTest, AFaultOfTheSandboxIsNoWrongAnswer) {
  const Grader grader([](std::string_view) -> Result<SandboxedRun> { return Internal("fork"); });
  EXPECT_FALSE(grader.GradeText(AnswerKind::kCode, CodeItem(), "    return 2\n").ok());
  EXPECT_EQ(grader.GradeText(AnswerKind::kCode, CodeItem(), "  \n")->why, "no code");
}

TEST(GradeTextTest, NumbersLettersAndTexts) {
  const Grader grader(RunPython{});
  TaskItem item;
  item.answers = {"1200"};
  const auto number = grader.GradeText(AnswerKind::kNumber, item, "So #### $1,200.");
  EXPECT_TRUE(number->right);
  EXPECT_EQ(number->answer, "1200");
  EXPECT_EQ(grader.GradeText(AnswerKind::kNumber, item, "12")->why, "12 is not 1200");
  EXPECT_EQ(grader.GradeText(AnswerKind::kNumber, item, "many")->why, "no number");

  item.choices = {"x", "y"};
  item.answers = {"B"};
  EXPECT_TRUE(grader.GradeText(AnswerKind::kChoice, item, "B. y")->right);
  EXPECT_FALSE(grader.GradeText(AnswerKind::kChoice, item, "A")->right);
  EXPECT_FALSE(grader.GradeText(AnswerKind::kChoice, item, "")->right);

  item.answers = {"the Fenn", "river Fenn"};
  EXPECT_TRUE(grader.GradeText(AnswerKind::kText, item, "It is the Fenn.")->right);
  EXPECT_FALSE(grader.GradeText(AnswerKind::kText, item, "It is the Orla.")->right);
  item.exact = true;
  EXPECT_FALSE(grader.GradeText(AnswerKind::kText, item, "It is the Fenn.")->right);
  EXPECT_TRUE(grader.GradeText(AnswerKind::kText, item, "River Fenn")->right);
}

TEST(GradeByLikelihoodTest, SumsTheTokensOfEachLetter) {
  TaskItem item;
  item.choices = {"x", "y", "z"};
  item.answers = {"B"};
  const auto token = [](const char* bytes, double p) {
    TokenLogprob logprob;
    logprob.bytes = bytes;
    logprob.logprob = static_cast<float>(std::log(p));
    return logprob;
  };
  const Grade grade = GradeByLikelihood(
      item, {token("The", 0.3), token("A", 0.25), token(" B", 0.2), token("B", 0.15)});
  EXPECT_TRUE(grade.right) << grade.why;
  EXPECT_EQ(grade.answer, "B");
  EXPECT_EQ(grade.why, "A 0.2500, B 0.3500, C 0.0000");
  EXPECT_THAT(GradeByLikelihood(item, {token("The", 0.3)}).why, HasSubstr("no letter among the 1"));
  EXPECT_FALSE(GradeByLikelihood(item, {}).right);
}

}  // namespace
}  // namespace aio
