#include "tasks/eval_figures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backend/testing/fake_backend.h"
#include "eval/arm_table.h"
#include "tasks/arm_table_text.h"
#include "tasks/configuration.h"

namespace aio {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

RunRecord Record(const std::string& item, const std::string& configuration, bool right) {
  RunRecord record;
  record.task = "humaneval";
  record.item = item;
  record.configuration = configuration;
  record.role = configuration.substr(0, 5);
  record.finish = "stop";
  record.right = right;
  record.completion_tokens = 11;
  record.total_ms = 500;
  record.predicted_ms = 250;
  record.ttft_ms = 50;
  record.prompt_tokens = 40;
  record.weight_bytes = 1000;
  record.kv_bytes = 100;
  return record;
}

TEST(SummariseRecordsTest, AccuracyAndSpeed) {
  std::vector<RunRecord> records;
  for (int i = 0; i < 10; ++i) records.push_back(Record(std::to_string(i), "large", i < 7));
  records[9].completion_tokens = 1;
  records[9].total_ms = 100;
  records[9].predicted_ms = 0;
  records[9].finish = "length";
  records.push_back(Record("10", "large", false));
  records.back().finish = "";  // refused
  const auto figures = SummariseRecords(records, {1});
  ASSERT_EQ(figures.size(), 1u);
  const EvalFigure& figure = figures[0];
  EXPECT_NEAR(figure.accuracy, 7.0 / 11, 1e-12);
  const Interval exact = ClopperPearson(7, 11, 0.95);
  EXPECT_DOUBLE_EQ(figure.interval.low, exact.low);
  EXPECT_DOUBLE_EQ(figure.interval.high, exact.high);
  EXPECT_EQ(figure.refused, 1);
  EXPECT_EQ(figure.cut_off, 1);
  EXPECT_NEAR(figure.tokens_per_second, 100 / 4.6, 1e-9);
  EXPECT_NEAR(figure.mean_tokens_per_second, (9 * 22 + 10) / 10.0, 1e-9);
  EXPECT_NEAR(figure.decoding_tokens_per_second, 40, 1e-9);
  EXPECT_NEAR(figure.bytes_per_token, 11000 / 100.0, 1e-9);
  EXPECT_TRUE(figure.pass_at.empty());
}

TEST(SummariseRecordsTest, SamplesGivePassAtKAndABootstrap) {
  std::vector<RunRecord> records;
  for (int item = 0; item < 4; ++item) {
    for (int sample = 0; sample < 5; ++sample) {
      records.push_back(Record(std::to_string(item), "large", item == 0 || sample < 2));
    }
  }
  const auto figures = SummariseRecords(records, {1, 2, 10});
  EXPECT_NEAR(figures[0].accuracy, (1 + 3 * 0.4) / 4, 1e-12);
  EXPECT_THAT(figures[0].pass_at,
              ElementsAre(Pair(2, ::testing::DoubleNear((1 + 3 * 0.7) / 4, 1e-12))));
  EXPECT_LT(figures[0].interval.low, figures[0].accuracy);
  EXPECT_GT(figures[0].interval.high, figures[0].accuracy);
}

TEST(ArmTableTextTest, IsReadAgain) {
  FakeBackend backend({FakeModel::Named("s", "small"), FakeModel::Named("l", "large")});
  std::vector<EvalConfiguration> configurations;
  std::vector<RunRecord> records;
  for (const char* name : {"small", "large", "large+prompt_lookup"}) {
    configurations.push_back(*StaticConfiguration(*ParseFixedArm(name), backend));
    for (int i = 0; i < 4; ++i) {
      records.push_back(Record(std::to_string(i), name, i < 3));
      records.push_back(records.back());
      records.back().context = 3200;
      records.back().right = i == 0;
      records.push_back(Record(std::to_string(i), name, i < 1));
      records.back().task = "mbpp";
    }
  }
  const auto figures = SummariseRecords(records, {1});
  const auto text = ArmTableText(figures, configurations,
                                 {{"humaneval", {"code"}}, {"mbpp", {"code"}}}, "Measured\nso");
  ASSERT_TRUE(text.ok()) << text.status().ToString();
  EXPECT_TRUE(text->starts_with("# Measured\n# so\nversion = 1\n")) << *text;
  const auto table = ParseArmTable(*text, "arms");
  ASSERT_TRUE(table.ok()) << table.status().ToString();
  ASSERT_EQ(table->arms.size(), 3u);
  const Arm& arm = table->arms[2];
  EXPECT_EQ(arm.strategy_name, "prompt_lookup");
  EXPECT_DOUBLE_EQ(arm.accuracy.at("humaneval"), 75);
  EXPECT_DOUBLE_EQ(arm.accuracy.at("code"), 50);
  EXPECT_DOUBLE_EQ(arm.accuracy_long.at("code"), 25);
  EXPECT_DOUBLE_EQ(arm.tokens_per_second.at("mbpp"), 22);
  EXPECT_DOUBLE_EQ(*arm.bytes_per_token, 100);

  configurations.erase(configurations.begin());
  EXPECT_THAT(ArmTableText(figures, configurations, {}, "").status().message(),
              HasSubstr("no arm with role 'small'"));
}

TEST(ArmTableTextTest, ItemsThatStandInLongPromptsAreTheLongAccuracy) {
  FakeBackend backend({FakeModel::Named("s", "small"), FakeModel::Named("l", "large")});
  std::vector<EvalConfiguration> configurations;
  std::vector<RunRecord> records;
  for (const char* name : {"small", "large"}) {
    configurations.push_back(*StaticConfiguration(*ParseFixedArm(name), backend));
    for (int i = 0; i < 4; ++i) {
      records.push_back(Record(std::to_string(i), name, true));
      records.back().prompt_tokens = 40;
      records.push_back(Record(std::to_string(i), name, i < 1));
      records.back().task = "humaneval@1000";
      records.back().prompt_tokens = 1000;
    }
  }
  const auto text = ArmTableText(SummariseRecords(records, {1}), configurations,
                                 {{"humaneval", {"code"}}, {"humaneval@1000", {"code", 1000}}}, "");
  ASSERT_TRUE(text.ok()) << text.status().ToString();
  const auto table = ParseArmTable(*text, "arms");
  ASSERT_TRUE(table.ok()) << table.status().ToString();
  EXPECT_EQ(table->long_tokens, 200);  // as far from 40 as from 1000
  EXPECT_DOUBLE_EQ(table->arms[0].accuracy.at("humaneval"), 100);
  EXPECT_DOUBLE_EQ(table->arms[0].accuracy_long.at("humaneval"), 25);
  EXPECT_DOUBLE_EQ(table->arms[0].accuracy_long.at("code"), 25);
}

TEST(FixedArmTest, NamesModelWeightsAndStrategy) {
  const auto arm = ParseFixedArm("large-w8a16+prompt_lookup_paper");
  ASSERT_TRUE(arm.ok());
  EXPECT_EQ(arm->role, "large");
  EXPECT_EQ(arm->weights, kW8A16);
  EXPECT_EQ(arm->strategy.kind, StrategyKind::kPromptLookup);
  EXPECT_EQ(FixedArmName(*arm), "large-w8a16+prompt_lookup_paper");
  EXPECT_EQ(FixedArmName(*ParseFixedArm("small-f16+plain")), "small");
  for (const char* wrong :
       {"", "medium", "large-q4", "large+fast", "large+", "small+draft_model"}) {
    EXPECT_FALSE(ParseFixedArm(wrong).ok()) << wrong;
  }
}

TEST(FixedArmTest, WhatIsNotResidentIsSaid) {
  FakeBackend backend({FakeModel::Named("s", "small"), FakeModel::Named("l", "large")});
  const auto fault = [&](const char* name) {
    return StaticConfiguration(*ParseFixedArm(name), backend).status().message();
  };
  EXPECT_THAT(fault("large-w8a16"), HasSubstr("[models.large] w8a16_path"));
  EXPECT_THAT(fault("large+draft_model"), HasSubstr("no model drafts for l"));
}

}  // namespace
}  // namespace aio
