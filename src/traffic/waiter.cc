#include "traffic/waiter.h"

namespace aio {

void SystemWaiter::Wait(std::unique_lock<std::mutex>& lock, std::condition_variable& changed,
                        TimePoint until) {
  if (until == kNoDeadline) {
    changed.wait(lock);
  } else {
    changed.wait_until(lock, until);
  }
}

}  // namespace aio
