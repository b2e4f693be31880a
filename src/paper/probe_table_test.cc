#include "paper/probe_table.h"

#include <gtest/gtest.h>

#include "paper/granularity.h"

namespace aio {
namespace {

PaperTables Tables() {
  auto tables = EmbeddedPaperTables();
  EXPECT_TRUE(tables.ok()) << tables.status().ToString();
  return *std::move(tables);
}

TEST(ProbeTableTest, RecallByRowsAndPrecisionByColumns) {
  const ProbeTable probe = MeasureProbeTable(Tables());
  EXPECT_EQ(probe.accuracy.right, 276);
  EXPECT_EQ(probe.accuracy.of, 300);
  EXPECT_TRUE(probe.overall.Follows());
  const ProbeLabelFigures& code = probe.labels.at(0);
  EXPECT_DOUBLE_EQ(code.recall.share, 0.94);
  EXPECT_EQ(code.precision.of, 94 + 8 + 1);
  EXPECT_DOUBLE_EQ(code.precision.share, 94.0 / 103);
  // Clopper and Pearson for 94 of 100, as tabled.
  EXPECT_NEAR(code.recall.interval.low, 0.8740, 5e-5);
  EXPECT_NEAR(code.recall.interval.high, 0.9777, 5e-5);
}

TEST(ProbeTableTest, ALabelThatIsNeverSaidHasNoPrecision) {
  PaperTables tables = Tables();
  tables.confusion.counts = {{0, 5, 0}, {0, 5, 0}, {0, 0, 5}};
  const ProbeTable probe = MeasureProbeTable(tables);
  EXPECT_EQ(probe.labels.at(0).precision.of, 0);
  EXPECT_EQ(probe.labels.at(0).precision.share, 0);
  EXPECT_EQ(probe.labels.at(0).precision.interval.high, 1);
}

bool IsPossible(const std::vector<CountCheck>& checks, const std::string& configuration,
                const std::string& task) {
  for (const CountCheck& check : checks) {
    if (check.configuration == configuration && check.task == task) return check.possible;
  }
  ADD_FAILURE() << configuration << " " << task;
  return false;
}

TEST(GranularityTest, CountsOfItemsAreToldFromOtherNumbers) {
  const auto checks = CheckCounts(Tables());
  EXPECT_TRUE(IsPossible(checks, "static-small", "humaneval"));  // 111 of 164: 67.683
  EXPECT_TRUE(IsPossible(checks, "static-large", "gpqa"));       // 88 of 198: 44.444
  EXPECT_TRUE(IsPossible(checks, "static-large", "gsm8k"));      // 1095 of 1319: 83.017
  EXPECT_FALSE(IsPossible(checks, "aio", "humaneval"));          // 110 of 164: 67.073
  EXPECT_FALSE(IsPossible(checks, "aio", "gpqa"));               // 87 of 198: 43.939
  EXPECT_FALSE(IsPossible(checks, "static-small", "humaneval, 32768 tokens"));
  EXPECT_TRUE(IsPossible(checks, "static-large", "humaneval, 32768 tokens"));  // 157 of 164
  for (const CountCheck& check : checks) EXPECT_NE(check.configuration, kRandomRow);
}

}  // namespace
}  // namespace aio
