// A log in a PostgreSQL database, which several programs may write to. Internal to decisions/.
#ifndef AIO_DECISIONS_POSTGRES_LOG_STORE_H_
#define AIO_DECISIONS_POSTGRES_LOG_STORE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "decisions/log_store.h"
#include "decisions/log_values.h"
#include "decisions/redactor.h"
#include "postgres/connection.h"

namespace aio {

class PostgresLogStore final : public LogStore {
 public:
  PostgresLogStore(std::string url, Redactor redactor);

  // Fails for good if the server refuses the user, or has tables of another version.
  Status Open() override;
  void AddPolicy(std::string hash, std::string toml) override;
  // Whatever fails is said to pass: a password that was changed, tables that are gone, may be set
  // right while the rows wait.
  Result<LogBatchCounts> Write(std::vector<LogItem>& items) override;
  Result<int64_t> DeleteBefore(int64_t unix_seconds, int64_t rows_max) override;
  void Stop() override { stopping_ = true; }

 private:
  // Rows for one statement.
  struct Rows {
    std::vector<uint64_t> numbers;
    std::vector<std::vector<LogValue>> values;
    size_t bytes = 0;
  };
  // How a batch is written: many rows at once, or, if the database refused one of them, each by
  // itself, to find out which.
  enum class Mode { kTogether, kEach };

  Result<LogBatchCounts> WriteBatch(std::vector<LogItem>& items, Mode mode);
  Status WriteItems(std::vector<LogItem>& items, Mode mode, LogBatchCounts& counts);
  Status WritePolicies();
  Status Gather(const LoggedDecision& item, Mode mode, LogBatchCounts& counts);
  Status Gather(const LoggedEnd& item, Mode mode, LogBatchCounts& counts);
  Status WriteFeedback(LoggedFeedback& item, Mode mode, LogBatchCounts& counts);
  Status WriteGathered(Mode mode, LogBatchCounts& counts);
  Status RunRows(const std::string& sql, const Rows& rows, Mode mode);
  // Returns how many rows it changed. If each is written by itself, one that cannot be stored
  // leaves the transaction as it was: IsRefusedAlone().
  Result<int64_t> RunOne(const std::string& sql, const std::vector<PostgresValue>& values,
                         Mode mode);
  static bool IsRefusedAlone(const Status& run, Mode mode);

  const std::string url_;
  const Redactor redactor_;
  const std::string instance_;  // tells our rows from those of other programs
  std::atomic<bool> stopping_{false};
  std::vector<LogPolicyText> unwritten_policies_;
  std::unique_ptr<PostgresConnection> connection_;  // null: not open
  Rows decisions_;                                  // of this batch, not yet sent
  Rows ends_;                                       // likewise; of decisions that were sent before
};

}  // namespace aio

#endif  // AIO_DECISIONS_POSTGRES_LOG_STORE_H_
