// Weights encoded a second by one thread, and how far off they are: rows of a bell curve, as
// trained weights nearly are.
#include <benchmark/benchmark.h>

#include <cmath>
#include <random>
#include <vector>

#include "kernels/matrix.h"

namespace aio {
namespace {

std::vector<float> GaussianRow(size_t size) {
  std::mt19937 generator(1);
  std::normal_distribution<float> bell(0.0f, 0.02f);
  std::vector<float> row(size);
  for (float& value : row) value = bell(generator);
  return row;
}

// Root of the mean squared error, relative to that of the values.
double RelativeError(std::span<const float> values, WeightType type, const std::byte* encoded) {
  std::vector<float> decoded(values.size());
  DecodeRow({encoded, type, 1, static_cast<int>(values.size())}, 0, decoded);
  double error = 0, size = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    error += std::pow(double{decoded[i]} - values[i], 2);
    size += std::pow(double{values[i]}, 2);
  }
  return std::sqrt(error / size);
}

void BM_EncodeRow(benchmark::State& state, WeightType type) {
  const std::vector<float> values = GaussianRow(size_t{1} << 16);
  const Matrix shape{nullptr, type, 1, static_cast<int>(values.size())};
  std::vector<std::byte> out(shape.row_bytes());
  for (auto _ : state) EncodeRow(values, type, out.data());
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * values.size()));
  state.counters["relative_error"] = RelativeError(values, type, out.data());
}
BENCHMARK_CAPTURE(BM_EncodeRow, F16, WeightType::kF16);
BENCHMARK_CAPTURE(BM_EncodeRow, BF16, WeightType::kBF16);
BENCHMARK_CAPTURE(BM_EncodeRow, Q8_0, WeightType::kQ8_0);
BENCHMARK_CAPTURE(BM_EncodeRow, Q4_0, WeightType::kQ4_0);
BENCHMARK_CAPTURE(BM_EncodeRow, Q4_K, WeightType::kQ4_K);
BENCHMARK_CAPTURE(BM_EncodeRow, Q5_K, WeightType::kQ5_K);
BENCHMARK_CAPTURE(BM_EncodeRow, Q6_K, WeightType::kQ6_K);

}  // namespace
}  // namespace aio
