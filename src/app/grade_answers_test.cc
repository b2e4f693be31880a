#include "app/grade_answers.h"

#include <gtest/gtest.h>

#include <string>

namespace aio {
namespace {

WorkloadItem Item(const std::string& line) {
  auto items = ParseWorkloadItems(line, "t.jsonl");
  EXPECT_TRUE(items.ok()) << items.status().ToString();
  return items->front();
}

std::optional<bool> Judge(const WorkloadItem& item, std::string_view text) {
  const auto grade = MakeGradeAnswer({item}, {});
  EXPECT_TRUE(grade.ok()) << grade.status().ToString();
  const auto right = (*grade)(item, text);
  EXPECT_TRUE(right.ok()) << right.status().ToString();
  return *right;
}

TEST(GradeAnswers, JudgesNumbersAndTexts) {
  const WorkloadItem sum =
      Item(R"({"task": "pocket-math", "id": "m1", "prompt": "2 + 2?", "answer": "4"})");
  EXPECT_EQ(Judge(sum, "2 + 2 is 4."), true);
  EXPECT_EQ(Judge(sum, "It is 5."), false);
  const WorkloadItem river =
      Item(R"({"task": "pocket-qa", "id": "q1", "prompt": "River?", "answers": ["Fenn"]})");
  EXPECT_EQ(Judge(river, "The Fenn flows there."), true);
  EXPECT_EQ(Judge(river, "The Wenroth."), false);
}

TEST(GradeAnswers, DoesNotJudgeWhatSaysNothingOfRightAnswers) {
  EXPECT_FALSE(Judge(Item(R"({"workload": "chat", "prompt": "Hi"})"), "Hello").has_value());
}

}  // namespace
}  // namespace aio
