#include "tasks/load_task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

namespace aio {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class LoadTaskTest : public ::testing::Test {
 protected:
  LoadTaskTest() : root_(fs::path(::testing::TempDir()) / "aio_load_task") {
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  ~LoadTaskTest() override { fs::remove_all(root_); }

  void Write(const std::string& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path, std::ios::binary) << text;
  }
  Result<Task> Load(const char* name, uint64_t seed = 1) {
    return LoadTask(name, root_.string(), seed);
  }

  const fs::path root_;
};

TEST_F(LoadTaskTest, HumanEval) {
  Write("humaneval/HumanEval.jsonl",
        R"({"task_id": "HumanEval/0", "prompt": "def f():\n", "entry_point": "f",)"
        R"( "canonical_solution": "    return 1\n", "test": "def check(candidate): pass"})");
  const auto task = Load("humaneval");
  ASSERT_TRUE(task.ok()) << task.status().ToString();
  EXPECT_EQ(task->intent, "code");
  EXPECT_EQ(task->kind, AnswerKind::kCode);
  const TaskItem& item = task->items.at(0);
  EXPECT_EQ(item.id, "HumanEval/0");
  EXPECT_EQ(item.code.stub, "def f():\n");
  EXPECT_EQ(item.code.entry_point, "f");
  EXPECT_EQ(item.solution, "    return 1\n");
}

TEST_F(LoadTaskTest, MbppHasItsTestSideAndItsPromptExamples) {
  std::string text;
  for (const int id : {1, 2, 3, 4, 11, 510, 511}) {
    text += "{\"task_id\": " + std::to_string(id) +
            ", \"text\": \"q\", \"code\": \"c\", \"test_list\": [\"assert a\", \"assert b\"], "
            "\"test_setup_code\": \"x = 1\"}\n";
  }
  Write("mbpp/mbpp.jsonl", text);
  const auto task = Load("mbpp");
  ASSERT_TRUE(task.ok()) << task.status().ToString();
  ASSERT_EQ(task->items.size(), 2u);
  EXPECT_EQ(task->items[1].id, "mbpp/510");
  EXPECT_EQ(task->items[0].code.test, "assert a\nassert b\n");
  EXPECT_EQ(task->items[0].code.setup, "x = 1");
  ASSERT_EQ(task->examples.size(), 3u);
  EXPECT_EQ(task->examples[0].id, "mbpp/2");
}

TEST_F(LoadTaskTest, Gsm8kHasTheNumberOfEachSolution) {
  Write("gsm8k/test.jsonl",
        R"({"question": "q", "answer": "It is <<6*200=1200>>1,200.\n#### 1,200"})");
  const auto task = Load("gsm8k");
  ASSERT_TRUE(task.ok()) << task.status().ToString();
  EXPECT_THAT(task->items.at(0).answers, ElementsAre("1200"));
  EXPECT_TRUE(task->examples.empty());  // no train file: zero-shot goes without
  Write("gsm8k/test.jsonl", "\n{\"question\": \"q\", \"answer\": \"no number\"}");
  EXPECT_THAT(Load("gsm8k").status().message(),
              HasSubstr("test.jsonl: line 2: field 'answer' must be"));
}

TEST_F(LoadTaskTest, ChoicesOfEachSubject) {
  Write("mmlu/test/anatomy_test.csv", "What?,1,2,3,4,C\n");
  Write("mmlu/dev/anatomy_dev.csv", "Ex?,1,2,3,4,A\n");
  const auto mmlu = Load("mmlu");
  ASSERT_TRUE(mmlu.ok()) << mmlu.status().ToString();
  EXPECT_EQ(mmlu->items.at(0).subject, "anatomy");
  EXPECT_EQ(mmlu->examples.at(0).subject, "anatomy");
  EXPECT_THAT(mmlu->items[0].choices, ElementsAre("1", "2", "3", "4"));
  EXPECT_THAT(mmlu->items[0].answers, ElementsAre("C"));
  Write("ceval/val/law_val.csv", "id,question,A,B,C,D,answer\n0,q,1,2,3,4,D\n");
  EXPECT_THAT(Load("ceval")->items.at(0).answers, ElementsAre("D"));
}

TEST_F(LoadTaskTest, GpqaHidesTheRightAnswerAmongTheOthers) {
  std::string text =
      "Incorrect Answer 1,Question,Correct Answer,Incorrect Answer 2,Incorrect Answer 3\n";
  for (int i = 0; i < 64; ++i) text += "b,q" + std::to_string(i) + ",right,a,c\n";
  Write("gpqa/gpqa_main.csv", text);
  Write("gpqa/gpqa_diamond.csv", "not read");
  const auto task = Load("gpqa");
  ASSERT_TRUE(task.ok()) << task.status().ToString();
  ASSERT_EQ(task->items.size(), 64u);
  std::set<std::string> letters;
  for (const TaskItem& item : task->items) {
    letters.insert(item.answers.at(0));
    EXPECT_EQ(item.choices.at(static_cast<size_t>(item.answers[0][0] - 'A')), "right");
  }
  EXPECT_EQ(letters.size(), 4u);
  EXPECT_EQ(Load("gpqa")->items[5].choices, task->items[5].choices);
  bool differs = false;
  const auto other = Load("gpqa", 2);
  for (size_t i = 0; i < 64; ++i) differs |= other->items[i].choices != task->items[i].choices;
  EXPECT_TRUE(differs);
}

TEST_F(LoadTaskTest, FaultsNameFileRowAndField) {
  EXPECT_THAT(Load("humaneval").status().message(), HasSubstr("no humaneval/HumanEval.jsonl"));
  EXPECT_THAT(Load("chess").status().message(), HasSubstr("there are humaneval, mbpp"));
  Write("humaneval/HumanEval.jsonl", "{\"task_id\": \"a\", \"prompt\": \"p\"}\n");
  EXPECT_THAT(Load("humaneval").status().message(),
              HasSubstr("HumanEval.jsonl: line 1: field 'canonical_solution'"));
  Write("humaneval/HumanEval.jsonl", "[1]\n");
  EXPECT_THAT(Load("humaneval").status().message(), HasSubstr("line 1: not a JSON object"));
  Write("mbpp/mbpp.jsonl", R"({"task_id": 11, "text": "q", "code": "c", "test_list": []})");
  EXPECT_THAT(Load("mbpp").status().message(), HasSubstr("line 1: field 'test_list'"));
  Write("mmlu/test/a_test.csv", "q,1,2,3,4,E\n");
  EXPECT_THAT(Load("mmlu").status().message(), HasSubstr("a_test.csv: line 1: the answer"));
  Write("mmlu/test/a_test.csv", "q,1,2\n");
  EXPECT_THAT(Load("mmlu").status().message(), HasSubstr("3 columns, at least 6"));
  Write("gpqa/gpqa_main.csv", "Question,Correct Answer\n");
  EXPECT_THAT(Load("gpqa").status().message(), HasSubstr("no column 'Incorrect Answer 1'"));
}

TEST(ParseSuiteTest, ReadsEveryKind) {
  const auto tasks = ParseSuite(
      R"({"task": "pocket-code", "id": "c", "prompt": "Go on:\ndef f(x):\n", "entry_point": "f", "test": "def check(candidate): pass"}
{"task": "pocket-math", "id": "m", "prompt": "p", "answer": "1,200 eggs"}

{"task": "pocket-qa", "id": "q", "prompt": "p", "answers": ["Fenn", "the Fenn"], "exact": true}
{"task": "pocket-qa", "id": "r", "prompt": "p", "answers": ["Elsby"]}
{"task": "which", "id": "w", "prompt": "p", "choices": ["x", "y"], "answer": "B", "intent": "math"}
)",
      "suite");
  ASSERT_TRUE(tasks.ok()) << tasks.status().ToString();
  ASSERT_EQ(tasks->size(), 4u);
  EXPECT_EQ((*tasks)[0].kind, AnswerKind::kCode);
  EXPECT_EQ((*tasks)[0].items[0].code.stub, "def f(x):\n");
  EXPECT_EQ((*tasks)[1].intent, "math");
  EXPECT_THAT((*tasks)[1].items[0].answers, ElementsAre("1200"));
  EXPECT_EQ((*tasks)[2].items.size(), 2u);
  EXPECT_TRUE((*tasks)[2].items[0].exact);
  EXPECT_FALSE((*tasks)[2].items[1].exact);
  EXPECT_EQ((*tasks)[3].intent, "math");
}

TEST(ParseSuiteTest, ItemsInLongPromptsAreATaskOfTheirOwn) {
  const auto tasks = ParseSuite(
      R"({"task": "t", "id": "a", "prompt": "p", "answer": "1"}
{"task": "t", "id": "b", "context": 0, "prompt": "p", "answer": "1"}
{"task": "t", "id": "a", "context": 3200, "prompt": "p ...", "answer": "1"}
)",
      "suite");
  ASSERT_TRUE(tasks.ok()) << tasks.status().ToString();
  ASSERT_EQ(tasks->size(), 2u);
  EXPECT_EQ((*tasks)[0].items.size(), 2u);
  EXPECT_EQ((*tasks)[1].name, "t@3200");
}

