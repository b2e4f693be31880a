#include "tasks/prompts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aio {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Task MmluTask() {
  Task task;
  task.name = "mmlu";
  task.prompts = PromptKind::kMmlu;
  task.kind = AnswerKind::kChoice;
  TaskItem item;
  item.id = "anatomy/1";
  item.subject = "high_school_physics";
  item.question = "What?";
  item.choices = {"w", "x", "y", "z"};
  task.items = {item};
  item.question = "Ex?";
  item.solution = "C";
  TaskItem other = item;
  other.subject = "law";
  task.examples = {other, item};
  return task;
}

std::vector<ChatMessage> Chat(const Result<ItemPrompt>& made) {
  return std::get<std::vector<ChatMessage>>(made->prompt);
}

TEST(PromptsTest, ExamplesAreOfTheSameSubject) {
  const Task task = MmluTask();
  const auto made = MakePrompt(task, task.items[0], {.shots = 1});
  ASSERT_TRUE(made.ok()) << made.status().ToString();
  const auto messages = Chat(made);
  ASSERT_EQ(messages.size(), 3u);
  EXPECT_THAT(messages[0].content, HasSubstr("about high school physics"));
  EXPECT_TRUE(messages[0].content.ends_with("Ex?\nA. w\nB. x\nC. y\nD. z\nAnswer:"));
  EXPECT_EQ(messages[1], (ChatMessage{"assistant", "C"}));
  EXPECT_THAT(messages[2].content, HasSubstr("What?"));
  EXPECT_THAT(MakePrompt(task, task.items[0], {.shots = 2}).status().message(),
              HasSubstr("mmlu: 2 examples wanted, and there are 1 of 'high_school_physics'"));
}

TEST(PromptsTest, CompletionIsTextToGoOnFrom) {
  const Task task = MmluTask();
  const auto made =
      MakePrompt(task, task.items[0], {.style = PromptStyle::kCompletion, .shots = 1});
  EXPECT_EQ(std::get<std::string>(made->prompt),
            "The following are multiple choice questions (with answers) about high school physics."
            "\n\nEx?\nA. w\nB. x\nC. y\nD. z\nAnswer: C\n\nWhat?\nA. w\nB. x\nC. y\nD. z\nAnswer:");
  EXPECT_THAT(made->stop, ElementsAre("\n"));
}

TEST(PromptsTest, BareIsTheQuestionAlone) {
  const Task task = MmluTask();
  const auto messages = Chat(MakePrompt(task, task.items[0], {.style = PromptStyle::kBare}));
  EXPECT_THAT(messages, ElementsAre(ChatMessage{"user", "What?\nA. w\nB. x\nC. y\nD. z\nAnswer:"}));
}

TEST(PromptsTest, MbppShowsItsAssertsAndStopsAtItsMark) {
  Task task;
  task.prompts = PromptKind::kMbpp;
  TaskItem item;
  item.question = "Write f.";
  item.shown = {"assert f() == 1", "assert f() != 2"};
  item.solution = "def f(): return 1";
  task.items = task.examples = {item};
  const auto made =
      MakePrompt(task, task.items[0], {.style = PromptStyle::kCompletion, .shots = 1});
  const auto& text = std::get<std::string>(made->prompt);
  EXPECT_THAT(text, HasSubstr("[BEGIN]\ndef f(): return 1\n[DONE]\n\n"));
  EXPECT_TRUE(text.ends_with("tests:\n\nassert f() == 1\nassert f() != 2\n[BEGIN]\n"));
  EXPECT_THAT(made->stop, ElementsAre("[DONE]"));
  EXPECT_EQ(Chat(MakePrompt(task, task.items[0], {.shots = 1}))[1].content,
            "```python\ndef f(): return 1\n```");
}

TEST(PromptsTest, Gsm8kExamplesAreDrawnBySeedAndLoseTheirCalculator) {
  Task task;
  task.prompts = PromptKind::kGsm8k;
  task.items.resize(1);
  task.items[0].question = "q";
  for (int i = 0; i < 50; ++i) {
    TaskItem example;
    example.id = "gsm8k/" + std::to_string(i);
    example.question = "e" + std::to_string(i);
    example.solution = "4*2=<<4*2=8>>8\n#### 8";
    task.examples.push_back(example);
  }
  const auto of_seed = [&](uint64_t seed) {
    return Chat(MakePrompt(task, task.items[0], {.shots = 8, .seed = seed}));
  };
  EXPECT_EQ(of_seed(1), of_seed(1));
  EXPECT_NE(of_seed(1), of_seed(2));
  EXPECT_EQ(of_seed(1)[1].content, "4*2=8\n#### 8");
  EXPECT_EQ(of_seed(1).size(), 17u);
}

TEST(PromptsTest, AHumanEvalCompletionIsTheStubAndStopsAsCodexDid) {
  Task task;
  task.prompts = PromptKind::kHumanEval;
  task.items.resize(1);
  task.items[0].question = "def f():\n";
  const auto made = MakePrompt(task, task.items[0], {.style = PromptStyle::kCompletion});
  EXPECT_EQ(std::get<std::string>(made->prompt), "def f():\n");
  EXPECT_THAT(made->stop, ElementsAre("\nclass", "\ndef", "\n#", "\nif", "\nprint"));
}

}  // namespace
}  // namespace aio
