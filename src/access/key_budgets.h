// What is left of a key's limits, live.
#ifndef AIO_ACCESS_KEY_BUDGETS_H_
#define AIO_ACCESS_KEY_BUDGETS_H_

#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>

#include "access/api_key.h"
#include "access/token_bucket.h"
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

// Each limit is a TokenBucket of a minute or a day: it refills evenly, and a restart of the program
// fills it. Thread-safe.
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

 private:
  mutable std::mutex mutex_;
  // Guarded by mutex_; absent: no limit.
  std::optional<TokenBucket> requests_;
  std::optional<TokenBucket> minute_tokens_;
  std::optional<TokenBucket> day_tokens_;
};

}  // namespace aio

#endif  // AIO_ACCESS_KEY_BUDGETS_H_
