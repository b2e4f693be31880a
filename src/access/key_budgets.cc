#include "access/key_budgets.h"

#include <chrono>
#include <cmath>

namespace aio {
namespace {

constexpr Duration kMinute = std::chrono::minutes(1);
constexpr Duration kDay = std::chrono::hours(24);

void SetLimit(std::optional<SharedBucket>& bucket, int limit, Duration period, TimePoint now) {
  if (limit <= 0) {
    bucket.reset();
  } else if (bucket) {
    bucket->Resize(limit, now);
  } else {
    bucket.emplace(limit, period, now);
  }
}

std::optional<OverLimit> Lacks(const std::optional<SharedBucket>& bucket, std::string_view name,
                               double amount, TimePoint now) {
  if (!bucket) return std::nullopt;
  const Duration wait = bucket->Until(amount, now);
  if (wait == Duration::zero()) return std::nullopt;
  return OverLimit{
      .limit = name, .allowed = static_cast<int64_t>(bucket->capacity()), .retry_after = wait};
}

LimitReading ReadBucket(const SharedBucket& bucket, TimePoint now) {
  return {.limit = static_cast<int64_t>(bucket.capacity()),
          .remaining = static_cast<int64_t>(std::floor(bucket.Remaining(now))),
          .reset = bucket.UntilFull(now)};
}

}  // namespace

KeyBudgets::KeyBudgets(const KeyLimits& limits, TimePoint now) : last_use_(now) {
  SetLimits(limits, now);
}

void KeyBudgets::SetLimits(const KeyLimits& limits, TimePoint now) {
  std::lock_guard lock(mutex_);
  last_use_ = now;
  SetLimit(requests_, limits.requests_per_minute, kMinute, now);
  SetLimit(minute_tokens_, limits.tokens_per_minute, kMinute, now);
  SetLimit(day_tokens_, limits.tokens_per_day, kDay, now);
}

std::optional<OverLimit> KeyBudgets::TakeRequest(TimePoint now) {
  std::lock_guard lock(mutex_);
  last_use_ = now;
  if (auto over = Lacks(requests_, "requests per minute", 1, now)) return over;
  if (requests_) requests_->Take(1, now);
  return std::nullopt;
}

std::optional<OverLimit> KeyBudgets::Reserve(int64_t tokens, TimePoint now) {
  const auto amount = static_cast<double>(tokens);
  std::lock_guard lock(mutex_);
  last_use_ = now;
  // The day's first: of two reasons the one that lasts.
  if (auto over = Lacks(day_tokens_, "tokens per day", amount, now)) return over;
  if (auto over = Lacks(minute_tokens_, "tokens per minute", amount, now)) return over;
  if (minute_tokens_) minute_tokens_->Take(amount, now);
  if (day_tokens_) day_tokens_->Take(amount, now);
  return std::nullopt;
}

void KeyBudgets::Settle(int64_t reserved, int64_t used, TimePoint now) {
  const auto back = static_cast<double>(reserved - used);  // negative: a debt
  std::lock_guard lock(mutex_);
  last_use_ = now;
  if (minute_tokens_) minute_tokens_->Give(back, now);
  if (day_tokens_) day_tokens_->Give(back, now);
}

LimitReadings KeyBudgets::Read(TimePoint now) const {
  std::lock_guard lock(mutex_);
  LimitReadings readings;
  if (requests_) readings.requests = ReadBucket(*requests_, now);
  if (minute_tokens_) readings.tokens = ReadBucket(*minute_tokens_, now);
  if (day_tokens_) {
    const LimitReading day = ReadBucket(*day_tokens_, now);
    if (!readings.tokens || day.remaining < readings.tokens->remaining) readings.tokens = day;
  }
  return readings;
}

template <typename Visit>
void KeyBudgets::ForEach(Visit visit) {
  visit("requests", kMinute, requests_);
  visit("minute_tokens", kMinute, minute_tokens_);
  visit("day_tokens", kDay, day_tokens_);
}

std::vector<LimitUse> KeyBudgets::BeginReport(TimePoint now) {
  std::lock_guard lock(mutex_);
  std::vector<LimitUse> uses;
  ForEach([&](std::string_view limit, Duration period, std::optional<SharedBucket>& bucket) {
    if (!bucket) return;
    uses.push_back({.limit = limit,
                    .capacity = bucket->capacity(),
                    .period = period,
                    .used = bucket->BeginReport(now)});
  });
  return uses;
}

void KeyBudgets::Learn(std::string_view limit, double level, int members, TimePoint now) {
  std::lock_guard lock(mutex_);
  ForEach([&](std::string_view name, Duration, std::optional<SharedBucket>& bucket) {
    if (name == limit && bucket) bucket->Learn(level, members, now);
  });
}

TimePoint KeyBudgets::last_use() const {
  std::lock_guard lock(mutex_);
  return last_use_;
}

}  // namespace aio
