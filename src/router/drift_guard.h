// Whether live requests still look like those that a policy was calibrated on.
#ifndef AIO_ROUTER_DRIFT_GUARD_H_
#define AIO_ROUTER_DRIFT_GUARD_H_

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "router/intent_distribution.h"
#include "router/policy_settings.h"
#include "router/signals.h"

namespace aio {

struct DriftReport {
  int64_t requests = 0;         // looked at since the start
  int64_t windows = 0;          // full windows, each judged once
  int64_t drifted_windows = 0;  // of these
  // Of the last full window:
  double chi_square = 0;       // of its labels against label_shares
  double labels_p_value = 1;   // of one as large or larger without drift
  double entropy_mean = 0;     // nats
  double entropy_p_value = 1;  // of a mean as far off or further without drift
  DriftSignals signals;
};

// Windows do not overlap: each is one test, so without drift a share of 1 - confidence of them
// raises a false alarm, whatever the traffic. What one says holds until the next is full.
//
// Labels: Pearson's chi-square test of their counts. Entropy: z test of the mean. Where both are
// checked, each gets half of the false alarms (Bonferroni). Thread-safe.
class DriftGuard {
 public:
  // Told when a window is judged otherwise than the one before; from inside Observe(), without
  // a lock held.
  using OnChange = std::function<void(const DriftSignals&)>;

  explicit DriftGuard(DriftSettings settings, OnChange on_change = nullptr);

  // One probed request, calibrated.
  void Observe(const IntentDistribution& intent);

  DriftSignals signals() const;
  DriftReport report() const;

 private:
  void Judge();  // the window, which is full
  void JudgeLabels();
  void JudgeEntropy();

  const DriftSettings settings_;
  const OnChange on_change_;

  mutable std::mutex mutex_;
  // Guarded by mutex_:
  std::vector<int64_t> counts_;  // [label_shares]
  int64_t unknown_labels_ = 0;   // top labels that label_shares does not name
  int64_t in_window_ = 0;
  double entropy_sum_ = 0;
  DriftReport report_;
};

}  // namespace aio

#endif  // AIO_ROUTER_DRIFT_GUARD_H_
