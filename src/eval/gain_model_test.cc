#include "eval/gain_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <set>

#include "eval/quality_cost_curve.h"

namespace aio {
namespace {

// The large model adds something where the query speaks of rivers.
std::vector<OutcomeQuery> Queries(int count) {
  std::vector<OutcomeQuery> queries;
  for (int i = 0; i < count; ++i) {
    const bool river = i % 3 == 0;
    queries.push_back({.prompt = "Question " + std::string(static_cast<size_t>(i % 7), 'x') +
                                 (river ? " about a river" : " about a hill") + " number " +
                                 std::to_string(i),
                       .small = river ? 0.0 : 1.0,
                       .large = 1.0});
  }
  return queries;
}

TEST(GainModelTest, LearnsWhatTheLargeModelAdds) {
  const std::vector<OutcomeQuery> queries = Queries(600);
  const GainModel model = FitGainModel(queries);
  EXPECT_GT(model.Predict("Is this about a river"), 0.7);
  EXPECT_LT(model.Predict("Is this about a hill"), 0.3);
  EXPECT_GT(model.Predict(""), 0.2) << "of nothing, the mean";
  EXPECT_EQ(FitGainModel(queries).Predict("river"), model.Predict("river"));
}

TEST(GainModelTest, TextVectorsHaveUnitLengthAndNoNumbers) {
  double squares = 0;
  for (const auto& [index, value] : ToTextVector("The river Fenn, the RIVER")) {
    EXPECT_LT(index, kTextFeatures);
    squares += static_cast<double>(value) * static_cast<double>(value);
  }
  EXPECT_NEAR(squares, 1, 1e-6);
  EXPECT_EQ(ToTextVector("The River 17"), ToTextVector("the river 42"));
  EXPECT_NE(ToTextVector("river the"), ToTextVector("the river")) << "pairs have an order";
  EXPECT_TRUE(ToTextVector(" \n").empty());
}

TEST(GainModelTest, HalvesAreByThePromptAlone) {
  std::vector<OutcomeQuery> queries = Queries(400);
  const OutcomeHalves halves = SplitOutcomes(queries);
  EXPECT_EQ(halves.fit.size() + halves.test.size(), queries.size());
  EXPECT_GT(halves.fit.size(), 150u);
  EXPECT_GT(halves.test.size(), 150u);
  std::set<std::string> fit;
  for (const OutcomeQuery& query : halves.fit) fit.insert(query.prompt);
  // Neither the order nor the outcomes, nor what else is in the table, moves a query.
  std::vector<OutcomeQuery> others(queries.rbegin(), queries.rbegin() + 100);
  for (OutcomeQuery& query : others) query.small = 0.5;
  for (const OutcomeQuery& query : SplitOutcomes(others).fit) {
    EXPECT_TRUE(fit.contains(query.prompt));
  }
}

TEST(GainModelTest, IsAboveRandomOnRealOutcomes) {
  const std::string folder = AIO_SOURCE_DIR "/../shared/data/routellm_mmlu";
  if (!std::filesystem::is_directory(folder)) GTEST_SKIP() << folder << " is not there";
  const auto table = ReadOutcomeTable(folder, {});
  ASSERT_TRUE(table.ok()) << table.status().ToString();
  EXPECT_GT(table->queries.size(), 7000u);
  const OutcomeHalves halves = SplitOutcomes(table->queries);
  const GainModel model = FitGainModel(halves.fit);
  std::vector<ScoredOutcome> scored;
  for (const OutcomeQuery& query : halves.test) {
    scored.push_back(
        {.score = model.Predict(query.prompt), .small = query.small, .large = query.large});
  }
  const CurveArea area = MeasureCurve(scored);
  EXPECT_GT(area.above_random_low, 0);
  EXPECT_GT(area.gap_recovered, 0.5);
  EXPECT_LT(area.area, area.oracle);
}

}  // namespace
}  // namespace aio
