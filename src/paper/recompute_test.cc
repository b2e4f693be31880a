#include "paper/recompute.h"

#include <gtest/gtest.h>

#include "paper/reproduction.h"

namespace aio {
namespace {

class RecomputeTest : public ::testing::Test {
 protected:
  static Reproduction Compute() {
    auto tables = EmbeddedPaperTables();
    EXPECT_TRUE(tables.ok()) << tables.status().ToString();
    return Reproduce(*std::move(tables), std::nullopt);
  }

  // The first one of that cell.
  static const Comparison& Find(const Comparisons& comparisons, const std::string& row,
                                const std::string& figure, const std::string& how = "") {
    for (const Comparison& comparison : comparisons) {
      if (comparison.row == row && comparison.figure == figure &&
          comparison.how.find(how) != std::string::npos) {
        return comparison;
      }
    }
    ADD_FAILURE() << "no cell " << row << " " << figure << " " << how;
    static const Comparison none;
    return none;
  }

  const Reproduction reproduction_ = Compute();
};

TEST_F(RecomputeTest, StaticAndRandomRowsOfTheMixesFollow) {
  // 0.7 * 67.68 + 0.2 * 63.20 + 0.1 * 73.92
  const Comparison& small = Find(reproduction_.mixes, "A, static-small", "accuracy");
  EXPECT_NEAR(small.recomputed.value, 67.408, 1e-9);
  // 0.7 * 16.65 + 0.2 * 17.18 + 0.1 * 16.65 = 16.756: prints 16.76, but may have been 16.7510
  // before its parts were rounded.
  const Comparison& large = Find(reproduction_.mixes, "A, static-large", "tokens/s");
  EXPECT_NEAR(large.recomputed.value, 16.756, 1e-9);
  EXPECT_TRUE(large.Follows());
  for (const Comparison& cell : reproduction_.mixes) {
    EXPECT_EQ(cell.Follows(), cell.row.find("aio") == std::string::npos) << cell.row;
  }
}

TEST_F(RecomputeTest, TheAioRowOfTheMixesDoesNotFollow) {
  const Comparison& accuracy = Find(reproduction_.mixes, "A, aio", "accuracy", "aio");
  EXPECT_NEAR(accuracy.recomputed.value, 71.055, 1e-9);  // 46.97 + 15.87 + 8.215
  EXPECT_FALSE(accuracy.Follows());
  const Comparison& tps = Find(reproduction_.mixes, "A, aio", "tokens/s", "aio");
  EXPECT_NEAR(tps.recomputed.value, 20.285, 1e-9);  // 14.595 + 3.96 + 1.73
  EXPECT_FALSE(tps.Follows());
  // 0.3 * 67.10 + 0.4 * 79.35 + 0.3 * 82.15 = 76.515, and rounding gives no less than 76.51: the
  // nearest that a cell can come to 76.50 (at most 76.505) and not follow.
  const Comparison& near = Find(reproduction_.mixes, "B, aio", "accuracy", "aio");
  EXPECT_NEAR(near.recomputed.low, 76.51, 1e-9);
  EXPECT_FALSE(near.Follows());
  EXPECT_NEAR(Find(reproduction_.mixes, "B, aio", "tokens/s", "aio").recomputed.value, 19.365,
              1e-9);
}

TEST_F(RecomputeTest, LongPromptsSpeedIsSolvedFor) {
  const LongContextTps& long_tps = reproduction_.long_tps;
  EXPECT_EQ(long_tps.mix, "C");
  EXPECT_NEAR(long_tps.large->value, 5.22, 1e-9);     // 2 * 11.20 - 17.18
  EXPECT_NEAR(long_tps.large->slack(), 0.015, 1e-9);  // 2 * 0.005 + 0.005
  EXPECT_NEAR(long_tps.small->value, 7.42, 1e-9);     // 2 * 14.50 - 21.58
  const Comparison& actual = Find(reproduction_.mixes, "C, aio", "tokens/s", "aio");
  EXPECT_NEAR(actual.recomputed.value, 12.51, 1e-9);  // (5.22 + 19.80) / 2
  const Comparison& oracle = Find(reproduction_.mixes, "C, aio", "tokens/s", "oracle");
  EXPECT_NEAR(oracle.recomputed.value, 12.685, 1e-9);  // (5.22 + 20.15) / 2
  EXPECT_FALSE(actual.Follows() || oracle.Follows());
  // Nothing is checked against what it was solved from.
  for (const Comparison& cell : reproduction_.mixes) {
    EXPECT_FALSE(cell.row == "C, static-large" && cell.figure == "tokens/s");
  }
}

TEST_F(RecomputeTest, GainsByWhatAUserWaitsFor) {
  const MixGain& c = reproduction_.gains.at(2);
  EXPECT_EQ(c.mix, "C");
  EXPECT_NEAR(c.published, 13.40 / 11.20, 1e-9);
  EXPECT_NEAR(c.arithmetic, 12.51 / 11.20, 1e-9);
  EXPECT_NEAR(c.harmonic, (1 / 5.22 + 1 / 17.18) / (1 / 5.22 + 1 / 19.80), 1e-9);
}

TEST_F(RecomputeTest, FoldingTheConfusionMatrixIntoTheTasks) {
  const ExpectedTask& code = reproduction_.expected.at(3);
  EXPECT_EQ(code.task, "humaneval");
  EXPECT_NEAR(code.stated.accuracy.value, 0.94 * 67.68 + 0.06 * 41.46, 1e-9);  // 66.11
  EXPECT_NEAR(code.where_it_helps.accuracy.value, 0.94 * 67.68 + 0.06 * 62.80, 1e-9);
  const ExpectedTask& mmlu = reproduction_.expected.at(1);
  EXPECT_NEAR(mmlu.stated.accuracy.value, 0.08 * 71.17 + 0.92 * 84.97, 1e-9);  // 83.87
  EXPECT_NEAR(mmlu.stated.tps.value, 0.08 * 21.87 + 0.92 * 18.36, 1e-9);
  EXPECT_NEAR(mmlu.where_it_helps.accuracy.value, 0.08 * 71.17 + 0.92 * 90.21, 1e-9);
  for (const Comparison& cell : reproduction_.expected_row) {
    EXPECT_FALSE(cell.Follows()) << cell.row << " " << cell.how;
  }
}

TEST_F(RecomputeTest, RandomAndOracleRowsFollow) {
  EXPECT_EQ(reproduction_.random_row.size(), 10u);
  for (const Comparison& cell : reproduction_.random_row) EXPECT_TRUE(cell.Follows()) << cell.row;
  for (const Comparison& cell : reproduction_.oracle_row) EXPECT_TRUE(cell.Follows()) << cell.row;
  EXPECT_EQ(Find(reproduction_.oracle_row, "oracle, gpqa", "accuracy").how, "static-large is best");
}

TEST_F(RecomputeTest, Ablations) {
  const Comparisons& table = reproduction_.ablations;
  // 0.7 * 62.80 + 0.2 * 80.92 + 0.1 * 83.32
  EXPECT_TRUE(Find(table, "without-model-routing", "accuracy").Follows());
  const Comparison& large = Find(table, "without-model-routing", "tokens/s");
  EXPECT_NEAR(large.recomputed.value, 17.454, 1e-9);
  EXPECT_FALSE(large.Follows());
  const Comparison& off = Find(table, "without-pld-switch", "accuracy", "perfect");
  EXPECT_NEAR(off.recomputed.value, 71.456, 1e-9);
  EXPECT_NEAR(Find(table, "without-pld-switch", "tokens/s", "perfect").recomputed.value, 19.927,
              1e-9);
  // At the worst the code stays as Table 2 sends it and all else joins the small model.
  const double worst = 0.7 * (0.94 * 67.68 + 0.06 * 41.46) + 0.2 * 63.20 + 0.1 * 73.92;
  const Comparison& fallback = Find(table, "without-entropy-fallback", "accuracy");
  EXPECT_NEAR(fallback.recomputed.low, worst - 0.005, 1e-9);
  EXPECT_FALSE(fallback.Follows());
}

TEST_F(RecomputeTest, TablesWithoutLongPromptsNeedNoSpeedForThem) {
  PaperTables tables = reproduction_.tables;
  tables.mixes.pop_back();
  const Reproduction without = Reproduce(tables, std::nullopt);
  EXPECT_FALSE(without.long_tps.large.has_value());
  EXPECT_EQ(without.gains.size(), 2u);
}

TEST_F(RecomputeTest, ImpossibleLongSpeedsAreLeftOut) {
  PaperTables tables = reproduction_.tables;
  // Less than half of C-Eval's 17.18: nothing is left for the long half.
  for (auto& [row, figures] : tables.figures.scenarios.back().second) figures.tps = 3;
  const Reproduction without = Reproduce(tables, std::nullopt);
  EXPECT_FALSE(without.long_tps.large.has_value());
  for (const Comparison& cell : without.mixes) EXPECT_NE(cell.row, "C, aio");
}

}  // namespace
}  // namespace aio
