#include "sim/step_time.h"

#include <algorithm>

#include "base/check.h"

namespace aio {
namespace {

// Matrices of a layer: queries, keys, values, output; gate, up, down.
constexpr int kMatricesPerLayer = 7;

// A part of a step that begins when the one before it has ended.
struct Part {
  double memory_ms = 0;
  double compute_ms = 0;

  double Ms(double overlap) const {
    const auto [shorter, longer] = std::minmax(memory_ms, compute_ms);
    return longer + (1 - overlap) * shorter;
  }
};

}  // namespace

int PaddedRows(int rows, const StaticGraphs& graphs) {
  const auto bucket = std::lower_bound(graphs.row_buckets.begin(), graphs.row_buckets.end(), rows);
  return bucket == graphs.row_buckets.end() ? rows : *bucket;
}

int64_t ModelCosts::ResidentBytes(SimWeights weights) const {
  const auto parameters = static_cast<double>(matrix_parameters() + embedding_parameters);
  return static_cast<int64_t>(parameters * BytesPerWeight(weights));
}

int64_t ModelCosts::WeightBytes(SimWeights weights) const {
  return static_cast<int64_t>(static_cast<double>(matrix_parameters()) * BytesPerWeight(weights));
}

bool HasGraphFor(int rows, const StaticGraphs& graphs) {
  return graphs.row_buckets.empty() || rows <= graphs.row_buckets.back();
}

ModelCosts CostsOf(const ModelShape& shape) {
  const int64_t hidden = shape.hidden_size;
  const int64_t queries = int64_t{shape.num_heads} * shape.head_size;
  const int64_t keys = int64_t{shape.num_kv_heads} * shape.head_size;
  const int64_t attention = hidden * (2 * queries + 2 * keys);
  const int64_t feed_forward = 3 * hidden * shape.intermediate_size;
  return {.num_layers = shape.num_layers,
          .layer_parameters = shape.num_layers * (attention + feed_forward),
          .output_parameters = hidden * shape.vocabulary_size,
          .embedding_parameters = shape.tied ? 0 : hidden * shape.vocabulary_size,
          .kv_values_per_token = 2 * keys * shape.num_layers,
          .attention_values = queries * shape.num_layers};
}

StepTime TimeOf(const StepWork& work, const ModelCosts& model, const DeviceProfile& device) {
  AIO_CHECK(!work.graph || device.has_graphs);
  const bool graph = work.graph && HasGraphFor(work.rows, device.graphs);
  const LaunchCosts& launch = graph ? device.graph : device.eager;
  const bool expands =
      work.weights == SimWeights::kW8A16 && device.dequantization == Dequantization::kStorageOnly;
  const int rows = graph ? PaddedRows(work.rows, device.graphs) : work.rows;

  StepTime time;
  const double layer_us =
      launch.layer_us.value + (expands ? kMatricesPerLayer * launch.kernel_us.value : 0);
  const double step_ms = launch.step_us.value / 1000;
  const double layers_ms = model.num_layers * layer_us / 1000;
  time.host_ms = step_ms + layers_ms;
  const int64_t f16_bytes = model.WeightBytes(SimWeights::kF16);
  time.weight_bytes = model.WeightBytes(work.weights) + (expands ? 2 * f16_bytes : 0);
  time.kv_bytes = work.context_tokens * model.KvBytesPerToken();
  const double copy_gb_per_s = launch.kv_copy_gb_per_s.value;
  const bool copies = copy_gb_per_s > 0;
  const double copying_ms = copies ? static_cast<double>(time.kv_bytes) / (copy_gb_per_s * 1e6) : 0;
  const auto read_ms = [&device](double bytes) { return bytes / device.ReadBytesPerMs(); };
  const auto products_ms = [&](double operations) {
    return operations / device.FlopsPerMs(work.weights);
  };
  // A score and a weighted sum for each pair, each of a multiplication and an addition.
  const double attention =
      4.0 * static_cast<double>(work.scored_pairs) * static_cast<double>(model.attention_values);
  const auto weight_bytes = static_cast<double>(time.weight_bytes);
  const double output_bytes = weight_bytes * static_cast<double>(model.output_parameters) /
                              static_cast<double>(model.matrix_parameters());
  const double kv_bytes = copies ? 0 : static_cast<double>(time.kv_bytes);
  // Of a prompt the layers compute every token and the output's matrix the last one: that is read
  // when the layers are done, and hides behind nothing.
  const Part layers = {.memory_ms = read_ms(weight_bytes - output_bytes + kv_bytes),
                       .compute_ms = products_ms(
                           2.0 * static_cast<double>(model.layer_parameters) * rows + attention)};
  const Part output = {.memory_ms = read_ms(output_bytes),
                       .compute_ms = products_ms(
                           2.0 * static_cast<double>(model.output_parameters) * work.logit_rows)};
  time.memory_ms = layers.memory_ms + output.memory_ms;
  time.compute_ms = layers.compute_ms + output.compute_ms;
  const double overlap = device.overlap.value;
  time.device_ms =
      model.num_layers * device.layer_gap_us.value / 1000 + layers.Ms(overlap) + output.Ms(overlap);
  time.total_ms = step_ms + std::max(layers_ms, time.device_ms) + copying_ms;
  return time;
}

}  // namespace aio
