#include "dashboard/recent_decisions.h"

#include <utility>

namespace aio {

uint64_t RecentDecisions::Decided(DecisionRecord record) {
  const uint64_t next_number = next_ == nullptr ? 0 : next_->Decided(record);
  record.prompt.reset();
  const TimePoint now = clock_.Now();
  const std::lock_guard lock(mutex_);
  RecentDecision& kept = kept_.emplace_back();
  kept.number = ++numbers_;
  kept.version = ++versions_;
  kept.record = std::move(record);
  kept.decided_at = now;
  if (next_ != nullptr) next_numbers_.emplace(numbers_, next_number);
  if (kept_.size() > kKeptMax) kept_.pop_front();
  return numbers_;
}

void RecentDecisions::Ended(uint64_t number, const RequestOutcome& outcome) {
  const TimePoint now = clock_.Now();
  std::optional<uint64_t> next_number;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = next_numbers_.find(number); found != next_numbers_.end()) {
      next_number = found->second;
      next_numbers_.erase(found);
    }
    const uint64_t first = numbers_ - kept_.size() + 1;
    if (number >= first && number <= numbers_) {
      RecentDecision& kept = kept_[static_cast<size_t>(number - first)];
      kept.version = ++versions_;
      kept.outcome = outcome;
      kept.ended_at = now;
    }
  }
  if (next_number) next_->Ended(*next_number, outcome);
}

std::vector<RecentDecision> RecentDecisions::ChangedSince(uint64_t version) const {
  const std::lock_guard lock(mutex_);
  std::vector<RecentDecision> changed;
  for (const RecentDecision& kept : kept_) {
    if (kept.version > version) changed.push_back(kept);
  }
  return changed;
}

}  // namespace aio
