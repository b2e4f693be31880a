#include "engine/step_costs.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/check.h"

namespace aio {

StepCosts::StepCosts(std::vector<int> rows, std::vector<double> ms)
    : rows_(std::move(rows)), curve_(std::move(ms)) {
  AIO_CHECK(!rows_.empty() && rows_[0] == 1 && rows_.size() == curve_.size() && curve_[0] > 0);
  height_ms_ = curve_[0];
  for (double& value : curve_) value /= height_ms_;
  for (size_t i = 1; i < rows_.size(); ++i) {
    AIO_CHECK(rows_[i] > rows_[i - 1]);
    curve_[i] = std::max(curve_[i], curve_[i - 1]);
  }
  measured_ = curve_;
}

StepCosts StepCosts::Measure(int rows_max, Duration budget, const Clock& clock,
                             const std::function<void(int rows)>& step) {
  constexpr int kOrder[] = {1, 5, 17, 3, 9, 2, 4, 7, 13, 6, 8, 11, 15, 24, 32};
  constexpr size_t kAtLeast = 3;
  constexpr int kRoundsMax = 9;
  std::map<int, double> ms;
  const TimePoint begin = clock.Now();
  step(1);  // whatever the first one finds cold
  // The least of several rounds: what a step takes when nothing gets in its way. In turn, so
  // that a slow moment does not bend the curve.
  for (int round = 0; round < kRoundsMax; ++round) {
    for (const int rows : kOrder) {
      if (rows > rows_max) continue;
      const TimePoint before = clock.Now();
      if (ms.size() >= kAtLeast && before - begin > budget) break;
      step(rows);
      const double taken = std::max(ToMs(clock.Now() - before), 1e-6);
      const auto [entry, is_new] = ms.emplace(rows, taken);
      entry->second = std::min(entry->second, taken);
    }
    if (clock.Now() - begin > budget) break;
  }
  std::vector<int> rows;
  std::vector<double> least;
  for (const auto& [count, taken] : ms) {
    rows.push_back(count);
    least.push_back(taken);
  }
  return {std::move(rows), std::move(least)};
}

double StepCosts::Curve(double rows) const {
  if (rows_.size() == 1) return 1;
  const auto above = std::upper_bound(rows_.begin(), rows_.end(), rows);
  // Beyond the last it goes on as between the first and the last: a step of many tokens is
  // bound by arithmetic.
  if (above == rows_.end()) {
    const double slope = (curve_.back() - 1) / (rows_.back() - 1);
    return curve_.back() + slope * (rows - rows_.back());
  }
  const auto i = static_cast<size_t>(above - rows_.begin());
  const double part = (rows - rows_[i - 1]) / (rows_[i] - rows_[i - 1]);
  return curve_[i - 1] + part * (curve_[i] - curve_[i - 1]);
}

double StepCosts::Ms(int rows) const { return height_ms_ * Curve(std::max(rows, 1)); }

void StepCosts::Observe(int rows, double ms) {
  // Both ways alike, or the height would settle beside the middle and bend the curve; but a step
  // much quicker than believed shows that the belief is of a time when something was in the way.
  // A few steps that the system held up, by whatever factor, say little of the next.
  constexpr double kSurpriseMax = 1.3;
  constexpr double kHeightFollows = 0.1;
  constexpr double kHeightFalls = 0.5;
  constexpr double kCurveFollows = 0.1;
  constexpr double kCurveGoesBack = 0.002;
  const double surprise = std::clamp(ms / Ms(rows), 0.1, kSurpriseMax);
  height_ms_ *= 1 + (surprise < 0.5 ? kHeightFalls : kHeightFollows) * (surprise - 1);
  if (rows > rows_.back()) return;
  // What was seen says something of like numbers of rows too. The others go back to what was
  // measured at the start, else those that were once found too dear would never be tried again.
  for (size_t i = 1; i < rows_.size(); ++i) {
    const double ratio = static_cast<double>(std::min(rows_[i], rows)) / std::max(rows_[i], rows);
    const double likeness = rows == 1 ? 0 : ratio * ratio;
    const double seen = curve_[i] * (1 + kCurveFollows * likeness * (surprise - 1));
    const double back = kCurveGoesBack * (1 - likeness) * (measured_[i] - seen);
    curve_[i] = std::max(seen + back, curve_[i - 1]);
  }
}

}  // namespace aio
