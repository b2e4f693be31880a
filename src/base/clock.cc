#include "base/clock.h"

namespace aio {

TimePoint SystemClock::Now() const { return std::chrono::steady_clock::now(); }

int64_t SystemClock::UnixSeconds() const {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

TimePoint ManualClock::Now() const {
  std::lock_guard lock(mutex_);
  return TimePoint(elapsed_);
}

int64_t ManualClock::UnixSeconds() const {
  std::lock_guard lock(mutex_);
  return std::chrono::duration_cast<std::chrono::seconds>(elapsed_).count();
}

void ManualClock::Advance(Duration d) {
  std::lock_guard lock(mutex_);
  elapsed_ += d;
}

}  // namespace aio
