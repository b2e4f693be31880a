// Time comes in through this interface, from app/, so that tests and simulation run the
// real router and scheduler without waiting.
#ifndef AIO_BASE_CLOCK_H_
#define AIO_BASE_CLOCK_H_

#include <chrono>
#include <cstdint>
#include <mutex>

namespace aio {

// A point on a monotonic clock; only differences mean anything.
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;
using Duration = std::chrono::nanoseconds;

// "Never": a deadline that does not pass.
inline constexpr TimePoint kNoDeadline = TimePoint::max();

inline double ToMs(Duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint Now() const = 0;
  virtual int64_t UnixSeconds() const = 0;  // wall clock, for `created` fields and logs
};

// The machine's clocks.
class SystemClock final : public Clock {
 public:
  TimePoint Now() const override;
  int64_t UnixSeconds() const override;
};

// A clock that moves only when told to.
class ManualClock final : public Clock {
 public:
  TimePoint Now() const override;
  int64_t UnixSeconds() const override;
  void Advance(Duration d);

 private:
  mutable std::mutex mutex_;
  Duration elapsed_{};
};

}  // namespace aio

#endif  // AIO_BASE_CLOCK_H_
