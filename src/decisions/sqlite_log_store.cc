#include "decisions/sqlite_log_store.h"

#include <fmt/format.h>

#include "decisions/log_values.h"
#include "decisions/sqlite_log_schema.h"

namespace aio {
namespace {

std::string InsertDecision() {
  std::string names, marks;
  for (const LogColumn& column : kDecisionColumns) {
    names += fmt::format("{}{}", names.empty() ? "" : ", ", column.name);
    marks += marks.empty() ? "?" : ", ?";
  }
  return fmt::format("INSERT INTO requests ({}) VALUES ({})", names, marks);
}

// The last parameter is the row.
std::string UpdateEnd() {
  std::string sets;
  for (const LogColumn& column : kEndColumns) {
    if (!sets.empty()) sets += ", ";
    const bool greater = std::string_view(column.name) == "prompt_tokens";
    sets += greater ? fmt::format("{0} = max({0}, ?)", column.name)
                    : fmt::format("{} = ?", column.name);
  }
  return fmt::format("UPDATE requests SET {} WHERE id = ?", sets);
}

constexpr char kUpdateFeedback[] = R"sql(
UPDATE requests SET score = ?, comment = ?, feedback_unix_seconds = ?
WHERE id = (SELECT max(id) FROM requests WHERE request_id = ?))sql";

// Binds parameters in order.
class Binder {
 public:
  explicit Binder(SqliteStatement& statement) : statement_(statement) {}

  Binder& operator<<(const std::string& text) { return Bind(std::string_view(text)); }
  Binder& operator<<(int64_t value) { return Bind(value); }
  Binder& operator<<(double value) { return Bind(value); }
  Binder& operator<<(std::monostate) {
    statement_.BindNull(++parameter_);
    return *this;
  }
  Binder& operator<<(const LogValue& value) {
    return std::visit([this](const auto& kind) -> Binder& { return *this << kind; }, value);
  }
  Binder& operator<<(const std::vector<LogValue>& values) {
    for (const LogValue& value : values) *this << value;
    return *this;
  }

 private:
  template <typename T>
  Binder& Bind(T value) {
    statement_.Bind(++parameter_, value);
    return *this;
  }

  SqliteStatement& statement_;
  int parameter_ = 0;
};

}  // namespace

struct SqliteLogStore::Statements {
  SqliteStatement insert_policy;
  SqliteStatement insert_decision;
  SqliteStatement update_end;
  SqliteStatement update_feedback;
  SqliteStatement delete_before;
};

Status SqliteLogStore::Open() {
  if (database_ != nullptr) return Status::Ok();
  AIO_ASSIGN_OR_RETURN(std::unique_ptr<SqliteDatabase> database, OpenLogToWrite(path_));
  AIO_ASSIGN_OR_RETURN(SqliteStatement insert_policy,
                       database->Prepare("INSERT OR IGNORE INTO policies VALUES (?, ?)"));
  AIO_ASSIGN_OR_RETURN(SqliteStatement insert_decision, database->Prepare(InsertDecision()));
  AIO_ASSIGN_OR_RETURN(SqliteStatement update_end, database->Prepare(UpdateEnd()));
  AIO_ASSIGN_OR_RETURN(SqliteStatement update_feedback, database->Prepare(kUpdateFeedback));
  AIO_ASSIGN_OR_RETURN(SqliteStatement delete_before,
                       database->Prepare("DELETE FROM requests WHERE id IN (SELECT id FROM "
                                         "requests WHERE unix_seconds < ? LIMIT ?)"));
  statements_.reset(new Statements{std::move(insert_policy), std::move(insert_decision),
                                   std::move(update_end), std::move(update_feedback),
                                   std::move(delete_before)});
  database_ = std::move(database);
  return Status::Ok();
}

void SqliteLogStore::Close() {
  statements_.reset();
  database_.reset();
}

void SqliteLogStore::AddPolicy(std::string hash, std::string toml) {
  unwritten_policies_.push_back({std::move(hash), std::move(toml)});
}

Result<LogBatchCounts> SqliteLogStore::Write(std::vector<LogItem>& items) {
  AIO_RETURN_IF_ERROR(Open());
  LogBatchCounts counts;
  Status written = WriteItems(items, counts);
  if (written.ok()) {
    Settle();
    return counts;
  }
  new_rows_.clear();
  ended_.clear();
  if (database_->InTransaction()) (void)database_->Execute("ROLLBACK");
  if (written.reason() != kSqliteBusy) Close();  // whatever state it is in
  return written;
}

Status SqliteLogStore::WriteItems(std::vector<LogItem>& items, LogBatchCounts& counts) {
  AIO_RETURN_IF_ERROR(database_->Execute("BEGIN IMMEDIATE"));
  AIO_RETURN_IF_ERROR(WritePolicies());
  for (LogItem& item : items) {
    Status written = std::visit([&](auto& kind) { return WriteItem(kind, counts); }, item);
    if (written.reason() == kSqliteValue) {
      ++counts.refused;
    } else if (!written.ok()) {
      return written;
    }
  }
  return database_->Execute("COMMIT");
}

void SqliteLogStore::Settle() {
  unwritten_policies_.clear();
  open_rows_.insert(new_rows_.begin(), new_rows_.end());
  for (const uint64_t number : ended_) open_rows_.erase(number);
  new_rows_.clear();
  ended_.clear();
}

Status SqliteLogStore::WritePolicies() {
  for (const LogPolicyText& policy : unwritten_policies_) {
    Binder(statements_->insert_policy) << policy.hash << policy.toml;
    AIO_RETURN_IF_ERROR(statements_->insert_policy.Run());
  }
  return Status::Ok();
}

Status SqliteLogStore::WriteItem(const LoggedDecision& item, LogBatchCounts& counts) {
  Binder(statements_->insert_decision) << DecisionValues(item.record, redactor_);
  AIO_RETURN_IF_ERROR(statements_->insert_decision.Run());
  new_rows_[item.number] = database_->LastRow();
  ++counts.rows;
  return Status::Ok();
}

Status SqliteLogStore::WriteItem(const LoggedEnd& item, LogBatchCounts&) {
  auto found = new_rows_.find(item.number);
  if (found == new_rows_.end()) {
    found = open_rows_.find(item.number);
    if (found == open_rows_.end()) return Status::Ok();  // its decision was refused
  }
  Binder(statements_->update_end) << EndValues(item.outcome) << found->second;
  ended_.push_back(item.number);
  return statements_->update_end.Run();
}

Status SqliteLogStore::WriteItem(LoggedFeedback& item, LogBatchCounts&) {
  const Feedback& feedback = item.feedback;
  Binder(statements_->update_feedback) << feedback.score << CommentValue(feedback, redactor_)
                                       << item.unix_seconds << feedback.request_id;
  AIO_RETURN_IF_ERROR(statements_->update_feedback.Run());
  if (database_->Changes() == 0) {
    item.result = UnknownRequest(feedback);
  }
  return Status::Ok();
}

Result<int64_t> SqliteLogStore::DeleteBefore(int64_t unix_seconds, int64_t rows_max) {
  AIO_RETURN_IF_ERROR(Open());
  Binder(statements_->delete_before) << unix_seconds << rows_max;
  AIO_RETURN_IF_ERROR(statements_->delete_before.Run());
  const int64_t deleted = database_->Changes();
  if (deleted > 0) AIO_RETURN_IF_ERROR(database_->Execute("PRAGMA incremental_vacuum"));
  return deleted;
}

}  // namespace aio
