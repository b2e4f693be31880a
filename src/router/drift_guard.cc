#include "router/drift_guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/special_functions/gamma.hpp>
#include <cmath>
#include <utility>

namespace aio {
namespace {

// Of a chi-square variable with so many degrees of freedom: the probability of `value` or more.
double ChiSquareTail(double value, int degrees) {
  if (!std::isfinite(value)) return 0;
  return boost::math::gamma_q(degrees / 2.0, value / 2.0);
}

// Of a standard normal variable: the probability of one as far from 0 as `z` or further.
double TwoSidedNormalTail(double z) { return std::erfc(std::abs(z) / std::sqrt(2.0)); }

}  // namespace

DriftGuard::DriftGuard(DriftSettings settings, OnChange on_change)
    : settings_(std::move(settings)),
      on_change_(std::move(on_change)),
      counts_(settings_.label_shares.size()) {}

void DriftGuard::Observe(const IntentDistribution& intent) {
  const std::string& top = intent.labels[intent.top()];
  DriftSignals now;
  {
    std::lock_guard lock(mutex_);
    const auto known = std::find_if(settings_.label_shares.begin(), settings_.label_shares.end(),
                                    [&](const auto& share) { return share.first == top; });
    if (known == settings_.label_shares.end()) {
      ++unknown_labels_;
    } else {
      ++counts_[static_cast<size_t>(known - settings_.label_shares.begin())];
    }
    entropy_sum_ += intent.entropy;
    ++report_.requests;
    if (++in_window_ < settings_.window) return;
    const bool before = report_.signals.drifted;
    Judge();
    if (report_.signals.drifted == before) return;
    now = report_.signals;
  }
  if (on_change_) on_change_(now);
}

void DriftGuard::Judge() {
  report_.signals = {};
  if (!settings_.label_shares.empty()) JudgeLabels();
  if (settings_.entropy_mean) JudgeEntropy();
  ++report_.windows;
  report_.drifted_windows += report_.signals.drifted ? 1 : 0;
  std::fill(counts_.begin(), counts_.end(), 0);
  unknown_labels_ = 0;
  in_window_ = 0;
  entropy_sum_ = 0;
}

void DriftGuard::JudgeLabels() {
  const auto total = static_cast<double>(in_window_);
  double chi_square = 0;
  size_t worst = 0;
  double worst_off = -1;
  int labels_possible = 0;
  for (size_t i = 0; i < counts_.size(); ++i) {
    const double expected = settings_.label_shares[i].second * total;
    const double off = static_cast<double>(counts_[i]) - expected;
    if (expected > 0) ++labels_possible;
    if (off != 0) chi_square += expected > 0 ? off * off / expected : HUGE_VAL;
    if (std::abs(off) <= worst_off) continue;
    worst = i;
    worst_off = std::abs(off);
  }
  if (unknown_labels_ > 0) chi_square = HUGE_VAL;
  report_.chi_square = chi_square;
  report_.labels_p_value = ChiSquareTail(chi_square, std::max(1, labels_possible - 1));
  const int tests = settings_.entropy_mean ? 2 : 1;
  if (report_.labels_p_value >= (1 - settings_.confidence) / tests) return;
  report_.signals.drifted = true;
  const auto& [label, share] = settings_.label_shares[worst];
  report_.signals.what =
      fmt::format("{} {:.0f} %, was {:.0f} %", label,
                  100 * static_cast<double>(counts_[worst]) / total, 100 * share);
}

void DriftGuard::JudgeEntropy() {
  const auto total = static_cast<double>(in_window_);
  report_.entropy_mean = entropy_sum_ / total;
  const double z =
      (report_.entropy_mean - *settings_.entropy_mean) / (settings_.entropy_sd / std::sqrt(total));
  report_.entropy_p_value = TwoSidedNormalTail(z);
  const int tests = settings_.label_shares.empty() ? 1 : 2;
  if (report_.entropy_p_value >= (1 - settings_.confidence) / tests) return;
  std::string& what = report_.signals.what;
  what += fmt::format("{}entropy {:.2f}, was {:.2f}", report_.signals.drifted ? ", " : "",
                      report_.entropy_mean, *settings_.entropy_mean);
  report_.signals.drifted = true;
}

DriftSignals DriftGuard::signals() const {
  std::lock_guard lock(mutex_);
  return report_.signals;
}

DriftReport DriftGuard::report() const {
  std::lock_guard lock(mutex_);
  return report_;
}

}  // namespace aio
