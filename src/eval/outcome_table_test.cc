#include "eval/outcome_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aio {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string ErrorOf(const std::string& text, const std::string& source,
                    const OutcomeColumns& columns = {}) {
  const auto table = ParseOutcomeTable(text, source, columns);
  return table.ok() ? "no error" : table.status().message();
}

TEST(OutcomeTableTest, ReadsCsvAsRouteLlmHasIt) {
  const auto table = ParseOutcomeTable(
      "prompt,mixtral,gpt-4\n\"What?\nA. \"\"x\"\", y\",True,False\nOther,False,True\n", "t.csv",
      {});
  ASSERT_TRUE(table.ok()) << table.status().ToString();
  EXPECT_EQ(table->small, "mixtral");
  EXPECT_EQ(table->large, "gpt-4");
  ASSERT_EQ(table->queries.size(), 2u);
  EXPECT_EQ(table->queries[0].prompt, "What?\nA. \"x\", y");
  EXPECT_EQ(table->queries[0].small, 1);
  EXPECT_EQ(table->queries[0].large, 0);
}

TEST(OutcomeTableTest, ColumnsCanBeNamed) {
  const auto table = ParseOutcomeTable("id,big,prompt,little\n1,1,a,0.25\n", "t.csv",
                                       {.small = "little", .large = "big"});
  ASSERT_TRUE(table.ok()) << table.status().ToString();
  EXPECT_EQ(table->queries[0].small, 0.25);
  EXPECT_EQ(table->queries[0].large, 1);
}

TEST(OutcomeTableTest, ReadsJsonLines) {
  const auto table = ParseOutcomeTable(
      "{\"prompt\": \"a\", \"small\": true, \"large\": 0.5}\n\n"
      "{\"prompt\": \"b\", \"small\": 0, \"large\": 1, \"more\": []}\n",
      "t.jsonl", {});
  ASSERT_TRUE(table.ok()) << table.status().ToString();
  ASSERT_EQ(table->queries.size(), 2u);
  EXPECT_EQ(table->queries[0].large, 0.5);
}

TEST(OutcomeTableTest, CountsAndShowsWhatItLeavesOut) {
  const auto table =
      ParseOutcomeTable("prompt,s,l\na,1,1\nb,0,1\na,1,1\nb,1,1\nc,0,0\n", "t.csv", {});
  ASSERT_TRUE(table.ok()) << table.status().ToString();
  EXPECT_EQ(table->rows, 5);
  ASSERT_EQ(table->queries.size(), 2u);
  EXPECT_EQ(table->queries[1].prompt, "c");
  EXPECT_EQ(table->duplicates, 1);
  EXPECT_EQ(table->contradictions, 2) << "neither of the two can be trusted";
  EXPECT_THAT(table->skipped, ElementsAre("t.csv: line 3: contradicts t.csv: line 3",
                                          "t.csv: line 4: repeats t.csv: line 2",
                                          "t.csv: line 5: contradicts t.csv: line 3"));
}

TEST(OutcomeTableTest, FaultsNameFileLineAndColumn) {
  EXPECT_EQ(ErrorOf("prompt,s,l\na,1,2\n", "t.csv"),
            "t.csv: line 2: l: '2' is no outcome; give true, false or a number from 0 to 1");
  EXPECT_THAT(ErrorOf("prompt,s,l\na,maybe,1\n", "t.csv"), HasSubstr("line 2: s: 'maybe'"));
  EXPECT_THAT(ErrorOf("prompt,s,l\na,nan,1\n", "t.csv"), HasSubstr("line 2: s: 'nan'"));
  EXPECT_THAT(ErrorOf("prompt,s,l\na,1\n", "t.csv"), HasSubstr("line 2: has 2 fields"));
  EXPECT_THAT(ErrorOf("prompt,s\na,1\n", "t.csv"), HasSubstr("no columns for a small and a large"));
  EXPECT_THAT(ErrorOf("question,s,l\na,1,1\n", "t.csv"), HasSubstr("no column 'prompt'"));
  EXPECT_THAT(ErrorOf("prompt,s,l\na,1,1\n", "t.csv", {.small = "tiny", .large = "l"}),
              HasSubstr("no column 'tiny'; there are prompt, s, l"));
  EXPECT_THAT(ErrorOf("prompt,s,l\n", "t.csv"), HasSubstr("holds no query"));
  EXPECT_THAT(ErrorOf("", "t.csv"), HasSubstr("t.csv: is empty"));
  EXPECT_THAT(ErrorOf("{\"prompt\": \"a\", \"small\": 1}", "t.jsonl"),
              HasSubstr("line 1: no member 'large'"));
  EXPECT_THAT(ErrorOf("\n[]", "t.jsonl"), HasSubstr("line 2: not a JSON object"));
  EXPECT_THAT(ErrorOf("{\"prompt\": \"a\", \"small\": \"yes\", \"large\": 1}", "t.jsonl"),
              HasSubstr("small: '\"yes\"' is no outcome"));
  EXPECT_THAT(ReadOutcomeTable("/nowhere.csv", {}).status().message(), HasSubstr("/nowhere.csv"));
}

}  // namespace
}  // namespace aio
