// A log in an SQLite file. Internal to decisions/.
#ifndef AIO_DECISIONS_SQLITE_LOG_STORE_H_
#define AIO_DECISIONS_SQLITE_LOG_STORE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/status.h"
#include "decisions/log_store.h"
#include "decisions/redactor.h"
#include "decisions/sqlite.h"

namespace aio {

class SqliteLogStore final : public LogStore {
 public:
  SqliteLogStore(std::string path, Redactor redactor)
      : path_(std::move(path)), redactor_(std::move(redactor)) {}

  Status Open() override;
  void AddPolicy(std::string hash, std::string toml) override;
  Result<LogBatchCounts> Write(std::vector<LogItem>& items) override;
  Result<int64_t> DeleteBefore(int64_t unix_seconds, int64_t rows_max) override;

 private:
  struct Statements;

  void Close();
  Status WriteItems(std::vector<LogItem>& items, LogBatchCounts& counts);
  Status WriteItem(const LoggedDecision& item, LogBatchCounts& counts);
  Status WriteItem(const LoggedEnd& item, LogBatchCounts& counts);
  Status WriteItem(LoggedFeedback& item, LogBatchCounts& counts);
  Status WritePolicies();
  void Settle();  // after a commit

  const std::string path_;
  const Redactor redactor_;
  std::vector<LogPolicyText> unwritten_policies_;
  std::unique_ptr<SqliteDatabase> database_;  // null: not open
  std::shared_ptr<Statements> statements_;    // of it
  // Rows of decisions whose end is to come. Those of a batch count once it is committed.
  std::unordered_map<uint64_t, int64_t> open_rows_;
  std::unordered_map<uint64_t, int64_t> new_rows_;
  std::vector<uint64_t> ended_;
};

}  // namespace aio

#endif  // AIO_DECISIONS_SQLITE_LOG_STORE_H_
