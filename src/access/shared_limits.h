// Keeps the limits of keys together with other programs that serve the same keys.
//
// No request waits for it: a thread tells a store ten times a second what was used here, and what
// is left for this program to give comes back (shared_bucket.h says how much that may be wrong).
// While the store is away, each program keeps to its share: the limit divided by the number of
// programs that there were. One that has never reached the store takes itself for the only one.
#ifndef AIO_ACCESS_SHARED_LIMITS_H_
#define AIO_ACCESS_SHARED_LIMITS_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "access/access_control.h"
#include "access/limit_store.h"
#include "base/clock.h"
#include "base/status.h"

namespace aio {

struct SharedLimitsOptions {
  Duration interval = std::chrono::milliseconds(100);
  // After a failure, then twice as long after each further one, up to the second.
  Duration retry_interval = std::chrono::seconds(1);
  Duration retry_interval_max = std::chrono::seconds(10);
  // Told when the store is away, and with an ok Status when it is back. May be empty.
  std::function<void(const Status&)> on_health;
};

// Since the start.
struct SharedLimitsCounts {
  int64_t exchanges = 0;
  int64_t errors = 0;
  int members = 1;
  bool up = false;  // the last exchange succeeded
};

// Thread-safe.
class SharedLimits {
 public:
  // `clock` outlives it.
  SharedLimits(std::unique_ptr<LimitStore> store, std::shared_ptr<AccessControl> access,
               SharedLimitsOptions options, const Clock& clock);
  // Tells a last time what was used, and leaves.
  ~SharedLimits();
  SharedLimits(const SharedLimits&) = delete;
  SharedLimits& operator=(const SharedLimits&) = delete;

  // Exchanges once, so that nothing is given before the others are known of, then goes on in a
  // thread. Fails only if the store will not do as it is configured; that it is away is told to
  // `on_health`.
  Status Start();

  // One exchange; what the thread does. For tests too, in place of Start().
  Status Exchange();

  SharedLimitsCounts counts() const;

 private:
  struct Reported;
  void Run();
  Status ExchangeUses();
  std::vector<Reported> GatherUses(TimePoint now);
  void ReportHealth(const Status& status);

  const std::shared_ptr<AccessControl> access_;
  const SharedLimitsOptions options_;
  const Clock& clock_;

  std::mutex exchange_mutex_;  // guards the next
  const std::unique_ptr<LimitStore> store_;
  TimePoint next_round_ = TimePoint::min();  // when the levels of all keys are asked for
  bool healthy_ = true;

  std::mutex stop_mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;  // guarded by stop_mutex_

  std::atomic<int64_t> exchanges_{0};
  std::atomic<int64_t> errors_{0};
  std::atomic<int> members_{1};
  std::atomic<bool> up_{false};
  std::thread thread_;
};

}  // namespace aio

#endif  // AIO_ACCESS_SHARED_LIMITS_H_
