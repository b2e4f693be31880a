// The database that a log's rows are written to, as the log's thread sees it. Internal to
// decisions/.
#ifndef AIO_DECISIONS_LOG_STORE_H_
#define AIO_DECISIONS_LOG_STORE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "decisions/log_item.h"

namespace aio {

// The reason() of faults that may pass by themselves: what was to be written is kept and tried
// again.
inline constexpr std::string_view kLogStoreLocked = "locked";  // another program holds its lock
inline constexpr std::string_view kLogStoreFull = "disk";      // is full, or fails
inline constexpr std::string_view kLogStoreAway = "away";      // the server cannot be reached

inline bool MayPass(const Status& status) {
  return status.reason() == kLogStoreLocked || status.reason() == kLogStoreFull ||
         status.reason() == kLogStoreAway;
}

// Of one batch.
struct LogBatchCounts {
  int64_t rows = 0;     // decisions written
  int64_t refused = 0;  // decisions that the database cannot hold, whatever is tried
};

// Not thread-safe, but for Stop(). Opens its database when it is first needed, and anew after a
// failure.
class LogStore {
 public:
  virtual ~LogStore() = default;

  // Makes sure that it is open. A fault that does not pass by itself is one of the configuration.
  virtual Status Open() = 0;

  // Adds a policy that decisions may name; kept in memory until it is written.
  virtual void AddPolicy(std::string hash, std::string toml) = 0;

  // All of the items or, if it fails, none of them. Feedback gets its `result`.
  virtual Result<LogBatchCounts> Write(std::vector<LogItem>& items) = 0;

  // Deletes up to `rows_max` rows decided before that time; returns how many it found.
  virtual Result<int64_t> DeleteBefore(int64_t unix_seconds, int64_t rows_max) = 0;

  // The program ends: from now on, a server that is away is given up soon. From any thread.
  virtual void Stop() {}
};

struct LogPolicyText {
  std::string hash;
  std::string toml;
};

}  // namespace aio

#endif  // AIO_DECISIONS_LOG_STORE_H_
