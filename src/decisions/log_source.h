// Where a LogReader reads from. Internal to decisions/.
#ifndef AIO_DECISIONS_LOG_SOURCE_H_
#define AIO_DECISIONS_LOG_SOURCE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "decisions/log_reader.h"

namespace aio {

// What is read of a row, in the order in which ReadLogRow() takes it.
inline constexpr char kLogRowColumns[] =
    "id, request_id, unix_seconds, prompt_hash, prompt, policy_hash, signals, intent, "
    "prompt_tokens, model, role, weights, strategy_json, rule, reason, finish, answered_by, "
    "completion_tokens, queue_ms, probe_ms, prompt_ms, predicted_ms, weight_bytes, kv_bytes, "
    "static_large_bytes, score";

// A row of whichever database. Columns from 0; a value of another type is converted.
class LogRowView {
 public:
  virtual ~LogRowView() = default;
  virtual bool IsNull(int column) const = 0;
  virtual int64_t Int(int column) const = 0;
  virtual double Real(int column) const = 0;
  virtual std::string Text(int column) const = 0;
};

Result<LoggedRequest> ReadLogRow(const LogRowView& row);

// As LogReader.
class LogSource {
 public:
  virtual ~LogSource() = default;
  virtual int64_t CountRows() = 0;
  virtual Status ReadAll(const std::function<void(LoggedRequest)>& visit) = 0;
  virtual std::map<std::string, std::string> ReadPolicies() = 0;

  const std::vector<std::string>& unreadable() const { return unreadable_; }
  int64_t unreadable_rows() const { return unreadable_rows_; }

 protected:
  // Visits the row, or notes why it has no meaning.
  void Deliver(const LogRowView& row, const std::function<void(LoggedRequest)>& visit);
  // `line` tells of so many rows.
  void Note(std::string line, int64_t rows);

 private:
  std::vector<std::string> unreadable_;
  int64_t unreadable_rows_ = 0;
};

Result<std::unique_ptr<LogSource>> OpenSqliteLog(const std::string& path);
Result<std::unique_ptr<LogSource>> OpenPostgresLog(const std::string& url);

}  // namespace aio

#endif  // AIO_DECISIONS_LOG_SOURCE_H_
