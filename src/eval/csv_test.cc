#include "eval/csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string_view>

namespace aio {
namespace {

using ::testing::ElementsAre;

TEST(CsvTest, ReadsQuotesCommasAndLineEndsWithinFields) {
  const auto rows =
      ParseCsv("plain,\"a, b\",\"say \"\"no\"\"\"\r\n\n\"two\nlines\",,x\nlast", "t.csv");
  ASSERT_TRUE(rows.ok()) << rows.status().ToString();
  ASSERT_EQ(rows->size(), 3u);
  EXPECT_THAT((*rows)[0].fields, ElementsAre("plain", "a, b", "say \"no\""));
  EXPECT_THAT((*rows)[1].fields, ElementsAre("two\nlines", "", "x"));
  EXPECT_THAT((*rows)[2].fields, ElementsAre("last"));
  EXPECT_EQ((*rows)[0].line, 1);
  EXPECT_EQ((*rows)[1].line, 3);
  EXPECT_EQ((*rows)[2].line, 5);
}

TEST(CsvTest, KeepsEmptyFieldsAtBothEnds) {
  const auto rows = ParseCsv(",a,\n\"\"\n", "t.csv");
  ASSERT_TRUE(rows.ok());
  ASSERT_EQ(rows->size(), 1u);  // a line with one empty field is blank
  EXPECT_THAT((*rows)[0].fields, ElementsAre("", "a", ""));
}

TEST(CsvTest, NamesTheLineOfAnOpenQuoteAndOfTextAfterOne) {
  EXPECT_EQ(ParseCsv("a\n\"open\nstill", "t.csv").status().message(),
            "t.csv: line 2: a quoted field that begins here does not end");
  EXPECT_EQ(ParseCsv("\"a\"b\n", "t.csv").status().message(),
            "t.csv: line 1: text after a closing quote; double quotes within a quoted field");
}

TEST(CsvTest, FindsColumnsByName) {
  constexpr std::array<std::string_view, 2> kNames = {"answer", "id"};
  const CsvRow header{.line = 1, .fields = {"id", "question", "answer"}};
  EXPECT_THAT(*FindColumns(header, kNames, "t.csv"), ElementsAre(2u, 0u));
  const CsvRow other{.line = 1, .fields = {"answer"}};
  EXPECT_EQ(FindColumns(other, kNames, "t.csv").status().message(),
            "t.csv: line 1: the header has no column 'id'");
}

}  // namespace
}  // namespace aio
