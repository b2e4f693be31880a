// How the load generator waits. Comes in from outside, as the clock does, so that tests let a
// simulated world go on instead.
#ifndef AIO_TRAFFIC_WAITER_H_
#define AIO_TRAFFIC_WAITER_H_

#include <condition_variable>
#include <mutex>

#include "base/clock.h"

namespace aio {

class Waiter {
 public:
  virtual ~Waiter() = default;
  // Called with `lock` held; returns with it held, when `changed` was notified or `until` has
  // come (kNoDeadline: never), or for no reason.
  virtual void Wait(std::unique_lock<std::mutex>& lock, std::condition_variable& changed,
                    TimePoint until) = 0;
};

// The machine's.
class SystemWaiter final : public Waiter {
 public:
  void Wait(std::unique_lock<std::mutex>& lock, std::condition_variable& changed,
            TimePoint until) override;
};

}  // namespace aio

#endif  // AIO_TRAFFIC_WAITER_H_
