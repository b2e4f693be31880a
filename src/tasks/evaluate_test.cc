#include "tasks/evaluate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>

#include "backend/testing/fake_backend.h"

namespace aio {
namespace {

using ::testing::HasSubstr;

Task QaTask() {
  Task task;
  task.name = "qa";
  task.intent = "qa";
  for (const char* answer : {"one", "two", "three"}) {
    TaskItem item;
    item.id = answer;
    item.question = std::string("Say ") + answer;
    item.answers = {answer};
    task.items.push_back(item);
  }
  return task;
}

// Says what it is asked to, but the small model says "one" to everything.
class EvaluateTest : public ::testing::Test {
 protected:
  EvaluateTest() {
    for (const char* role : {"small", "large"}) {
      backend_.Update(role, [role](FakeModel& model) {
        model.info.fingerprint = std::string("of ") + role;
        model.answer = [role](const Request& request) {
          const std::string text = FakePromptText(request.prompt);
          FakeAnswer answer;
          answer.tokens = {"I say ",
                           std::string(role) == "small" ? "one" : text.substr(text.rfind(' ') + 1)};
          answer.timings = {.queue_ms = 1, .prompt_ms = 4, .predicted_ms = 20};
          answer.traffic = {.weight_bytes = 100, .kv_bytes = 10, .static_large_bytes = 200};
          return answer;
        };
      });
    }
    for (const char* name : {"small", "large"}) {
      configurations_.push_back(*StaticConfiguration(*ParseFixedArm(name), backend_));
    }
    tasks_ = {QaTask()};
  }
  ~EvaluateTest() override { std::filesystem::remove(path_); }

  Result<std::vector<RunRecord>> Run() {
    const auto items = PlanEvalItems(tasks_, extent_, {}, {});
    if (!items.ok()) return items.status();
    auto records = RecordFile::Open(path_);
    if (!records.ok()) return records.status();
    EvalTools tools;
    tools.grader = &grader_;
    tools.records = &*records;
    tools.clock = &clock_;
    tools.progress = [&](EvalProgress progress) { progress_ = progress; };
    return Evaluate(*items, configurations_, options_, tools);
  }
  size_t asked() const { return backend_.generations().size(); }

