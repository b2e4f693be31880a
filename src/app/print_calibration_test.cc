#include "app/print_calibration.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aio {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A probe that is right but for one held-out query in ten.
CalibrationInput Input(int per_label) {
  CalibrationInput input;
  input.set.labels = {"code", "qa"};
  input.set.data_sets = {{.name = "mine.jsonl", .rows = 6 * per_label, .used = {}, .sha256 = ""}};
  for (const Split split : kSplits) {
    for (int i = 0; i < 2 * per_label; ++i) {
      const int label = i % 2;
      const int said = i % 20 == 19 ? 0 : label;
      CalibrationQuery query;
      query.intent = input.set.labels[static_cast<size_t>(label)];
      query.split = split;
      input.set.queries.push_back(query);
      ProbedQuery probed;
      probed.logits = {0, 0};
      probed.logits[static_cast<size_t>(said)] = 3;
      input.probed.push_back(probed);
    }
  }
  for (int line = 1; line <= 12; ++line) {
    input.set.skipped.push_back({RowFault::kDuplicate, "mine.jsonl", line, "the same text"});
  }
  return input;
}

const CalibrationSubject kSubject = {.date = "2026-11-29",
                                     .probe = "template",
                                     .small_model = "tiny",
                                     .large_model = "big",
                                     .small_fingerprint = "",
                                     .large_fingerprint = ""};

TEST(PrintCalibrationTest, ShowsFiguresAndTheRowsLeftOut) {
  const CalibrationInput input = Input(200);
  const auto report = Calibrate(input, {});
  ASSERT_TRUE(report.ok()) << report.status().ToString();
  const std::string text = FormatCalibration(input, *report, kSubject);
  EXPECT_THAT(text, HasSubstr("left out: 12 duplicate;"));
  EXPECT_THAT(text, HasSubstr("mine.jsonl: line 10: duplicate: the same text"));
  EXPECT_THAT(text, HasSubstr("and 2 more"));
  EXPECT_THAT(text, HasSubstr("after           95.00 %"));
  EXPECT_THAT(text, Not(HasSubstr("oracle")));
}

TEST(PrintCalibrationTest, SaysHowManyQueriesABoundWouldTake) {
  CalibrationInput input = Input(20);
  input.arms = ParseArmTable(
                   "version = 1\n[[arm]]\nrole = \"small\"\nstrategy = \"plain\"\n"
                   "accuracy = { code = 60, qa = 50 }\ntokens_per_second = 20\n[[arm]]\n"
                   "role = \"large\"\nstrategy = \"plain\"\n"
                   "accuracy = { code = 55, qa = 90 }\ntokens_per_second = 10\n",
                   "arms.toml")
                   .value();
  const auto report = Calibrate(input, {});
  ASSERT_TRUE(report.ok()) << report.status().ToString();
  const std::string text = FormatCalibration(input, *report, kSubject);
  EXPECT_THAT(text, HasSubstr("paper's policy"));
  EXPECT_THAT(text, HasSubstr("no policy is shown to lose at most 1 points"));
  EXPECT_THAT(text, HasSubstr("held-out queries a label"));
}

}  // namespace
}  // namespace aio
