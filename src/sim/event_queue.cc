#include "sim/event_queue.h"

#include "base/check.h"

namespace aio {

void EventQueue::Plan(TimePoint at, Actor& actor, int64_t what) {
  AIO_CHECK(at >= now_);
  events_.push({at, planned_++, &actor, what});
}

bool EventQueue::RunNext() {
  if (events_.empty()) return false;
  const Event event = events_.top();
  events_.pop();
  now_ = event.at;
  ++num_run_;
  event.actor->OnEvent(event.what);
  return true;
}

}  // namespace aio