  FakeBackend backend_{{FakeModel::Named("small", "small"), FakeModel::Named("large", "large")}};
  std::vector<EvalConfiguration> configurations_;
  std::vector<Task> tasks_;
  EvalExtent extent_;
  EvalOptions options_;
  EvalProgress progress_;
  const Grader grader_{RunPython{}};
  const SystemClock clock_;
  const std::string path_ =
      (std::filesystem::path(::testing::TempDir()) / "aio_evaluate.jsonl").string();
};

TEST_F(EvaluateTest, AsksEveryConfigurationEveryItem) {
  const auto records = Run();
  ASSERT_TRUE(records.ok()) << records.status().ToString();
  ASSERT_EQ(records->size(), 6u);
  const RunRecord& small = (*records)[2];
  EXPECT_EQ(small.item, "two");
  EXPECT_EQ(small.configuration, "small");
  EXPECT_EQ(small.output, "I say one");
  EXPECT_FALSE(small.right);
  EXPECT_EQ(small.why, "holds none of: two");
  const RunRecord& large = (*records)[3];
  EXPECT_EQ(large.configuration, "large");
  EXPECT_TRUE(large.right);
  EXPECT_EQ(large.completion_tokens, 2);
  EXPECT_EQ(large.finish, "stop");
  EXPECT_EQ(large.graded_by, "text");
  EXPECT_EQ(large.weight_bytes, 100);
  EXPECT_EQ(large.static_large_bytes, 200);
  EXPECT_EQ(progress_.done, 6);
  EXPECT_EQ(progress_.resumed, 0);
  EXPECT_EQ(asked(), 8u);  // and each once to warm up
}

TEST_F(EvaluateTest, GoesOnWhereItWasKilled) {
  ASSERT_TRUE(Run().ok());
  std::string text;
  {
    std::ifstream in(path_);
    text.assign(std::istreambuf_iterator<char>(in), {});
  }
  // Four rows and the beginning of a fifth.
  size_t end = 0;
  for (int i = 0; i < 4; ++i) end = text.find('\n', end) + 1;
  std::ofstream(path_, std::ios::trunc) << text.substr(0, end + 100);
  const size_t before = asked();
  const auto records = Run();
  ASSERT_TRUE(records.ok()) << records.status().ToString();
  EXPECT_EQ(asked() - before, 4u);  // two of them to warm up
  EXPECT_EQ(progress_.resumed, 4);
  EXPECT_EQ((*records)[3].output, "I say two");
  // Whole again: nothing is asked at all.
  const size_t then = asked();
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(asked(), then);
  EXPECT_EQ(progress_.resumed, 6);
}

TEST_F(EvaluateTest, OtherWorkIsNotTakenForDone) {
  ASSERT_TRUE(Run().ok());
  const auto resumed = [&] {
    EXPECT_TRUE(Run().ok());
    return progress_.resumed;
  };
  options_.seed = 2;
  EXPECT_EQ(resumed(), 0);
  options_.seed = 1;
  EXPECT_EQ(resumed(), 6);
  configurations_[0].models = "another small model";
  EXPECT_EQ(resumed(), 3);
  tasks_[0].items[1].answers = {"deux"};  // mended: graded anew
  EXPECT_EQ(resumed(), 4);
  tasks_[0].items[0].question = "Say the word one";
  EXPECT_EQ(resumed(), 4);
  extent_.max_tokens = 7;
  EXPECT_EQ(resumed(), 0);
}

TEST_F(EvaluateTest, SamplesDifferBySeed) {
  options_.samples = 3;
  options_.temperature = 0.8F;
  const auto records = Run();
  ASSERT_EQ(records->size(), 18u);
  EXPECT_EQ((*records)[2].sample, 2);
  EXPECT_NE((*records)[2].seed, (*records)[1].seed);
  EXPECT_EQ((*records)[2].seed, (*records)[5].seed);  // of the other configuration
}

TEST_F(EvaluateTest, APromptThatAModelCannotTakeIsWrong) {
  backend_.Update("small", [](FakeModel& model) {
    model.generate_refusal = Status();
    model.info.context_length = 20;
  });
  extent_.max_tokens = 15;
  tasks_[0].items[0].question = "Say it again and again and again and once more and then say one";
  const auto records = Run();
  ASSERT_TRUE(records.ok()) << records.status().ToString();
  EXPECT_FALSE((*records)[0].right);
  EXPECT_THAT((*records)[0].why, HasSubstr("refused: "));
  EXPECT_EQ((*records)[0].finish, "");
  EXPECT_TRUE((*records)[1].right);
}

TEST_F(EvaluateTest, AnyOtherFaultEndsTheRunAndKeepsWhatWasDone) {
  options_.in_flight_max = 2;
  backend_.Update("large", [](FakeModel& model) {
    model.answer = [](const Request& request) {
      FakeAnswer answer;
      if (FakePromptText(request.prompt) == "Say two") answer.error = Internal("the engine broke");
      return answer;
    };
  });
  const Status status = Run().status();
  EXPECT_EQ(status.code(), StatusCode::kInternal);
  EXPECT_THAT(status.message(), HasSubstr("two of qa by large"));
  EXPECT_GE(RecordFile::Open(path_)->size(), 2u);
}

TEST_F(EvaluateTest, OnlyAnOracleIsToldTheIntent) {
  configurations_[1].told_intent = true;
  ASSERT_TRUE(Run().ok());
  for (const FakeCall& call : backend_.generations()) {
    if (call.request.id == "warm-up") continue;
    EXPECT_EQ(call.request.intent, call.request.model == "large" ? "qa" : "");
  }
}

TEST_F(EvaluateTest, ChoicesByLikelihoodTakeOneToken) {
  Task& task = tasks_[0];
  task.kind = AnswerKind::kChoice;
  for (TaskItem& item : task.items) {
    item.choices = {"x", "y"};
    item.answers = {"B"};
  }
  options_.by_likelihood = true;
  const auto records = Run();
  ASSERT_TRUE(records.ok());
  EXPECT_EQ((*records)[0].graded_by, "likelihood");
  EXPECT_EQ(backend_.generations().back().request.sampling.max_tokens, 1);
  EXPECT_EQ(backend_.generations().back().request.sampling.top_logprobs, kTopLogprobsMax);
}

TEST(RecordFileTest, RefusesAFileOfSomethingElse) {
  const std::string path =
      (std::filesystem::path(::testing::TempDir()) / "aio_no_records.jsonl").string();
  std::ofstream(path) << "{\"task\": \"mine\"}\n";
  EXPECT_THAT(RecordFile::Open(path).status().message(), HasSubstr("holds no record"));
  std::filesystem::remove(path);
  EXPECT_THAT(RecordFile::Open("/no/such/folder/r.jsonl").status().message(),
              HasSubstr("cannot be written"));
}

TEST(RunRecordTest, ComesBackAsItWasWritten) {
  RunRecord record;
  record.key = "k";
  record.seed = ~uint64_t{0};
  record.output = "a \"quoted\"\nline 北京";
  record.entropy = 0.25;
  record.depth = 0.5;
  record.weight_bytes = int64_t{1} << 40;
  record.right = true;
  const auto read = RunRecordFromJson(RunRecordToJson(record));
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_EQ(RunRecordToJson(*read), RunRecordToJson(record));
  EXPECT_EQ(read->seed, record.seed);
  EXPECT_EQ(read->output, record.output);
  EXPECT_THAT(RunRecordFromJson("{}").status().message(), HasSubstr("field 'key'"));
  EXPECT_FALSE(RunRecordFromJson("{").ok());
}

}  // namespace
}  // namespace aio
