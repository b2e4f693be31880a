#include "app/mixed_figures.h"

#include <gtest/gtest.h>

#include <vector>

#include "app/print_mixed.h"

namespace aio {
namespace {

using std::chrono::microseconds;

// A request that took `ms`, for 10 tokens.
LoadRecord Took(double ms) {
  LoadRecord record;
  record.end = std::chrono::duration_cast<Duration>(std::chrono::duration<double, std::milli>(ms));
  record.arrivals = {{record.end / 2, 1}, {record.end, 9}};
  record.finish.usage.completion_tokens = 10;
  return record;
}

// [repeats][requests] of ms.
ConfigurationRuns Runs(const std::vector<std::vector<double>>& all) {
  ConfigurationRuns runs;
  for (const auto& repeat : all) {
    MixedRun run;
    for (const double ms : repeat) {
      run.records.push_back(Took(ms));
      run.seconds += ms / 1000;
    }
    runs.push_back(std::move(run));
  }
  return runs;
}

TEST(MixedFigures, RatiosAreOverTheSameRequests) {
  const ConfigurationRuns large = Runs({{100, 400}, {200, 800}});
  // Twice as fast everywhere: a machine that was slow in the second repeat was so for both.
  const RateRatios ratios = CompareRates(Runs({{50, 200}, {100, 400}}), large);
  for (const FigureWithInterval* figure : {&ratios.arithmetic, &ratios.harmonic, &ratios.total}) {
    EXPECT_NEAR(figure->value, 2, 1e-9);
    ASSERT_TRUE(figure->interval.has_value());
    EXPECT_NEAR(figure->interval->low, 2, 1e-9);
    EXPECT_NEAR(figure->interval->high, 2, 1e-9);
  }
}

TEST(MixedFigures, IntervalsSpanWhatRequestsDifferBy) {
  // Half of the requests four times as fast, the others as before.
  const ConfigurationRuns large = Runs({{100, 100, 100, 100, 100, 100, 100, 100}});
  const RateRatios ratios = CompareRates(Runs({{25, 100, 25, 100, 25, 100, 25, 100}}), large);
  EXPECT_NEAR(ratios.arithmetic.value, 2.5, 1e-9);
  EXPECT_NEAR(ratios.harmonic.value, 1.6, 1e-9);
  ASSERT_TRUE(ratios.harmonic.interval.has_value());
  EXPECT_LT(ratios.harmonic.interval->low, 1.45);
  EXPECT_GT(ratios.harmonic.interval->high, 1.8);
  EXPECT_FALSE(ratios.total.interval.has_value());  // of one repeat
}

TEST(MixedFigures, AddedWaitIsOverTheModelThatAnswered) {
  ConfigurationRuns routed = Runs({{120, 420, 300}});
  for (LoadRecord& record : routed[0].records) record.decision = Decision{};
  routed[0].records[0].decision->role = "small";
  routed[0].records[1].decision->role = "large";
  routed[0].records[2].decision->role = "large";
  routed[0].records[2].decision->weights = "w8a16";  // nobody asked that one directly
  const ConfigurationRuns small = Runs({{100, 900, 900}});
  const ConfigurationRuns large = Runs({{900, 400, 900}});
  const auto added = CompareWaits(routed, {{"small", &small}, {"large", &large}});
  ASSERT_TRUE(added.has_value());
  EXPECT_EQ(added->compared, 2);
  // First tokens come halfway: 10 ms later in both.
  EXPECT_NEAR(added->ms.value, 10, 1e-6);
  EXPECT_NEAR(added->share.value, 20.0 / (120 + 420), 1e-9);
  EXPECT_FALSE(CompareWaits(routed, {}).has_value());
  EXPECT_FALSE(CompareWaits(Runs({{1}}), {{"small", &small}}).has_value()) << "nobody routed";
}

TEST(MixedFigures, FailedRequestsHaveNoSpeed) {
  ConfigurationRuns runs = Runs({{50, 50, 50}});
  runs[0].records[1].error = Unavailable("gone");
  EXPECT_NEAR(CompareRates(runs, Runs({{100, 100, 100}})).arithmetic.value, 2, 1e-9);
}

TEST(MixedFigures, AccuracyIsOfJudgedRequestsAndDifferencesArePaired) {
  const MixedGrades routed{{1.0, 1.0, std::nullopt, 0.0, 1.0}};
  const MixedGrades large{{1.0, 0.0, std::nullopt, 0.0, 1.0}};
  const auto accuracy = CompareAccuracy(routed, large);
  ASSERT_TRUE(accuracy.has_value());
  EXPECT_EQ(accuracy->judged, 4);
  EXPECT_DOUBLE_EQ(accuracy->percent, 75);
  EXPECT_LT(accuracy->interval.low, 75);
  EXPECT_GT(accuracy->interval.high, 75);
  EXPECT_DOUBLE_EQ(accuracy->over_reference.value, 25);
  EXPECT_GE(accuracy->over_reference.interval->low, 0);  // never worse on the same request
  EXPECT_FALSE(CompareAccuracy({{std::nullopt}}, {{std::nullopt}}).has_value());
}

std::vector<MixedRow> Rows() {
  std::vector<MixedConfiguration> configurations(2);
  configurations[0].name = "large";
  configurations[1].name = "small";
  ConfigurationRuns small = Runs({{50, 50}});
  for (LoadRecord& record : small[0].records) {
    record.finish.traffic = {.weight_bytes = 900, .kv_bytes = 100, .static_large_bytes = 9000};
  }
  return SummariseMixed(configurations, {Runs({{100, 100}}), small},
                        {MixedGrades{{1.0, 1.0}}, MixedGrades{{1.0, 0.0}}}, {});
}

TEST(MixedFigures, ARowHasRatesAccuracyAndTraffic) {
  const std::vector<MixedRow> rows = Rows();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_NEAR(rows[0].over_reference.total.value, 1, 1e-9);
  EXPECT_NEAR(rows[1].over_reference.total.value, 2, 1e-9);
  EXPECT_DOUBLE_EQ(rows[1].bytes_per_request, 1000);
  EXPECT_DOUBLE_EQ(rows[1].bytes_per_512_tokens, 51'200);
  EXPECT_DOUBLE_EQ(rows[1].accuracy->over_reference.value, -50);
}

TEST(PrintMixed, ShowsRowsRatiosAndHowItWasRun) {
  MixedReport report{.workload = "A",
                     .note = "",
                     .tasks = {{"pocket-code", 2}},
                     .arrivals = "one request at a time",
                     .repeat = 1,
                     .seed = 7,
                     .labels_given = false,
                     .rows = Rows()};
  const std::string text = FormatMixed(report);
  EXPECT_NE(text.find("workload A: 2 pocket-code; one request at a time; 1 repeats; seed 7"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("2.00 [2.00, 2.00]"), std::string::npos) << text;
  EXPECT_NE(text.find("-50.0 ["), std::string::npos) << text;
  const std::string json = MixedJson({report});
  for (const char* key : {"\"configuration\": \"small\"", "\"points_over_large\"",
                          "\"harmonic_mean\"", "\"bytes_per_512_tokens\": 51200.0"}) {
    EXPECT_NE(json.find(key), std::string::npos) << key << " in " << json;
  }
}

}  // namespace
}  // namespace aio
