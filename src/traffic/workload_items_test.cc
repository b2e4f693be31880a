#include "traffic/workload_items.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace aio {
namespace {

using testing::HasSubstr;

std::string FaultOf(const std::string& text) {
  const auto items = ParseWorkloadItems(text, "s.jsonl");
  return items.ok() ? "none" : items.status().message();
}

TEST(WorkloadItems, ReadsItems) {
  const std::string line =
      R"({"task": "pocket-code", "context": 2000, "id": 7, "prompt": "p", "tests": [1], "max_tokens": 30})";
  const auto items = ParseWorkloadItems(
      line + "\n\n" + R"({"workload": "arithmetic", "prompt": "2 + 2?"})", "s.jsonl");
  ASSERT_TRUE(items.ok()) << items.status().ToString();
  ASSERT_EQ(items->size(), 2u);
  const WorkloadItem& code = (*items)[0];
  EXPECT_EQ(code.task, "pocket-code");
  EXPECT_EQ(code.id, "7");
  EXPECT_EQ(code.intent, "code");
  EXPECT_EQ(code.context, 2000);
  EXPECT_EQ(code.max_tokens, 30);
  EXPECT_EQ(code.line, line);  // for the grader
  const WorkloadItem& sum = (*items)[1];
  EXPECT_EQ(sum.id, "3");  // its line
  EXPECT_EQ(sum.intent, "math");
  EXPECT_EQ(sum.context, 0);
}

TEST(WorkloadItems, KnowsWhatTasksAreAbout) {
  EXPECT_EQ(IntentOfTask("pocket-qa"), "qa");
  EXPECT_EQ(IntentOfTask("gsm8k"), "math");
  EXPECT_EQ(IntentOfTask("humaneval"), "code");
  EXPECT_EQ(IntentOfTask("poetry"), "");
}

TEST(WorkloadItems, FaultsNameFileLineAndField) {
  EXPECT_THAT(FaultOf("{\"task\": \"a\", \"prompt\": \"p\"}\n{\"task\": \"a\"}"),
              HasSubstr("s.jsonl: line 2: field 'prompt'"));
  EXPECT_THAT(FaultOf("{\"prompt\": \"p\"}"), HasSubstr("field 'task'"));
  EXPECT_THAT(FaultOf("{\"task\": \"a\", \"prompt\": \"p\", \"context\": -1}"),
              HasSubstr("field 'context'"));
  EXPECT_THAT(FaultOf("{\"task\": \"a\", \"prompt\": \"p\", \"id\": []}"), HasSubstr("field 'id'"));
  EXPECT_THAT(FaultOf("[]"), HasSubstr("line 1: not a JSON object"));
  EXPECT_THAT(FaultOf(" \n"), HasSubstr("holds no prompt"));
}

}  // namespace
}  // namespace aio
