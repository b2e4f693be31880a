// What waits to be written. Internal to decisions/.
#ifndef AIO_DECISIONS_LOG_QUEUE_H_
#define AIO_DECISIONS_LOG_QUEUE_H_

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "decisions/log_item.h"

namespace aio {

// Bounded by decisions and the bytes of their prompts: each brings at most one end, which is always
// taken. Thread-safe, with one thread that takes.
class LogQueue {
 public:
  explicit LogQueue(size_t decisions_max) : decisions_max_(decisions_max) {}

  // A number > 0, or 0 if it is full.
  uint64_t AddDecision(DecisionRecord record);
  void AddEnd(LoggedEnd end);
  // False if it is full.
  bool AddFeedback(LoggedFeedback feedback);
  // `written` is called by whoever takes, once all that came before was tried.
  void AddBarrier(std::function<void(const Status&)> written);

  void Stop();

  struct Taken {
    std::vector<LogItem> items;
    std::vector<std::function<void(const Status&)>> barriers;
    bool stopping = false;
  };
  // Waits `gather` after the first item, or up to `idle` for one; feedback, barriers and Stop()
  // end the wait, and so does a queue that is half full.
  Taken Take(Duration gather, Duration idle);
  // Waits up to `time`, less if somebody is in a hurry as above; whether that was so. A queue that
  // stays half full is in a hurry once.
  bool WaitToRetry(Duration time);
  // Those of these that are decisions, as they were taken, wait no longer. Returns how many.
  size_t Settle(const std::vector<LogItem>& taken);

  size_t waiting() const;

 private:
  bool Urgent() const { return stopping_ || hurry_; }

  const size_t decisions_max_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_:
  Taken next_;
  bool stopping_ = false;
  bool hurry_ = false;       // feedback or a barrier waits, or the queue became half full
  size_t decisions_ = 0;     // in next_, or taken and not settled
  size_t prompt_bytes_ = 0;  // of those
  size_t feedbacks_ = 0;     // in next_
  uint64_t last_number_ = 0;
};

}  // namespace aio

#endif  // AIO_DECISIONS_LOG_QUEUE_H_
