#include "eval/intervals.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "base/check.h"

namespace aio {

namespace {

// The q-quantile of values that are sorted: the smallest that at least a share q does not exceed.
double Quantile(const std::vector<double>& sorted, double q) {
  const double rank = std::ceil(q * static_cast<double>(sorted.size())) - 1;
  const auto last = static_cast<double>(sorted.size() - 1);
  return sorted[static_cast<size_t>(std::clamp(rank, 0.0, last))];
}

}  // namespace

Interval Bootstrap(int size, double confidence,
                   const std::function<double(const std::vector<int>& sample)>& statistic,
                   int resamples, uint64_t seed) {
  AIO_CHECK(size > 0 && resamples > 0 && confidence > 0 && confidence < 1);
  std::mt19937_64 random(seed);
  std::vector<int> sample(static_cast<size_t>(size));
  std::vector<double> values;
  values.reserve(static_cast<size_t>(resamples));
  for (int i = 0; i < resamples; ++i) {
    // Not uniform_int_distribution, which every library does in its own way.
    for (int& index : sample) index = static_cast<int>(random() % static_cast<uint64_t>(size));
    values.push_back(statistic(sample));
  }
  std::sort(values.begin(), values.end());
  return {Quantile(values, (1 - confidence) / 2), Quantile(values, (1 + confidence) / 2)};
}

}  // namespace aio
