#include "app/print_replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace aio {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const ReplayArm kSmallPlain = {.role = "small", .weights = "", .strategy = StrategyKind::kPlain};
const ReplayArm kLargePlain = {.role = "large", .weights = "", .strategy = StrategyKind::kPlain};

ReplayReport Report() {
  ReplayReport report;
  report.requests = 1204;
  report.by_name = 31;
  report.first_unix_seconds = 1'795'000'000;
  report.last_unix_seconds = 1'795'003'600;
  PolicyCheck check;
  check.hash = "0123456789abcdef";
  check.name = "paper";
  check.requests = 1173;
  check.same = 1172;
  check.differences = {"row 7, id r7: rule 'a', was 'b'"};
  report.checks = {check};
  report.arms[kSmallPlain] = {.requests = 2, .tokens = 100, .seconds = 4, .bytes = 500'000'000};
  PolicyReplay policy;
  policy.name = "eager";
  policy.hash = "fedcba9876543210";
  policy.requests = 1173;
  policy.moved = 212;
  ReplayMoveGroup group;
  group.intent = "code";
  group.from = kLargePlain;
  group.to = kSmallPlain;
  group.requests = 212;
  policy.groups = {group};
  policy.score.requests = 1173;
  policy.score.moved = 212;
  report.policies = {policy};
  return report;
}

TEST(PrintReplayTest, SaysWhatWasCheckedAndWhatWouldMove) {
  const std::string text = ReplayText("log.db", Report(), {});
  EXPECT_THAT(text, HasSubstr("log.db: 1204 requests, 2026-11-18"));
  EXPECT_THAT(text, HasSubstr("policy 'paper' (0123456789ab): 1172 of 1173 decided the same"));
  EXPECT_THAT(text, HasSubstr("row 7, id r7: rule 'a', was 'b'"));
  EXPECT_THAT(text, HasSubstr("25.00 tokens/s"));
  EXPECT_THAT(text, HasSubstr("5.00 MB/token"));
  EXPECT_THAT(text, HasSubstr("212 of 1173 requests"));
  EXPECT_THAT(text, HasSubstr("large, plain -> small, plain"));
  EXPECT_THAT(text, Not(HasSubstr("unreadable")));
}

TEST(PrintReplayTest, NothingIsMadeUp) {
  ReplayReport report = Report();
  std::string text = ReplayText("log.db", report, {});
  EXPECT_THAT(text, HasSubstr("score        cannot be said: of 212 requests that change models"));
  EXPECT_THAT(text, HasSubstr("cost         cannot be said"));
  const OrderedJson json = ReplayJson("log.db", report, {});
  EXPECT_TRUE(json["policies"][0]["score"]["change"].is_null());
  EXPECT_FALSE(json["policies"][0]["cost"].contains("tokens_per_second_expected"));

  report.policies[0].score.said = 200;
  report.policies[0].score.mean = Interval95{.value = -0.01, .low = -0.05, .high = 0.03};
  report.policies[0].cost = {.requests = 900,
                             .unseen = 3,
                             .tokens_per_second = 21,
                             .tokens_per_second_expected = 33,
                             .bytes_per_token = 3e6,
                             .bytes_per_token_expected = 2e6};
  text = ReplayText("log.db", report, {});
  EXPECT_THAT(text, HasSubstr("-0.010 [-0.050, +0.030]"));
  EXPECT_THAT(text, HasSubstr("said of 200 of 212"));
  EXPECT_THAT(text,
              HasSubstr("21.00 -> 33.00 tokens/s, 3.00 -> 2.00 MB/token over 900 answers; not "
                        "of 3 that move to an arm that never ran here"));
}

TEST(PrintReplayTest, NamesWhatCannotBeRead) {
  const UnreadableRows unreadable = {.lines = {"rows 3 to 5: malformed"}, .rows = 3};
  const std::string text = ReplayText("log.db", Report(), unreadable);
  EXPECT_THAT(text, HasSubstr("unreadable   3 rows"));
  EXPECT_THAT(text, HasSubstr("rows 3 to 5: malformed"));
  EXPECT_EQ(ReplayJson("log.db", Report(), unreadable)["unreadable_rows"], 3);
}

TEST(PrintReplayTest, QualityIsReadOffTheCurve) {
  const std::vector<CurvePoint> curve = {{0, 0.5}, {0.5, 0.9}, {1, 0.8}};
  EXPECT_DOUBLE_EQ(QualityAt(curve, 0), 0.5);
  EXPECT_DOUBLE_EQ(QualityAt(curve, 0.25), 0.7);
  EXPECT_DOUBLE_EQ(QualityAt(curve, 0.75), 0.85);
  EXPECT_DOUBLE_EQ(QualityAt(curve, 1), 0.8);
}

TEST(PrintReplayTest, OutcomesShowTheCurveAndItsInterval) {
  OutcomeReport report;
  report.table.small = "little";
  report.table.large = "big";
  report.table.rows = 10;
  report.queries = 9;
  report.table.skipped = {"t.csv: line 3: repeats t.csv: line 2"};
  report.area = {.area = 0.77,
                 .random = 0.76,
                 .oracle = 0.85,
                 .above_random = 0.01,
                 .above_random_low = 0.005,
                 .above_random_high = 0.015,
                 .gap_recovered = 0.58};
  report.curve = {{0, 0.70}, {1, 0.82}};
  PolicyOnOutcomes policy;
  policy.name = "paper";
  policy.to_large = {.value = -0.02, .low = -0.03, .high = -0.01};
  report.policies = {policy};
  const std::string text = OutcomeText("t.csv", report);
  EXPECT_THAT(text, HasSubstr("repeats t.csv: line 2"));
  EXPECT_THAT(text, HasSubstr("77.00 %, random 76.00 %: +1.00 points [+0.50, +1.50]"));
  EXPECT_THAT(text, HasSubstr("58.0 % recovered"));
  EXPECT_THAT(text, HasSubstr("-2.00 points [-3.00, -1.00] against all large"));
  const OrderedJson json = OutcomeJson("t.csv", report);
  EXPECT_EQ(json["curve"]["points"].size(), 11u);
  EXPECT_EQ(json["policies"][0]["to_large"]["interval95"][0], -0.03);
}

}  // namespace
}  // namespace aio
