#include "paper/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace aio {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

Reproduction Compute(std::optional<MeasuredTables> measured = std::nullopt) {
  auto tables = EmbeddedPaperTables();
  EXPECT_TRUE(tables.ok()) << tables.status().ToString();
  return Reproduce(*std::move(tables), std::move(measured));
}

TEST(ReportTest, ShowsCellsWithTheirVerdict) {
  const std::string text = ReportText(MakeReport(Compute()));
  EXPECT_THAT(text, ContainsRegex("A, aio +accuracy +Table 3's aio +70.85 +71.055 +\\+0.205 "
                                  "+0.010 +NO\n"));
  EXPECT_THAT(text, ContainsRegex("A, static-small +accuracy .*67.41 +67.408 .*yes\n"));
  EXPECT_THAT(text, ContainsRegex("without-entropy-fallback +accuracy .*66.30. to 71"));
  EXPECT_THAT(text, HasSubstr("ceval 1.57, mmlu 2.11"));
  EXPECT_THAT(text, Not(HasSubstr("-0.000")));
  EXPECT_THAT(text, Not(HasSubstr("nan")));
  EXPECT_THAT(text, Not(HasSubstr("Measured here")));
}

TEST(ReportTest, TheSummaryCountsACellOnce) {
  // Table 4 has 24 cells less the two that were solved for; the six of A-IO do not follow.
  EXPECT_THAT(ReportText(MakeReport(Compute())), ContainsRegex("Table 4 +22 +16 +6\n"));
}

TEST(ReportTest, MarkdownTablesAreAsWideAsTheirHeaders) {
  const std::string text = ReportMarkdown(MakeReport(Compute()));
  EXPECT_THAT(text, HasSubstr("## Table 4: mixed workloads\n"));
  EXPECT_THAT(text, HasSubstr("| cell | figure | from | published | recomputed |"));
  EXPECT_THAT(text, HasSubstr("| --- | --- | --- | ---: |"));
  size_t columns = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    const auto bars = static_cast<size_t>(std::count(line.begin(), line.end(), '|'));
    EXPECT_TRUE(columns == 0 || bars == 0 || bars == columns) << line;
    columns = bars;
  }
}

TEST(ReportTest, MarkdownEscapesWhatWouldBeMarkup) {
  const Report report = {{"t", {ReportTable{{"a"}, 1, {{"x|y*z_"}}}}}};
  EXPECT_THAT(ReportMarkdown(report), HasSubstr("| x\\|y\\*z\\_ |"));
}

TEST(ReportTest, TextWrapsParagraphsAndAlignsNumbers) {
  const Report report = {
      {"t",
       {std::string("one two three"),
        ReportTable{{"name", "n"}, 1, {{"a", "10"}, {"long name", "5"}, {"b"}}}}}};
  EXPECT_EQ(ReportText(report, 7),
            "t\n-\none two\nthree\n\nname        n\na          10\nlong name   5\nb\n");
}

TEST(ReportTest, MeasuredFiguresStandBeside) {
  auto measured = ParseMeasuredTables(R"({
      "title": "pocket pair", "stands_for": {"pocket-code": "humaneval"},
      "accuracy_tps": {"columns": ["pocket-code", "extra"],
          "rows": {"static-small": {"acc": [81.5, 4], "tps": [900, 800]},
                   "static-large": {"acc": [82, 5], "tps": [300, 200]}}},
      "scenarios": {"A": {"aio": [80, 500], "static-large": [79, 250]}},
      "ablations": {"full": [80, 500], "without-context-rule": [70, 550]},
      "overhead": {"probe_prefill_ms": 0.4}})",
                                      "m.json");
  ASSERT_TRUE(measured.ok()) << measured.status().ToString();
  const std::string text = ReportText(MakeReport(Compute(*measured)));
  EXPECT_THAT(text, HasSubstr("From m.json: pocket pair."));
  EXPECT_THAT(text,
              ContainsRegex("humaneval, static-small +67.68 +81.50 +21.18 +900.00 +1.27 +3.00\n"));
  EXPECT_THAT(text, HasSubstr("humaneval, random "));  // the paper's rows of a task measured
  EXPECT_THAT(text, Not(HasSubstr("\nmmlu, static-small ")));  // and of no other
  EXPECT_THAT(text, ContainsRegex("extra, static-small +- +4.00 +- +800.00 +- +4.00\n"));
  EXPECT_THAT(text, ContainsRegex("A, aio +70.85 +80.00 +19.80 +500.00 +1.18 +2.00\n"));
  EXPECT_THAT(text, ContainsRegex("without-context-rule +- +70.00 +- +550.00 +- +1.10\n"));
  EXPECT_THAT(text, ContainsRegex("probe_prefill_ms +11.8 +0.4\n"));
}

TEST(ReportTest, JsonHoldsEveryCell) {
  const Reproduction reproduction = Compute();
  const auto json = nlohmann::json::parse(ReproductionJson(reproduction));
  EXPECT_EQ(json["cells"].size(), reproduction.AllComparisons().size());
  EXPECT_NEAR(json["mixes"]["long_context_tps"]["static-large"]["value"].get<double>(), 5.22, 1e-9);
  EXPECT_TRUE(json["steps"]["bandwidth_free"]["tb_per_s"].is_null());
  EXPECT_EQ(json["published"]["scenarios"]["C"]["aio"][1], 13.40);
}

}  // namespace
}  // namespace aio
