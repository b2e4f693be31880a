#include "paper/step_model.h"

#include <gtest/gtest.h>

#include "paper/costs.h"

namespace aio {
namespace {

PaperTables Tables() {
  auto tables = EmbeddedPaperTables();
  EXPECT_TRUE(tables.ok()) << tables.status().ToString();
  return *std::move(tables);
}

TEST(StepModelTest, FindsTheTermsThatMadeTheTimes) {
  std::vector<StepObservation> observations;
  for (const auto& [layers, gb] : {std::pair{10.0, 1.0}, {20.0, 2.0}, {20.0, 8.0}}) {
    observations.push_back(
        {.large = gb > 1, .layers = layers, .gb = gb, .ms = 5 + 0.5 * layers + 0.8 * gb});
  }
  const StepFit fit = FitSteps(observations, {}, "all");
  EXPECT_NEAR(fit.fixed_ms, 5, 1e-9);
  EXPECT_NEAR(fit.ms_per_layer, 0.5, 1e-9);
  EXPECT_NEAR(fit.TbPerSecond(), 1.25, 1e-9);
  EXPECT_NEAR(fit.rms_ms, 0, 1e-9);
  EXPECT_NEAR(fit.small_memory_share, 0.8 / 10.8, 1e-9);
}

TEST(StepModelTest, GivenTermsAreKept) {
  const std::vector<StepObservation> observations = {
      {.large = false, .layers = 1, .gb = 1, .ms = 3},
      {.large = true, .layers = 1, .gb = 1, .ms = 5}};
  const StepFit fit =
      FitSteps(observations, {.fixed_ms = 0, .ms_per_layer = {}, .ms_per_gb = 1}, "per layer");
  EXPECT_NEAR(fit.ms_per_layer, 3, 1e-9);  // the mean of 2 and 4
  EXPECT_NEAR(fit.small_residual_ms, -1, 1e-9);
  EXPECT_NEAR(fit.large_residual_ms, 1, 1e-9);
  EXPECT_NEAR(fit.rms_ms, 1, 1e-9);
}

TEST(StepModelTest, PaperPerLayerAtAssumedBandwidths) {
  const StepModel model = FitStepModel(Tables());
  ASSERT_EQ(model.per_layer.size(), 4u);
  // sum(L * (t - GB/B)) / sum(L^2) with the two mean steps.
  const double small = model.small_ms;
  const double large = model.large_ms;
  EXPECT_NEAR(small, 47.135, 0.01);
  EXPECT_NEAR(large, 60.043, 0.01);
  EXPECT_NEAR(model.per_layer.front().ms_per_layer,
              (26 * (small - 2 / 0.8) + 34 * (large - 14 / 0.8)) / (26 * 26 + 34 * 34), 1e-6);
  EXPECT_GT(model.per_layer.front().ms_per_layer, 1.4);
  EXPECT_LT(model.per_layer.back().ms_per_layer, 1.7);
}

TEST(StepModelTest, NoBandwidthExplainsThePaperByLayersAlone) {
  const StepModel model = FitStepModel(Tables());
  EXPECT_GT(model.layer_ratio, model.time_ratio);
  EXPECT_LT(model.bandwidth_free.ms_per_gb, 0);
  EXPECT_FALSE(model.bandwidth_free.Possible());
  EXPECT_FALSE(model.with_fixed.front().Possible());  // 0.8 TB/s
  EXPECT_TRUE(model.with_fixed.back().Possible());    // 1.6 TB/s
  EXPECT_NEAR(model.tb_per_s_min, 12 / (model.large_ms - model.small_ms), 1e-9);
}

TEST(StepModelTest, TheProbesPassMakesThreeEquations) {
  const StepModel model = FitStepModel(Tables());
  const StepFit& fit = model.with_probe_pass;
  EXPECT_NEAR(26 * fit.ms_per_layer + 2 * fit.ms_per_gb, 11.8, 1e-6);
  EXPECT_NEAR(fit.fixed_ms + 11.8, model.small_ms, 1e-6);
  EXPECT_NEAR(fit.fixed_ms + 34 * fit.ms_per_layer + 14 * fit.ms_per_gb, model.large_ms, 1e-6);
  EXPECT_NEAR(fit.TbPerSecond(), 1.23, 0.01);
  EXPECT_NEAR(fit.large_memory_share, 0.19, 0.005);
}

TEST(StepModelTest, BoundByBandwidthRoutingGainsWhatTheBytesSay) {
  const PaperTables tables = Tables();
  const auto gains = RoutingGains(tables, FitStepModel(tables).with_probe_pass);
  const RoutingGain& bound = gains.back();
  EXPECT_EQ(bound.overhead_share, 0);
  EXPECT_NEAR(bound.large_ms / bound.small_ms, 7, 1e-9);
  EXPECT_NEAR(*FindNamed(bound.harmonic, "A"), 1 / (0.7 / 7 + 0.3), 1e-9);
  EXPECT_NEAR(*FindNamed(bound.arithmetic, "A"), 0.7 * 7 + 0.3, 1e-9);
  EXPECT_NEAR(*FindNamed(bound.harmonic, "B"), 1 / (0.3 / 7 + 0.7), 1e-9);
  EXPECT_NEAR(*FindNamed(bound.harmonic, "C"), 1, 1e-9);
}

TEST(CostsTest, OverheadAndTraffic) {
  const PaperTables tables = Tables();
  const OverheadFigures overhead = MeasureOverhead(tables);
  EXPECT_NEAR(overhead.comparisons.at(0).recomputed.value, 17.4, 1e-9);
  EXPECT_NEAR(overhead.comparisons.at(1).recomputed.value, 100 * 17.4 / 1200, 1e-9);
  EXPECT_TRUE(overhead.comparisons.at(0).Follows() && overhead.comparisons.at(1).Follows());
  EXPECT_NEAR(overhead.generations.at(1).seconds, 30.74, 0.01);
  EXPECT_NEAR(overhead.generations.at(1).share_pct, 0.0566, 1e-4);
  const TrafficFigures traffic = MeasureTraffic(tables);
  EXPECT_NEAR(traffic.comparisons.at(1).recomputed.value, 14 * 0.512, 1e-9);
  EXPECT_TRUE(traffic.comparisons.at(1).Follows());
  EXPECT_NEAR(traffic.models.at(1).gb_per_s_high, 14 * 17.18, 1e-9);
  EXPECT_NEAR(traffic.models.at(0).gb_per_s_high, 2 * 21.87, 1e-9);
  EXPECT_NEAR(traffic.faster_low, 21.58 / 17.18, 1e-9);
}

}  // namespace
}  // namespace aio
