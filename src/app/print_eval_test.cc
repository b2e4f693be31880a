#include "app/print_eval.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace aio {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

EvalFigure Figure(const std::string& task, int context, const std::string& configuration) {
  EvalFigure figure;
  figure.task = task;
  figure.context = context;
  figure.configuration = configuration;
  figure.items = 20;
  figure.answers = 20;
  figure.right = 15;
  figure.accuracy = 0.75;
  figure.interval = {0.509, 0.913};
  figure.tokens_per_second = 123.4;
  return figure;
}

TEST(PrintEvalTest, ATableForEachTaskAndLength) {
  EvalReport report;
  report.figures = {Figure("gsm8k", 0, "small"), Figure("gsm8k", 0, "large"),
                    Figure("gsm8k", 3200, "large")};
  report.figures[1].refused = 2;
  report.figures[1].pass_at = {{10, 0.9}};
  const std::string text = EvalTables(report);
  EXPECT_THAT(text, HasSubstr("gsm8k: 20 prompts"));
  EXPECT_THAT(text, HasSubstr("\ngsm8k at 3200 tokens: 20 prompts"));
  EXPECT_THAT(text, HasSubstr("50.9 to 91.3"));
  EXPECT_THAT(text, HasSubstr("pass@10 90.00 %  2 refused"));
  EXPECT_THAT(text.substr(0, text.find("large")), Not(HasSubstr("refused")));
}

TEST(PrintEvalTest, JsonHasFiguresAndWhatWasAsked) {
  EvalReport report;
  report.figures = {Figure("gsm8k", 0, "small")};
  EvalSettings settings;
  settings.extent.limit = 20;
  const std::string json = EvalJson(settings, report);
  EXPECT_THAT(json, HasSubstr("\"accuracy\": 0.75"));
  EXPECT_THAT(json, HasSubstr("\"accuracy_low\": 0.509"));
  EXPECT_THAT(json, HasSubstr("\"limit\": 20"));
}

TEST(LoadEvalTasksTest, ChoosesAmongSuitesAndSaysWhatThereIs) {
  const std::string path =
      (std::filesystem::path(::testing::TempDir()) / "aio_eval_tasks.jsonl").string();
  std::ofstream(path) << R"({"task": "a", "id": "1", "prompt": "p", "answer": "1"})"
                      << "\n"
                      << R"({"task": "b", "id": "1", "prompt": "p", "answer": "1"})"
                      << "\n";
  EvalSettings settings;
  settings.suites = {path};
  EXPECT_EQ(LoadEvalTasks(settings)->size(), 2u);
  settings.tasks = {"b"};
  const auto tasks = LoadEvalTasks(settings);
  ASSERT_TRUE(tasks.ok()) << tasks.status().ToString();
  ASSERT_EQ(tasks->size(), 1u);
  EXPECT_EQ(tasks->front().name, "b");
  settings.tasks = {"chess"};
  EXPECT_THAT(LoadEvalTasks(settings).status().message(), HasSubstr("no such task; there are"));
  settings.tasks = {"humaneval"};
  EXPECT_THAT(LoadEvalTasks(settings).status().message(), HasSubstr("--data DIR"));
  settings.tasks.clear();
  settings.suites = {path, path};
  EXPECT_THAT(LoadEvalTasks(settings).status().message(), HasSubstr("'a' is there already"));
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace aio
