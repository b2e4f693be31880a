// Tasks by the time when they are due.
#ifndef AIO_REMOTE_TIMER_QUEUE_H_
#define AIO_REMOTE_TIMER_QUEUE_H_

#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "base/clock.h"

namespace aio {

// Not thread-safe.
class TimerQueue {
 public:
  void Add(TimePoint at, std::function<void()> task) { tasks_.emplace(at, std::move(task)); }
  bool empty() const { return tasks_.empty(); }
  // Of the first task; only if there is one.
  TimePoint next() const { return tasks_.begin()->first; }
  // The first task, if it is due.
  std::optional<std::function<void()>> TakeDue(TimePoint now) {
    if (tasks_.empty() || tasks_.begin()->first > now) return std::nullopt;
    std::function<void()> task = std::move(tasks_.begin()->second);
    tasks_.erase(tasks_.begin());
    return task;
  }

 private:
  std::multimap<TimePoint, std::function<void()>> tasks_;  // equal times in the order of Add()
};

}  // namespace aio

#endif  // AIO_REMOTE_TIMER_QUEUE_H_
