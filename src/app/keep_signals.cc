#include "app/keep_signals.h"

#include <utility>

#include "app/read_bandwidth.h"

namespace aio {

uint64_t KeepSignals::Decided(DecisionRecord record) {
  const std::lock_guard lock(mutex_);
  if (record.signals && kept_.size() < kKeptMax) kept_.push_back(*std::move(record.signals));
  return 0;
}

double KeepSignals::MedianDecideUs(const RoutingPolicy& policy, const Clock& clock) const {
  // Of several: one takes about as long as looking at the clock.
  constexpr int kDecisions = 20;
  const std::lock_guard lock(mutex_);
  std::vector<double> us;
  us.reserve(kept_.size());
  for (const Signals& signals : kept_) {
    size_t used = 0;
    const TimePoint begin = clock.Now();
    for (int i = 0; i < kDecisions; ++i) used += policy.Decide(signals).role.size();
    const double ms = ToMs(clock.Now() - begin);
    if (used > 0) us.push_back(ms * 1000 / kDecisions);
  }
  return us.empty() ? 0 : Median(std::move(us));
}

}  // namespace aio
