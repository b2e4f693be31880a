// What the log's thread does with its database. Internal to decisions/.
#ifndef AIO_DECISIONS_LOG_WRITER_H_
#define AIO_DECISIONS_LOG_WRITER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/status.h"
#include "decisions/feedback.h"
#include "decisions/redactor.h"
#include "decisions/sqlite.h"
#include "router/decision_observer.h"

namespace aio {

struct LoggedDecision {
  uint64_t number = 0;
  DecisionRecord record;
};

struct LoggedEnd {
  uint64_t number = 0;
  RequestOutcome outcome;
};

struct LoggedFeedback {
  Feedback feedback;
  int64_t unix_seconds = 0;
  std::function<void(Status)> done;
  Status result;  // once it was written
};

using LogItem = std::variant<LoggedDecision, LoggedEnd, LoggedFeedback>;

// Of one batch.
struct LogBatchCounts {
  int64_t rows = 0;     // decisions written
  int64_t refused = 0;  // items that the database cannot hold, whatever is tried
};

// Not thread-safe. Opens the database when it is first needed, and anew after a failure.
class LogWriter {
 public:
  LogWriter(std::string path, Redactor redactor)
      : path_(std::move(path)), redactor_(std::move(redactor)) {}

  // Makes sure that it is open.
  Status Open();
  // Adds a policy that decisions may name; kept in memory until it is written.
  void AddPolicy(std::string hash, std::string toml);

  // All of the items or, if it fails, none of them. Feedback gets its `result`.
  Result<LogBatchCounts> Write(std::vector<LogItem>& items);

  // Deletes up to `rows_max` rows decided before that time; returns how many it found.
  Result<int64_t> DeleteBefore(int64_t unix_seconds, int64_t rows_max);

 private:
  struct Statements;
  struct Policy {
    std::string hash;
    std::string toml;
  };

  void Close();
  Status WriteItems(std::vector<LogItem>& items, LogBatchCounts& counts);
  Status WriteItem(const LoggedDecision& item, LogBatchCounts& counts);
  Status WriteItem(const LoggedEnd& item, LogBatchCounts& counts);
  Status WriteItem(LoggedFeedback& item, LogBatchCounts& counts);
  Status WritePolicies();
  void Settle();  // after a commit

  const std::string path_;
  const Redactor redactor_;
  std::vector<Policy> unwritten_policies_;
  std::unique_ptr<SqliteDatabase> database_;  // null: not open
  std::shared_ptr<Statements> statements_;    // of it
  // Rows of decisions whose end is to come. Those of a batch count once it is committed.
  std::unordered_map<uint64_t, int64_t> open_rows_;
  std::unordered_map<uint64_t, int64_t> new_rows_;
  std::vector<uint64_t> ended_;
};

}  // namespace aio

#endif  // AIO_DECISIONS_LOG_WRITER_H_
