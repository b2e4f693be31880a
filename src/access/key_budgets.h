// What is left of a key's limits, live.
#ifndef AIO_ACCESS_KEY_BUDGETS_H_
#define AIO_ACCESS_KEY_BUDGETS_H_

#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "access/api_key.h"
#include "access/shared_bucket.h"
#include "base/clock.h"

namespace aio {

// Why a request must wait.
struct OverLimit {
  std::string_view limit;  // "requests per minute"
  int64_t allowed = 0;     // so many of them
  Duration retry_after{};  // > 0
};

// Of one limit, for the x-ratelimit-* headers.
struct LimitReading {
  int64_t limit = 0;
  int64_t remaining = 0;  // >= 0
  Duration reset{};       // until all of it is there again
};
struct LimitReadings {
  std::optional<LimitReading> requests;  // absent without such a limit
  std::optional<LimitReading> tokens;    // the scarcer of the minute's and the day's
};

// What was used of one limit, and what is left of it: for SharedLimits.
struct LimitUse {
  std::string_view limit;  // "requests", "minute_tokens" or "day_tokens"
  double capacity = 0;
  Duration period{};
  double used = 0;  // since it was last told; negative: more was given back
};

// Each limit is a bucket of a minute or a day: it refills evenly, and a restart of the program
// fills it, unless several programs share it (shared_limits.h). Thread-safe.
class KeyBudgets {
 public:
  KeyBudgets(const KeyLimits& limits, TimePoint now);

  // Takes a request, or says why not. As the next.
  std::optional<OverLimit> TakeRequest(TimePoint now);
  // Sets `tokens` >= 0 aside, an estimate: how long an answer will be, nobody knows. An estimate
  // over a whole limit needs all of it.
  std::optional<OverLimit> Reserve(int64_t tokens, TimePoint now);
  // `used` in place of the `reserved`. More than reserved may leave a debt, which time repays.
  void Settle(int64_t reserved, int64_t used, TimePoint now);

  LimitReadings Read(TimePoint now) const;

  // What was used stays used.
  void SetLimits(const KeyLimits& limits, TimePoint now);

  // For SharedLimits: what to tell of each limit that there is (SharedBucket::BeginReport()), and
  // what is left of one, by all that is known of all programs (SharedBucket::Learn()).
  std::vector<LimitUse> BeginReport(TimePoint now);
  void Learn(std::string_view limit, double level, int members, TimePoint now);
  // When something was last taken or settled, or the limits were set.
  TimePoint last_use() const;

 private:
  // Calls `visit` with each limit's name, period and bucket, which may be absent.
  template <typename Visit>
  void ForEach(Visit visit);

  mutable std::mutex mutex_;
  // Guarded by mutex_; absent: no limit.
  std::optional<SharedBucket> requests_;
  std::optional<SharedBucket> minute_tokens_;
  std::optional<SharedBucket> day_tokens_;
  TimePoint last_use_;
};

}  // namespace aio

#endif  // AIO_ACCESS_KEY_BUDGETS_H_
