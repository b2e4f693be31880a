#include "eval/query_set.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace aio {
namespace {

using ::testing::HasSubstr;

const std::vector<std::string> kLabels = {"code", "math"};

DataSet Set(std::string name, DataSide side,
            std::vector<std::pair<std::string, std::string>> rows) {
  DataSet set;
  set.name = name;
  set.side = side;
  set.paths = {name + ".jsonl"};
  for (const auto& [text, intent] : rows) {
    LabelledQuery query;
    query.line = static_cast<int>(set.queries.size()) + 1;
    query.messages = {{"user", text}};
    query.intent = intent;
    set.queries.push_back(query);
  }
  return set;
}

// `count` queries of each label, called so.
DataSet Many(std::string name, DataSide side, int count) {
  std::vector<std::pair<std::string, std::string>> rows;
  for (int i = 0; i < count; ++i) {
    for (const std::string& label : kLabels) {
      rows.emplace_back(fmt::format("{} {} {}", name, label, i), label);
    }
  }
  return Set(std::move(name), side, std::move(rows));
}

std::map<std::string, Split> SplitsByText(const QuerySet& set) {
  std::map<std::string, Split> splits;
  for (const CalibrationQuery& query : set.queries) splits[query.messages[0].content] = query.split;
  return splits;
}

TEST(QuerySetTest, SplitsByAHashOfTheTextWhateverStandsAround) {
  QuerySetOptions options;
  const auto all = BuildQuerySet({Many("a", DataSide::kNone, 500)}, kLabels, options);
  ASSERT_TRUE(all.ok()) << all.status().ToString();
  EXPECT_NEAR(all->Count(Split::kFit, "code"), 200, 40);
  EXPECT_NEAR(all->Count(Split::kTune, "code"), 100, 30);
  EXPECT_NEAR(all->Count(Split::kHeldOut, "code"), 200, 40);

  const auto more = BuildQuerySet(
      {Many("b", DataSide::kNone, 100), Many("a", DataSide::kNone, 500)}, kLabels, options);
  const auto splits = SplitsByText(*more);
  for (const auto& [text, split] : SplitsByText(*all)) EXPECT_EQ(splits.at(text), split) << text;

  options.salt = "other";
  const auto other = BuildQuerySet({Many("a", DataSide::kNone, 500)}, kLabels, options);
  EXPECT_NE(SplitsByText(*other), SplitsByText(*all));
}

TEST(QuerySetTest, TestSidesAreOnlyMeasuredOn) {
  const auto set = BuildQuerySet(
      {Many("train", DataSide::kTrain, 60), Many("test", DataSide::kTest, 40)}, kLabels, {});
  ASSERT_TRUE(set.ok()) << set.status().ToString();
  EXPECT_EQ(set->Count(Split::kHeldOut, "code"), 40);
  EXPECT_EQ(set->Count(Split::kFit, "code") + set->Count(Split::kTune, "code"), 60);
  for (const CalibrationQuery& query : set->queries) {
    EXPECT_EQ(query.split == Split::kHeldOut, query.data_set == 1);
  }
  EXPECT_EQ(set->data_sets[1].used[2], 80);
}

TEST(QuerySetTest, ALabelWithoutATrainSideIsSplitByHash) {
  DataSet only_code = Set("train", DataSide::kTrain, {});
  for (int i = 0; i < 50; ++i) {
    only_code.queries.push_back(
        {.line = i + 1, .messages = {{"user", fmt::format("train code {}", i)}}, .intent = "code"});
  }
  const auto set = BuildQuerySet({only_code, Many("test", DataSide::kTest, 200)}, kLabels, {});
  ASSERT_TRUE(set.ok()) << set.status().ToString();
  EXPECT_EQ(set->Count(Split::kHeldOut, "code"), 200);
  EXPECT_GT(set->Count(Split::kFit, "math"), 50);
  EXPECT_GT(set->Count(Split::kHeldOut, "math"), 50);
}

TEST(QuerySetTest, CountsAndNamesRowsThatCannotBeTrusted) {
  DataSet bad = Set("bad", DataSide::kNone,
                    {{"same", "code"},
                     {"same", "code"},
                     {"torn", "code"},
                     {"torn", "math"},
                     {"torn", "code"},
                     {"what", ""},
                     {"poem", "verse"}});
  bad.unreadable.push_back({9, "not a JSON object"});
  const auto set = BuildQuerySet({bad, Many("a", DataSide::kNone, 50)}, kLabels, {});
  ASSERT_TRUE(set.ok()) << set.status().ToString();
  EXPECT_EQ(set->CountSkipped(RowFault::kDuplicate), 2);  // "torn" with "code" again, too
  EXPECT_EQ(set->CountSkipped(RowFault::kContradiction), 2);
  EXPECT_EQ(set->CountSkipped(RowFault::kUnlabelled), 1);
  EXPECT_EQ(set->CountSkipped(RowFault::kUnknownLabel), 1);
  EXPECT_EQ(set->CountSkipped(RowFault::kUnreadable), 1);
  const auto texts = SplitsByText(*set);
  EXPECT_EQ(texts.count("same"), 1u);
  EXPECT_EQ(texts.count("torn"), 0u);
  for (const SkippedRow& row : set->skipped) {
    EXPECT_EQ(row.file, "bad.jsonl");
    if (row.fault == RowFault::kDuplicate && row.line == 2) {
      EXPECT_EQ(row.detail, "the same text as bad.jsonl: line 1");
    }
    if (row.fault == RowFault::kUnknownLabel) {
      EXPECT_THAT(row.detail, HasSubstr("code, math"));
    }
  }
}

TEST(QuerySetTest, ATextOfATrainSideIsNeverHeldOut) {
  DataSet test = Many("test", DataSide::kTest, 30);
  DataSet train = Many("train", DataSide::kTrain, 30);
  test.queries.push_back(train.queries.front());
  const auto set = BuildQuerySet({train, test}, kLabels, {});
  ASSERT_TRUE(set.ok());
  EXPECT_EQ(set->CountSkipped(RowFault::kDuplicate), 1);
  EXPECT_NE(SplitsByText(*set).at("train code 0"), Split::kHeldOut);
}

TEST(QuerySetTest, PerLabelKeepsTheSameQueriesInAnyOrder) {
  QuerySetOptions options;
  options.per_label_max = 10;
  DataSet data = Many("a", DataSide::kNone, 200);
  const auto set = BuildQuerySet({data}, kLabels, options);
  ASSERT_TRUE(set.ok());
  for (const std::string& label : kLabels) {
    for (const Split split : kSplits) EXPECT_EQ(set->Count(split, label), 10);
  }
  std::reverse(data.queries.begin(), data.queries.end());
  EXPECT_EQ(SplitsByText(*BuildQuerySet({data}, kLabels, options)), SplitsByText(*set));
}

TEST(QuerySetTest, ALabelWithNothingToMeasureOnIsRefused) {
  const auto set = BuildQuerySet({Set("a", DataSide::kNone, {{"x", "code"}})}, kLabels, {});
  EXPECT_THAT(set.status().message(), HasSubstr("no query with intent 'code' is left"));
}

TEST(QuerySetTest, HashesTellRolesAndBordersOfMessagesApart) {
  const std::string hash = HashMessages({{"user", "ab"}});
  EXPECT_NE(hash, HashMessages({{"system", "ab"}}));
  EXPECT_NE(hash, HashMessages({{"user", "a"}, {"user", "b"}}));
  EXPECT_EQ(hash, HashMessages({{"user", "ab"}}));
}

}  // namespace
}  // namespace aio
