#include "eval/arm_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aio {
namespace {

using ::testing::HasSubstr;

constexpr const char* kToml = R"(
version = 1
[[arm]]
role = "small"
strategy = "plain"
accuracy = { humaneval = 67.68, qa = 55.0 }
accuracy_long = { code = 66.0 }
tokens_per_second = 21.5
[[arm]]
role = "large"
strategy = "prompt_lookup"
weights = "w8a16"
accuracy = { humaneval = 62.8, qa = 80 }
tokens_per_second_by = { humaneval = 16.65, qa = 17.1 }
bytes_per_token = 1.4e10
)";

TEST(ArmTableTest, ReadsToml) {
  const auto table = ParseArmTable(kToml, "arms.toml");
  ASSERT_TRUE(table.ok()) << table.status().ToString();
  ASSERT_EQ(table->arms.size(), 2u);
  EXPECT_EQ(table->arms[0].Name(), "small plain");
  EXPECT_EQ(table->arms[1].Name(), "large prompt_lookup on w8a16");
  EXPECT_EQ(table->arms[0].accuracy.at("humaneval"), 67.68);
  EXPECT_EQ(table->arms[1].bytes_per_token, 1.4e10);
  EXPECT_EQ(table->long_tokens, 2048);
  EXPECT_EQ(table->sha256.size(), 64u);
}

TEST(ArmTableTest, ReadsTheSameAsJson) {
  const auto table = ParseArmTable(
      R"({"long_tokens": 100, "arms": [
           {"role": "small", "accuracy": {"code": 50}, "tokens_per_second": 9},
           {"role": "large", "strategy": "auto", "accuracy": {"code": 60},
            "tokens_per_second_by": {"code": 3}}]})",
      "arms.json");
  ASSERT_TRUE(table.ok()) << table.status().ToString();
  EXPECT_EQ(table->long_tokens, 100);
  EXPECT_EQ(table->arms[0].strategy.kind, StrategyKind::kPlain);
  EXPECT_EQ(table->arms[1].strategy.kind, StrategyKind::kAuto);
}

TEST(ArmTableTest, ReadsThePapersTables) {
  const auto table = ParseArmTable(
      R"({"table1_humaneval_accuracy_by_context": {"1B": {"32K": 66.66}, "7B": {"32K": 95.73}},
          "table3_accuracy_pct_and_tps": {"columns": ["mmlu", "humaneval"],
            "1b_baseline": {"acc": [71.17, 67.68], "tps": [21.87, 21.18]},
            "7b_pld": {"acc": [84.97, 41.46], "tps": [18.36, 18.25]},
            "7b_baseline": {"acc": [90.21, 62.80], "tps": [17.17, 16.65]},
            "aio_actual": {"acc": [88.1, 67.1], "tps": [16.95, 20.85]}}})",
      "paper.json");
  ASSERT_TRUE(table.ok()) << table.status().ToString();
  ASSERT_EQ(table->arms.size(), 3u);  // whole systems are no arms
  EXPECT_EQ(table->arms[0].Name(), "small plain");
  EXPECT_EQ(table->arms[0].accuracy_long.at("humaneval"), 66.66);
  const auto pld = std::find_if(table->arms.begin(), table->arms.end(), [](const Arm& arm) {
    return arm.strategy_name == "prompt_lookup_paper";
  });
  ASSERT_NE(pld, table->arms.end());
  EXPECT_EQ(pld->accuracy.at("humaneval"), 41.46);

  ArmTable exact = *table;
  MakeStrategiesExact(exact);
  for (const Arm& arm : exact.arms) {
    if (arm.role == "large") {
      EXPECT_EQ(arm.accuracy.at("humaneval"), 62.80) << arm.Name();
    }
  }
  EXPECT_EQ(pld->tokens_per_second.at("humaneval"), 18.25);  // the speed stays its own
}

TEST(ArmTableTest, AFigureIsTheTasksElseTheLabelsElseItsTasksMean) {
  const FiguresByTask figures = {{"mmlu", 90}, {"ceval", 80}, {"code", 60}};
  EXPECT_EQ(FigureFor(figures, "mmlu", "qa", {"mmlu", "ceval"}), 90);
  EXPECT_EQ(FigureFor(figures, "mbpp", "code", {}), 60);
  EXPECT_EQ(FigureFor(figures, "triviaqa", "qa", {"mmlu", "ceval", "gpqa"}), 85);
  EXPECT_EQ(FigureFor(figures, "gsm8k", "math", {"gsm8k"}), std::nullopt);
  EXPECT_EQ(FigureFor({{"", 20}}, "gsm8k", "math", {}), 20);
}

TEST(ArmTableTest, FaultsNameFileArmAndMend) {
  const auto message = [](const std::string& text) {
    return ParseArmTable(text, "t").status().message();
  };
  EXPECT_THAT(message("version = 1\n"), HasSubstr("no arm with role 'small'"));
  const std::string begin = "version = 1\n[[arm]]\nrole = \"small\"\nstrategy = \"plain\"\n";
  EXPECT_THAT(message(begin + "accuracy = {}\ntokens_per_second = 2\n"),
              HasSubstr("arm 'small plain': gives no accuracy"));
  EXPECT_THAT(message(begin + "accuracy = { code = 5 }\n"),
              HasSubstr("gives no tokens_per_second"));
  EXPECT_THAT(message(begin + "accuracy = { code = 500 }\ntokens_per_second = 2\n"),
              HasSubstr("accuracy"));
  EXPECT_THAT(message(begin + "speed = 3\naccuracy = { code = 5 }\n"), HasSubstr("speed"));
  EXPECT_THAT(message("version = 1\n[[arm]]\nrole = \"small\"\nstrategy = \"draft_model\"\n"
                      "accuracy = { code = 5 }\ntokens_per_second = 2\n"),
              HasSubstr("is the one that drafts"));
  EXPECT_THAT(message("{\"arms\": [{\"role\": \"tiny\"}]}"), HasSubstr("t: arm 1: no role 'tiny'"));
  EXPECT_THAT(message("{}"), HasSubstr("must have an array 'arms'"));
  EXPECT_THAT(message("{\"table3_accuracy_pct_and_tps\": {\"columns\": [\"a\"], "
                      "\"1b_baseline\": {\"acc\": [1, 2]}}}"),
              HasSubstr("1b_baseline: 'acc' must be an array of 1 numbers"));
}

}  // namespace
}  // namespace aio
