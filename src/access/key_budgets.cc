#include "access/key_budgets.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace aio {
namespace {

constexpr Duration kMinute = std::chrono::minutes(1);
constexpr Duration kDay = std::chrono::hours(24);

void SetLimit(std::optional<TokenBucket>& bucket, int limit, Duration period, TimePoint now) {
  if (limit <= 0) {
    bucket.reset();
  } else if (bucket) {
    bucket->Resize(limit, now);
  } else {
    bucket.emplace(limit, period, now);
  }
}

std::optional<OverLimit> Lacks(const std::optional<TokenBucket>& bucket, std::string_view name,
                               double amount, TimePoint now) {
  if (!bucket) return std::nullopt;
  const Duration wait = bucket->Until(amount, now);
  if (wait == Duration::zero()) return std::nullopt;
  return OverLimit{
      .limit = name, .allowed = static_cast<int64_t>(bucket->capacity()), .retry_after = wait};
}

LimitReading ReadBucket(const TokenBucket& bucket, TimePoint now) {
  return {.limit = static_cast<int64_t>(bucket.capacity()),
          .remaining = static_cast<int64_t>(std::floor(std::max(0.0, bucket.Level(now)))),
          .reset = bucket.Until(bucket.capacity(), now)};
}

}  // namespace

KeyBudgets::KeyBudgets(const KeyLimits& limits, TimePoint now) { SetLimits(limits, now); }

void KeyBudgets::SetLimits(const KeyLimits& limits, TimePoint now) {
  std::lock_guard lock(mutex_);
  SetLimit(requests_, limits.requests_per_minute, kMinute, now);
  SetLimit(minute_tokens_, limits.tokens_per_minute, kMinute, now);
  SetLimit(day_tokens_, limits.tokens_per_day, kDay, now);
}

std::optional<OverLimit> KeyBudgets::TakeRequest(TimePoint now) {
  std::lock_guard lock(mutex_);
  if (auto over = Lacks(requests_, "requests per minute", 1, now)) return over;
  if (requests_) requests_->Take(1, now);
  return std::nullopt;
}

std::optional<OverLimit> KeyBudgets::Reserve(int64_t tokens, TimePoint now) {
  const auto amount = static_cast<double>(tokens);
  std::lock_guard lock(mutex_);
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

}  // namespace aio
