// Simulated time: what happens when, one thing after the other.
#ifndef AIO_SIM_EVENT_QUEUE_H_
#define AIO_SIM_EVENT_QUEUE_H_

#include <cstdint>
#include <queue>
#include <vector>

#include "base/clock.h"

namespace aio {

// Something to which things happen.
class Actor {
 public:
  virtual ~Actor() = default;
  // `what` is the actor's own word for it.
  virtual void OnEvent(int64_t what) = 0;
};

// Not thread-safe. Things of one time happen in the order in which they were planned, so that a run
// is the same on every machine.
class EventQueue final : public Clock {
 public:
  TimePoint Now() const override { return now_; }
  int64_t UnixSeconds() const override {
    return std::chrono::duration_cast<std::chrono::seconds>(now_.time_since_epoch()).count();
  }

  // `actor` outlives it. `at` is not before now.
  void Plan(TimePoint at, Actor& actor, int64_t what);
  // False: nothing is planned any more.
  bool RunNext();
  int64_t num_run() const { return num_run_; }

 private:
  struct Event {
    TimePoint at;
    uint64_t number;
    Actor* actor;
    int64_t what;

    bool operator>(const Event& other) const {
      return at != other.at ? at > other.at : number > other.number;
    }
  };

  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  TimePoint now_{};
  uint64_t planned_ = 0;
  int64_t num_run_ = 0;
};

}  // namespace aio

#endif  // AIO_SIM_EVENT_QUEUE_H_
