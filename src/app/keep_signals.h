// Keeps what requests were decided from, to time deciding itself afterwards.
#ifndef AIO_APP_KEEP_SIGNALS_H_
#define AIO_APP_KEEP_SIGNALS_H_

#include <mutex>
#include <vector>

#include "base/clock.h"
#include "router/decision_observer.h"
#include "router/routing_policy.h"

namespace aio {

class KeepSignals final : public DecisionObserver {
 public:
  static constexpr size_t kKeptMax = 1000;

  bool wants_prompts() const override { return false; }
  uint64_t Decided(DecisionRecord record) override;
  void Ended(uint64_t, const RequestOutcome&) override {}

  // The median time of RoutingPolicy::Decide() on what was kept, in microseconds; 0 if nothing was.
  double MedianDecideUs(const RoutingPolicy& policy, const Clock& clock) const;

 private:
  mutable std::mutex mutex_;
  std::vector<Signals> kept_;
};

}  // namespace aio

#endif  // AIO_APP_KEEP_SIGNALS_H_
