// The last requests that the router answered, as the dashboard shows and re-decides them.
#ifndef AIO_DASHBOARD_RECENT_DECISIONS_H_
#define AIO_DASHBOARD_RECENT_DECISIONS_H_

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "router/decision_observer.h"

namespace aio {

struct RecentDecision {
  uint64_t number = 0;     // from 1, in the order of deciding
  uint64_t version = 0;    // of its last change; versions of all requests are one sequence from 1
  DecisionRecord record;   // without the prompt
  TimePoint decided_at{};  // by the clock given
  std::optional<RequestOutcome> outcome;  // absent while it runs
  TimePoint ended_at{};                   // if it has ended
};

// Thread-safe. What it keeps is in memory alone, at most kKeptMax requests and never a prompt.
class RecentDecisions final : public DecisionObserver {
 public:
  static constexpr size_t kKeptMax = 512;

  // `next` is told everything too; may be null. `next` and `clock` outlive this.
  RecentDecisions(DecisionObserver* next, const Clock& clock) : next_(next), clock_(clock) {}

  bool wants_prompts() const override { return next_ != nullptr && next_->wants_prompts(); }
  uint64_t Decided(DecisionRecord record) override;
  void Ended(uint64_t number, const RequestOutcome& outcome) override;

  // Those that changed after `version`, in the order of deciding.
  std::vector<RecentDecision> ChangedSince(uint64_t version) const;

 private:
  DecisionObserver* const next_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  // Guarded by mutex_:
  std::deque<RecentDecision> kept_;  // numbers without a gap
  std::unordered_map<uint64_t, uint64_t>
      next_numbers_;  // of those that run, what `next_` calls them
  uint64_t numbers_ = 0;
  uint64_t versions_ = 0;
};

}  // namespace aio

#endif  // AIO_DASHBOARD_RECENT_DECISIONS_H_
