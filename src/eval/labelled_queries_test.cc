#include "eval/labelled_queries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aio {
namespace {

using ::testing::HasSubstr;

TEST(LabelledQueriesTest, ReadsPromptsAndConversations) {
  const auto queries = ParseLabelledQueries(
      R"({"prompt": "What is 7 * 8?", "intent": "math", "extra": 1})"
      "\n\n"
      R"({"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]})",
      "q.jsonl");
  ASSERT_TRUE(queries.ok()) << queries.status().ToString();
  ASSERT_EQ(queries->size(), 2u);
  EXPECT_EQ((*queries)[0].messages[0].content, "What is 7 * 8?");
  EXPECT_EQ((*queries)[0].intent, "math");
  EXPECT_EQ((*queries)[1].line, 3);
  EXPECT_EQ((*queries)[1].messages[1].role, "user");
  EXPECT_EQ((*queries)[1].intent, "");
}

TEST(LabelledQueriesTest, NamesFileLineAndField) {
  const auto message = [](const char* text) {
    return ParseLabelledQueries(text, "q.jsonl").status().message();
  };
  EXPECT_EQ(message("{\"prompt\": \"a\"}\n{\"prompt\": 3}"),
            "q.jsonl: line 2: field 'prompt' must be a string");
  EXPECT_EQ(message("nonsense"), "q.jsonl: line 1: not a JSON object");
  EXPECT_EQ(message("{\"prompt\": \"a\", \"intent\": []}"),
            "q.jsonl: line 1: field 'intent' must be a string");
  EXPECT_THAT(message("{\"messages\": []}"), HasSubstr("'messages'"));
  EXPECT_THAT(message("{\"messages\": [{\"role\": \"user\"}]}"), HasSubstr("'content'"));
  EXPECT_EQ(message("\n \n"), "q.jsonl: holds no query");
  EXPECT_THAT(ReadLabelledQueries("/nowhere/q.jsonl").status().message(),
              HasSubstr("/nowhere/q.jsonl"));
  EXPECT_THAT(ReadLabelledQueries("/").status().message(), HasSubstr("/: is empty or cannot be"));
}

}  // namespace
}  // namespace aio
