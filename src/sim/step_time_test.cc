#include "sim/step_time.h"

#include <gtest/gtest.h>

namespace aio {
namespace {

// A machine of round numbers: 1 GB takes 1 ms to read, 1 GFLOP 1 us to compute.
DeviceProfile Device() {
  DeviceProfile device;
  device.memory_gb.value = 64;
  device.read_gb_per_s.value = 1000;
  device.read_share.value = 1;
  device.f16_tflops.value = 1000;
  device.compute_share.value = 1;
  return device;
}

// 1 GB of weights in 16 bits, ten layers, 1 MB of KV a token.
ModelCosts Model() {
  return {.num_layers = 10,
          .layer_parameters = 500'000'000,
          .output_parameters = 0,
          .kv_values_per_token = 500'000,
          .attention_values = 250'000};
}

TEST(StepTimeTest, ADecodingStepTakesTheTimeToReadWeightsAndKv) {
  const StepTime time = TimeOf({.rows = 1, .context_tokens = 1000}, Model(), Device());
  EXPECT_EQ(time.weight_bytes, 1'000'000'000);
  EXPECT_EQ(time.kv_bytes, 1'000'000'000);
  EXPECT_NEAR(time.total_ms, 2, 1e-9);
  EXPECT_LT(time.compute_ms, 0.01);
}

TEST(StepTimeTest, RowsShareTheWeightsUntilArithmeticTakesLonger) {
  const double one = TimeOf({.rows = 1}, Model(), Device()).total_ms;
  EXPECT_DOUBLE_EQ(TimeOf({.rows = 64}, Model(), Device()).total_ms, one);
  // 2 * 0.5e9 * 4000 operations at 1e15 a second.
  EXPECT_NEAR(TimeOf({.rows = 4000}, Model(), Device()).total_ms, 4, 1e-9);
}

TEST(StepTimeTest, TheOutputsMatrixIsReadWhenAPromptsLayersAreDone) {
  ModelCosts model = Model();
  model.output_parameters = 500'000'000;
  // The layers' products take 4 ms, of one row of logits next to nothing; its matrix 1 ms.
  EXPECT_NEAR(TimeOf({.rows = 4000, .logit_rows = 1}, model, Device()).total_ms, 5, 1e-9);
  EXPECT_NEAR(TimeOf({.rows = 1, .logit_rows = 1}, model, Device()).total_ms, 2, 1e-9);
}

TEST(StepTimeTest, TheLongerOfHostAndDeviceIsWaitedFor) {
  DeviceProfile device = Device();
  device.eager = {.step_us = {.value = 500}, .layer_us = {.value = 50}};
  EXPECT_NEAR(TimeOf({.rows = 1}, Model(), device).total_ms, 0.5 + 1, 1e-9) << "the device";
  device.eager.layer_us.value = 300;
  EXPECT_NEAR(TimeOf({.rows = 1}, Model(), device).total_ms, 0.5 + 3, 1e-9) << "the host";
  device.has_graphs = true;
  device.graph = {.step_us = {.value = 500}, .layer_us = {.value = 1}};
  EXPECT_NEAR(TimeOf({.rows = 1, .graph = true}, Model(), device).total_ms, 0.5 + 1, 1e-9);
}

TEST(StepTimeTest, WeightsThatAreOnlyStoredSmallAreReadThreeTimes) {
  DeviceProfile device = Device();
  StepWork work = {.rows = 1, .weights = SimWeights::kW8A16};
  EXPECT_NEAR(TimeOf(work, Model(), device).total_ms, 0.5, 1e-9) << "fused";
  device.dequantization = Dequantization::kStorageOnly;
  EXPECT_NEAR(TimeOf(work, Model(), device).total_ms, 0.5 + 1 + 1, 1e-9);
  // Behind a slow host that costs only the launch of the kernels that expand them.
  device.eager = {.layer_us = {.value = 1000}, .kernel_us = {.value = 3}};
  EXPECT_NEAR(TimeOf(work, Model(), device).total_ms, 10 * (1 + 7 * 0.003), 1e-9);
}

TEST(StepTimeTest, GraphsArePaddedToTheirBuckets) {
  DeviceProfile device = Device();
  device.has_graphs = true;
  device.graphs.row_buckets = {1, 2000, 8000};
  const auto compute = [&](int rows) {
    return TimeOf({.rows = rows, .graph = true}, Model(), device).compute_ms;
  };
  EXPECT_DOUBLE_EQ(compute(2), compute(2000));
  EXPECT_DOUBLE_EQ(compute(2001), compute(8000));
  EXPECT_LT(compute(8000), compute(8001)) << "beyond the last: as it is";
}

TEST(StepTimeTest, SizesFollowFromTheShape) {
  const ModelCosts costs = CostsOf(*FindShape("openpangu-7b"));
  // 14.8 GB are read in a step, 136 KiB are kept a token (its config.json).
  EXPECT_NEAR(static_cast<double>(costs.WeightBytes(SimWeights::kF16)) / 1e9, 14.80, 0.01);
  EXPECT_EQ(costs.KvBytesPerToken(), 136 * 1024);
}

}  // namespace
}  // namespace aio
