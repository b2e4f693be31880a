#include "eval/quality_cost_curve.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>

#include "base/check.h"

namespace aio {
namespace {

void SortByScore(std::vector<ScoredOutcome>& outcomes) {
  std::stable_sort(
      outcomes.begin(), outcomes.end(),
      [](const ScoredOutcome& a, const ScoredOutcome& b) { return a.score > b.score; });
}

struct Areas {
  double area = 0;
  double random = 0;
};

// Of sorted outcomes, each counted `counts[i]` times. Between points the curve is a line.
Areas AreaOf(const std::vector<ScoredOutcome>& sorted, const std::vector<int>& counts) {
  double total = 0, small = 0, large = 0;
  for (size_t i = 0; i < sorted.size(); ++i) {
    total += counts[i];
    small += counts[i] * sorted[i].small;
    large += counts[i] * sorted[i].large;
  }
  double quality = small;  // times total, as all here until the end
  double area = 0;
  for (size_t i = 0; i < sorted.size();) {
    double gain = 0, queries = 0;
    size_t end = i;
    for (; end < sorted.size() && sorted[end].score == sorted[i].score; ++end) {
      gain += counts[end] * (sorted[end].large - sorted[end].small);
      queries += counts[end];
    }
    area += (quality + gain / 2) * queries;
    quality += gain;
    i = end;
  }
  return {.area = area / (total * total), .random = (small + large) / (2 * total)};
}

double Percentile(std::vector<double>& values, double share) {
  const auto at = static_cast<size_t>(std::lround(share * static_cast<double>(values.size() - 1)));
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(at), values.end());
  return values[at];
}

// The modulo's bias, under 2^-32, is nothing here; the distributions of <random> would differ from
// one library to the next.
void Resample(std::mt19937_64& random, std::vector<int>& counts) {
  std::fill(counts.begin(), counts.end(), 0);
  for (size_t i = 0; i < counts.size(); ++i) ++counts[random() % counts.size()];
}

}  // namespace

std::vector<CurvePoint> QualityCostCurve(std::vector<ScoredOutcome> outcomes) {
  AIO_CHECK(!outcomes.empty());
  SortByScore(outcomes);
  const auto total = static_cast<double>(outcomes.size());
  double quality = 0;
  for (const ScoredOutcome& outcome : outcomes) quality += outcome.small;
  std::vector<CurvePoint> curve = {{.large_share = 0, .quality = quality / total}};
  for (size_t i = 0; i < outcomes.size(); ++i) {
    quality += outcomes[i].large - outcomes[i].small;
    if (i + 1 < outcomes.size() && outcomes[i + 1].score == outcomes[i].score) continue;
    curve.push_back(
        {.large_share = static_cast<double>(i + 1) / total, .quality = quality / total});
  }
  return curve;
}

CurveArea MeasureCurve(std::vector<ScoredOutcome> outcomes, int resamples, uint64_t seed) {
  AIO_CHECK(!outcomes.empty() && resamples > 0);
  SortByScore(outcomes);
  std::vector<int> counts(outcomes.size(), 1);
  const Areas own = AreaOf(outcomes, counts);
  CurveArea measured;
  measured.area = own.area;
  measured.random = own.random;
  measured.above_random = own.area - own.random;

  std::vector<double> differences;
  std::mt19937_64 random(seed);
  for (int i = 0; i < resamples; ++i) {
    Resample(random, counts);
    const Areas sample = AreaOf(outcomes, counts);
    differences.push_back(sample.area - sample.random);
  }
  measured.above_random_low = Percentile(differences, 0.025);
  measured.above_random_high = Percentile(differences, 0.975);

  double small = 0, large = 0;
  for (ScoredOutcome& outcome : outcomes) {
    small += outcome.small;
    large += outcome.large;
    outcome.score = outcome.large - outcome.small;
  }
  SortByScore(outcomes);
  std::fill(counts.begin(), counts.end(), 1);
  measured.oracle = AreaOf(outcomes, counts).area;
  const auto total = static_cast<double>(outcomes.size());
  measured.gap_recovered = large == small ? std::numeric_limits<double>::quiet_NaN()
                                          : (own.area - small / total) * total / (large - small);
  return measured;
}

}  // namespace aio
