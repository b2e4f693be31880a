#include "access/token_bucket.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace aio {

TokenBucket::TokenBucket(double capacity, Duration period, TimePoint now)
    : capacity_(capacity), period_(period), level_(capacity), last_(now) {
  AIO_CHECK(capacity > 0 && period > Duration::zero());
}

double TokenBucket::Level(TimePoint now) const {
  const Duration elapsed = std::max(Duration::zero(), now - last_);
  const double refilled =
      capacity_ * (static_cast<double>(elapsed.count()) / static_cast<double>(period_.count()));
  return std::min(capacity_, level_ + refilled);
}

void TokenBucket::Take(double amount, TimePoint now) {
  level_ = Level(now) - amount;
  last_ = std::max(last_, now);
}

void TokenBucket::Give(double amount, TimePoint now) {
  level_ = std::min(capacity_, Level(now) + amount);
  last_ = std::max(last_, now);
}

void TokenBucket::Set(double level, TimePoint now) {
  level_ = std::min(capacity_, level);
  last_ = std::max(last_, now);
}

Duration TokenBucket::Until(double amount, TimePoint now) const {
  const double missing = std::min(amount, capacity_) - Level(now);
  if (missing <= 0) return Duration::zero();
  // Rounded up, so that whoever waits so long finds it.
  return Duration(static_cast<Duration::rep>(
      std::ceil(missing * static_cast<double>(period_.count()) / capacity_)));
}

void TokenBucket::Resize(double capacity, TimePoint now) {
  AIO_CHECK(capacity > 0);
  const double used = capacity_ - Level(now);
  capacity_ = capacity;
  level_ = capacity - used;
  last_ = std::max(last_, now);
}

}  // namespace aio
