// The data sets' own solutions are right and broken ones wrong: where their published files are,
// beside the project or in the folder AIO_DATA. Some of them, or all with AIO_ALL_REFERENCES set,
// which takes minutes.
#include <gtest/gtest.h>

#include <cstdlib>
#include <future>
#include <string>
#include <vector>

#include "eval/data_file.h"
#include "eval/data_sets.h"
#include "tasks/code_text.h"
#include "tasks/grader.h"
#include "tasks/load_task.h"
#include "tasks/parse_items.h"

namespace aio {
namespace {

constexpr size_t kThreads = 2;

// The ids of items whose answers are not graded as they should be.
std::string WronglyGraded(const std::vector<TaskItem>& items, bool should_be_right,
                          const std::function<std::string(const TaskItem&)>& answer) {
  SandboxOptions options;
  options.may_lack.assign(kProtections.begin(), kProtections.end());
  const Result<Sandbox> sandbox = Sandbox::Create(options);
  if (!sandbox.ok()) return sandbox.status().ToString();
  const Grader grader(RunIn(*sandbox, SandboxLimits{}));
  const auto grade_part = [&](size_t part) {
    std::string wrong;
    for (size_t i = part; i < items.size(); i += kThreads) {
      const auto grade = grader.GradeText(AnswerKind::kCode, items[i], answer(items[i]));
      if (!grade.ok()) return grade.status().ToString();
      if (grade->right != should_be_right) wrong += items[i].id + ": " + grade->why + "\n";
    }
    return wrong;
  };
  std::vector<std::future<std::string>> parts;
  for (size_t part = 0; part < kThreads; ++part) {
    parts.push_back(std::async(std::launch::async, grade_part, part));
  }
  std::string wrong;
  for (auto& part : parts) wrong += part.get();
  return wrong;
}

// Every `step`th; all of them if asked for.
std::vector<TaskItem> Some(const std::vector<TaskItem>& items, size_t step) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): no thread sets it
  if (std::getenv("AIO_ALL_REFERENCES") != nullptr) return items;
  std::vector<TaskItem> some;
  for (size_t i = 0; i < items.size(); i += step) some.push_back(items[i]);
  return some;
}

std::string Data() {
  const char* named = std::getenv("AIO_DATA");  // NOLINT(concurrency-mt-unsafe): no thread sets it
  return named != nullptr ? named : std::string(AIO_SOURCE_DIR) + "/../shared/data";
}

// Functions at the margin give nothing any more.
std::string GivesNothing(const TaskItem& item) {
  const std::string& code = item.solution;
  std::string broken = code + "\n";
  for (size_t at = code.find("def "); at != std::string::npos; at = code.find("def ", at + 1)) {
    if (at > 0 && code[at - 1] != '\n') continue;
    const size_t begin = at + 4;
    const std::string name = code.substr(begin, code.find_first_of("( ", begin) - begin);
    if (IsIdentifier(name)) broken += "\n\ndef " + name + "(*a, **k):\n    return None\n";
  }
  return "```python\n" + broken + "```";
}

std::vector<TaskItem> HumanEval(size_t step) {
  const auto task = LoadTask("humaneval", Data(), 1);
  return task.ok() ? Some(task->items, step) : std::vector<TaskItem>();
}

// All 974, not the test side alone.
std::vector<TaskItem> Mbpp(size_t step) {
  const auto text = ReadDataFile(Data() + "/mbpp/mbpp.jsonl");
  if (!text.ok()) return {};
  const auto items = ParseMbppItems(*text, "mbpp", 1, 974);
  return items.ok() ? Some(*items, step) : std::vector<TaskItem>();
}

std::string Fenced(const TaskItem& item) { return "```python\n" + item.solution + "\n```"; }

TEST(ReferenceSolutionsTest, HumanEval) {
  const auto items = HumanEval(12);
  if (items.empty()) GTEST_SKIP() << "no HumanEval below " << Data();
  // As a body, and as a whole function in an answer.
  EXPECT_EQ(WronglyGraded(items, true, [](const TaskItem& item) { return item.solution; }), "");
  EXPECT_EQ(WronglyGraded(items, true,
                          [](const TaskItem& item) {
                            return "Here:\n```python\n" + item.question + item.solution + "```\n";
                          }),
            "");
  EXPECT_EQ(WronglyGraded(items, false, [](const TaskItem&) { return "    return None\n"; }), "");
}

TEST(ReferenceSolutionsTest, Mbpp) {
  const auto items = Mbpp(64);
  if (items.empty()) GTEST_SKIP() << "no MBPP below " << Data();
  EXPECT_EQ(WronglyGraded(items, true, Fenced), "");
  EXPECT_EQ(WronglyGraded(items, false, GivesNothing), "");
}

// Numbers need no sandbox: all of them.
TEST(ReferenceSolutionsTest, Gsm8k) {
  const auto task = LoadTask("gsm8k", Data(), 1);
  if (!task.ok()) GTEST_SKIP() << task.status().message();
  EXPECT_EQ(task->items.size(), 1319u);
  const Grader grader(RunPython{});
  for (const TaskItem& item : task->items) {
    EXPECT_TRUE(grader.GradeText(AnswerKind::kNumber, item, item.solution)->right) << item.id;
    const std::string other = item.solution + "1";
    EXPECT_FALSE(grader.GradeText(AnswerKind::kNumber, item, other)->right) << item.id;
  }
}

TEST(ReferenceSolutionsTest, Choices) {
  for (const char* name : {"mmlu", "ceval"}) {
    const auto task = LoadTask(name, Data(), 1);
    if (!task.ok()) GTEST_SKIP() << task.status().message();
    const Grader grader(RunPython{});
    for (const TaskItem& item : task->items) {
      const auto choice = static_cast<size_t>(item.answers[0][0] - 'A');
      const std::string named = item.answers[0] + ". " + item.choices[choice];
      ASSERT_TRUE(grader.GradeText(AnswerKind::kChoice, item, named)->right) << item.id;
      const std::string next = ChoiceLetter((choice + 1) % item.choices.size());
      ASSERT_FALSE(grader.GradeText(AnswerKind::kChoice, item, next)->right) << item.id;
    }
  }
}

}  // namespace
}  // namespace aio
