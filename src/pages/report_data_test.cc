#include "pages/report_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace aio {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

constexpr const char* kMixed = R"({"command": "aio bench mixed --json", "workloads": [{
  "workload": "scenario A", "note": "", "arrivals": "one at a time", "repeat": 3, "seed": 1,
  "tasks": {"pocket-code": 7}, "configurations": [
    {"configuration": "large", "group": "static", "bytes_per_512_tokens": 2.4e10,
     "over_large": {"harmonic_mean": {"value": 1.0}},
     "accuracy": {"percent": 90.0, "interval": [80.5, 95.25]},
     "load": {"tokens_per_second": {"arithmetic_mean": 100.04, "harmonic_mean": 90.5},
              "first_token_ms": {"p50": 12.25, "p99": 30}}}]}]})";

TEST(ReportDataTest, KeepsPartsWithWhereTheyComeFrom) {
  ReportOptions options;
  options.title = "T";
  options.date = "2026-11-29";
  options.environment = {{"cpu", "a processor"}};
  const auto json = ReportJson({{"mixed", "m.json", kMixed}}, options);
  ASSERT_TRUE(json.ok()) << json.status().ToString();
  const Json report = Json::parse(*json);
  EXPECT_EQ(report["environment"]["cpu"], "a processor");
  EXPECT_EQ(report["parts"][0]["path"], "m.json");
  EXPECT_EQ(report["parts"][0]["command"], "aio bench mixed --json");
  EXPECT_EQ(report["parts"][0]["sha256"].get<std::string>().size(), 64u);
  EXPECT_EQ(report["mixed"]["workloads"][0]["workload"], "scenario A");
  EXPECT_FALSE(report.contains("timeline"));
}

TEST(ReportDataTest, NamesFileKeyAndCommandOfWhatIsNone) {
  const auto fault = [](const char* kind, const char* text) {
    return ReportJson({{kind, "x.json", text}}, {}).status().message();
  };
  EXPECT_THAT(fault("mixed", "[1]"), AllOf(HasSubstr("x.json"), HasSubstr("aio bench mixed")));
  EXPECT_THAT(fault("mixed", "{"), HasSubstr("not a JSON object"));
  EXPECT_THAT(fault("eval", "{\"models\": []}"),
              AllOf(HasSubstr("\"figures\""), HasSubstr("aio eval --json")));
  constexpr const char* kPaper = "{\"cells\": []}";
  EXPECT_THAT(ReportJson({{"paper", "a", kPaper}, {"paper", "b", kPaper}}, {}).status().message(),
              HasSubstr("b: a second file"));
  EXPECT_THAT(ReportJson({{"mixed", "a", kMixed}, {"mixed", "b", "{\"workloads\": 1}"}}, {})
                  .status()
                  .message(),
              HasSubstr("b: \"workloads\""));
}

TEST(ReportDataTest, SeveralFilesOfWorkloadsAreShownTogether) {
  const auto json = ReportJson({{"mixed", "a", kMixed}, {"mixed", "b", kMixed}}, {});
  ASSERT_TRUE(json.ok()) << json.status().ToString();
  const Json report = Json::parse(*json);
  EXPECT_EQ(report["mixed"]["workloads"].size(), 2u);
  EXPECT_EQ(report["parts"].size(), 2u);
}

TEST(ReportDataTest, TheTimelineIsOfOneConfigurationAndFromItsFirstRequest) {
  ReportOptions options;
  options.records_path = "r.jsonl";
  options.records =
      "{\"configuration\": \"large\", \"id\": \"1\", \"intended_ms\": 5, \"end_ms\": 9}\n"
      "torn {\n"
      "{\"configuration\": \"auto\", \"id\": \"2\", \"entropy\": 0.1, \"role\": \"small\", "
      "\"task\": \"t\", \"intended_ms\": 1000, \"first_token_ms\": 1500, \"end_ms\": 3000}\n"
      "{\"configuration\": \"auto\", \"error\": \"full\", \"end_ms\": 4000}\n"
      "{\"configuration\": \"auto\", \"id\": \"4\", \"intended_ms\": 2000, \"end_ms\": 4000}";
  const Json report = Json::parse(*ReportJson({}, options));
  const Json& timeline = report["timeline"];
  EXPECT_EQ(timeline["configuration"], "auto");
  ASSERT_EQ(timeline["requests"].size(), 2u);
  EXPECT_EQ(timeline["requests"][0]["first"], 0.5);
  EXPECT_EQ(timeline["requests"][1]["start"], 1.0);
  options.timeline_of = "nobody";
  EXPECT_THAT(ReportJson({}, options).status().message(),
              AllOf(HasSubstr("r.jsonl"), HasSubstr("nobody")));
}

TEST(ReportDataTest, NoStringOfTheDataEndsThePagesScript) {
  ReportOptions options;
  options.title = "</script><script>alert(1)</script>";
  const std::string page = ReportPage(*ReportJson({}, options));
  EXPECT_THAT(page, HasSubstr("\\u003c/script>\\u003cscript>alert(1)"));
  EXPECT_THAT(page, Not(HasSubstr("<script>alert(1)")));
  EXPECT_THAT(page, AllOf(HasSubstr("Chart.js"), Not(HasSubstr("/*AIO_DATA*/"))));
}

TEST(ReportDataTest, MarkdownHasARowForEveryConfiguration) {
  ReportOptions options;
  options.title = "T";
  options.environment = {{"cpu", "a | b"}};
  const std::string text = ReportMarkdown(*ReportJson({{"mixed", "m.json", kMixed}}, options));
  EXPECT_THAT(text, HasSubstr("| large | 90.00 [80.5, 95.2] | 100.0 | 90.5 | 1.00 | 12.2 | 30.0 | "
                              "24.00 |"));
  EXPECT_THAT(text, HasSubstr("a \\| b"));
}

// Whatever a file lacks beside what is required is left open, not a crash.
TEST(ReportDataTest, PartsMayBeIncomplete) {
  const auto json =
      ReportJson({{"mixed", "m", "{\"workloads\": [{}, 3]}"},
                  {"eval", "e", "{\"figures\": [{}], \"models\": 7}"},
                  {"calibration", "c", "{\"scalings\": 0, \"after\": 0, \"labels\": 0}"},
                  {"paper", "p", "{\"cells\": [null]}"}},
                 {});
  ASSERT_TRUE(json.ok());
  EXPECT_THAT(ReportMarkdown(*json), HasSubstr("## Tasks"));
}

}  // namespace
}  // namespace aio