TEST(ParseSuiteTest, FaultsNameLineAndField) {
  const auto fault = [](const std::string& line) {
    return ParseSuite(
               "{\"task\": \"t\", \"id\": \"0\", \"prompt\": \"p\", \"answer\": \"1\"}\n" + line,
               "suite")
        .status()
        .message();
  };
  EXPECT_THAT(fault("{"), HasSubstr("suite: line 2: not a JSON object"));
  EXPECT_THAT(fault(R"({"task": "t", "id": "1", "prompt": "p"})"),
              HasSubstr("line 2: field 'test'"));
  EXPECT_THAT(fault(R"({"task": "t", "id": "0", "prompt": "p", "answer": "2"})"),
              HasSubstr("line 2: field 'id'"));
  EXPECT_THAT(fault(R"({"task": "t", "id": "1", "answer": "2"})"), HasSubstr("field 'prompt'"));
  EXPECT_THAT(fault(R"({"task": "t", "id": "1", "prompt": "p", "answer": "2", "context": -1})"),
              HasSubstr("field 'context'"));
  EXPECT_THAT(fault(R"({"task": "t", "id": "1", "prompt": "p", "answer": "two"})"),
              HasSubstr("field 'answer'"));
  EXPECT_THAT(fault(R"({"task": "t", "id": "1", "prompt": "p", "answers": ["x"]})"),
              HasSubstr("'t' began as number, math"));
  EXPECT_THAT(fault(R"({"task": "u", "id": "1", "prompt": "p", "answers": [""]})"),
              HasSubstr("field 'answers'"));
  EXPECT_THAT(
      fault(R"({"task": "u", "id": "1", "prompt": "p", "entry_point": "a b", "test": "x"})"),
      HasSubstr("field 'entry_point'"));
  EXPECT_THAT(
      fault(R"({"task": "u", "id": "1", "prompt": "p", "choices": ["a", "b"], "answer": "C"})"),
      HasSubstr("field 'answer'"));
  EXPECT_THAT(ParseSuite("\n", "suite").status().message(), HasSubstr("holds no item"));
}

}  // namespace
}  // namespace aio
