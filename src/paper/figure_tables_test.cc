#include "paper/figure_tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aio {
namespace {

using ::testing::HasSubstr;

std::string Fault(std::string_view text) {
  const auto tables = ParseMeasuredTables(text, "m.json");
  return tables.ok() ? "read without fault" : tables.status().message();
}

TEST(MeasuredTablesTest, ReadsWhatIsThereAndKnowsWhatIsNot) {
  const auto tables = ParseMeasuredTables(R"({
      "title": "pocket pair", "stands_for": {"pocket-code": "humaneval"},
      "accuracy_tps": {"columns": ["pocket-code", "mmlu"],
                       "rows": {"static-small": {"acc": [81.5, null], "tps": [900, 800]}}},
      "scenarios": {"A": {"aio": [80, null]}},
      "overhead": {"probe_prefill_ms": 0.4}})",
                                          "m.json");
  ASSERT_TRUE(tables.ok()) << tables.status().ToString();
  EXPECT_EQ(tables->FindForPaperTask("static-small", "humaneval")->accuracy, 81.5);
  EXPECT_EQ(tables->FindForPaperTask("static-small", "mmlu")->accuracy, std::nullopt);
  EXPECT_EQ(tables->FindForPaperTask("static-small", "mmlu")->tps, 800);
  EXPECT_EQ(tables->FindForPaperTask("static-small", "gpqa"), nullptr);
  EXPECT_EQ(tables->FindForPaperTask("static-large", "mmlu"), nullptr);
  EXPECT_EQ(FindNamed(*FindNamed(tables->figures.scenarios, "A"), "aio")->tps, std::nullopt);
  EXPECT_EQ(*FindNamed(tables->figures.overhead, "probe_prefill_ms"), 0.4);
}

TEST(MeasuredTablesTest, FaultsNameTheField) {
  EXPECT_THAT(Fault("{}"), HasSubstr("m.json: holds none of 'accuracy_tps'"));
  EXPECT_THAT(Fault(R"({"scenario": {}})"),
              HasSubstr("'scenario': is not known here; the fields are"));
  EXPECT_THAT(Fault(R"({"scenarios": {"A": {"aio": [80]}}})"),
              HasSubstr("'scenarios.A.aio': must be a list of 2"));
  EXPECT_THAT(Fault(R"({"scenarios": {"A": {"aio": [80, 0]}}})"),
              HasSubstr("'scenarios.A.aio[1]': must be a number from 1e-06"));
  EXPECT_THAT(Fault(R"({"scenarios": [1]})"), HasSubstr("'scenarios': must be an object"));
  EXPECT_THAT(Fault(R"({"overhead": {"a": null}})"),
              HasSubstr("'overhead.a': must be a number from 0"));
  EXPECT_THAT(Fault(R"({"accuracy_tps": {"columns": ["a"], "rows": {"x": {"acc": [1]}}}})"),
              HasSubstr("'accuracy_tps.rows.x.tps': is missing"));
}

}  // namespace
}  // namespace aio
