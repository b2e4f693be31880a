#include "decisions/log_writer.h"

#include <fmt/format.h>

#include "decisions/json_fields.h"
#include "decisions/log_schema.h"
#include "decisions/signals_json.h"

namespace aio {
namespace {

constexpr char kInsertDecision[] = R"sql(
INSERT INTO requests (request_id, unix_seconds, prompt_hash, prompt, small_model, large_model,
  small_fingerprint, large_fingerprint, policy_hash, signals, intent, probabilities, entropy,
  prompt_tokens, model, role, weights, strategy, strategy_json, rule, reason)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?))sql";

constexpr char kUpdateEnd[] = R"sql(
UPDATE requests SET finish = ?, error = ?, answered_by = ?,
  prompt_tokens = max(prompt_tokens, ?), completion_tokens = ?, cached_prompt_tokens = ?,
  draft_tokens = ?, draft_accepted_tokens = ?, queue_ms = ?, probe_ms = ?, prompt_ms = ?,
  predicted_ms = ?, weight_bytes = ?, kv_bytes = ?, static_large_bytes = ? WHERE id = ?)sql";

constexpr char kUpdateFeedback[] = R"sql(
UPDATE requests SET score = ?, comment = ?, feedback_unix_seconds = ?
WHERE id = (SELECT max(id) FROM requests WHERE request_id = ?))sql";

// Binds parameters in order.
class Binder {
 public:
  explicit Binder(SqliteStatement& statement) : statement_(statement) {}

  Binder& operator<<(const std::string& text) { return Bind(std::string_view(text)); }
  Binder& operator<<(std::string_view text) { return Bind(text); }
  Binder& operator<<(int64_t value) { return Bind(value); }
  Binder& operator<<(int value) { return Bind(int64_t{value}); }
  Binder& operator<<(double value) { return Bind(value); }
  template <typename T>
  Binder& operator<<(const std::optional<T>& value) {
    if (value) return *this << *value;
    statement_.BindNull(++parameter_);
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

std::string ProbabilitiesToJson(const Decision& decision) {
  FieldJson object = FieldJson::object();
  for (const auto& [label, probability] : decision.probabilities) object[label] = probability;
  return object.dump(-1, ' ', false, FieldJson::error_handler_t::replace);
}

Prompt Redacted(Prompt prompt, const Redactor& redactor) {
  if (auto* messages = std::get_if<std::vector<ChatMessage>>(&prompt)) {
    for (ChatMessage& message : *messages) {
      message.role = redactor.Redact(std::move(message.role));
      message.content = redactor.Redact(std::move(message.content));
    }
  } else if (auto* text = std::get_if<std::string>(&prompt)) {
    *text = redactor.Redact(std::move(*text));
  }
  return prompt;
}

void BindDecision(const DecisionRecord& record, const Redactor& redactor, Binder bind) {
  std::optional<std::string> prompt, signals, intent, probabilities;
  std::optional<double> entropy;
  if (record.prompt) prompt = PromptToJson(Redacted(*record.prompt, redactor));
  if (record.signals) signals = SignalsToJson(*record.signals);
  const Decision& decision = record.decision;
  if (decision.probed) {
    intent = decision.intent;
    probabilities = ProbabilitiesToJson(decision);
    entropy = decision.entropy;
  }
  bind << record.request_id << record.unix_seconds << record.prompt_hash << prompt
       << record.small_model << record.large_model << record.small_fingerprint
       << record.large_fingerprint << record.policy_hash << signals << intent << probabilities
       << entropy << decision.prompt_tokens << decision.model << decision.role << decision.weights
       << StrategyName(decision.strategy.kind) << StrategyToJson(decision.strategy) << decision.rule
       << decision.reason;
}

void BindEnd(const RequestOutcome& outcome, int64_t row, Binder bind) {
  std::optional<std::string> error;
  std::string_view finish = "error";
  FinishEvent event;
  if (outcome.finish) {
    event = *outcome.finish;
    finish = FinishReasonName(event.reason);
  } else {
    error = outcome.error.ToString();
  }
  bind << finish << error << outcome.model << event.usage.prompt_tokens
       << event.usage.completion_tokens << event.usage.cached_prompt_tokens
       << event.speculation.draft_tokens << event.speculation.draft_accepted_tokens
       << event.timings.queue_ms << event.timings.probe_ms << event.timings.prompt_ms
       << event.timings.predicted_ms << event.traffic.weight_bytes << event.traffic.kv_bytes
       << event.traffic.static_large_bytes << row;
}

}  // namespace

struct LogWriter::Statements {
  SqliteStatement insert_policy;
  SqliteStatement insert_decision;
  SqliteStatement update_end;
  SqliteStatement update_feedback;
  SqliteStatement delete_before;
};

Status LogWriter::Open() {
  if (database_ != nullptr) return Status::Ok();
  AIO_ASSIGN_OR_RETURN(std::unique_ptr<SqliteDatabase> database, OpenLogToWrite(path_));
  AIO_ASSIGN_OR_RETURN(SqliteStatement insert_policy,
                       database->Prepare("INSERT OR IGNORE INTO policies VALUES (?, ?)"));
  AIO_ASSIGN_OR_RETURN(SqliteStatement insert_decision, database->Prepare(kInsertDecision));
  AIO_ASSIGN_OR_RETURN(SqliteStatement update_end, database->Prepare(kUpdateEnd));
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

void LogWriter::Close() {
  statements_.reset();
  database_.reset();
}

void LogWriter::AddPolicy(std::string hash, std::string toml) {
  unwritten_policies_.push_back({std::move(hash), std::move(toml)});
}

Result<LogBatchCounts> LogWriter::Write(std::vector<LogItem>& items) {
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

Status LogWriter::WriteItems(std::vector<LogItem>& items, LogBatchCounts& counts) {
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

void LogWriter::Settle() {
  unwritten_policies_.clear();
  open_rows_.insert(new_rows_.begin(), new_rows_.end());
  for (const uint64_t number : ended_) open_rows_.erase(number);
  new_rows_.clear();
  ended_.clear();
}

Status LogWriter::WritePolicies() {
  for (const Policy& policy : unwritten_policies_) {
    Binder(statements_->insert_policy) << policy.hash << policy.toml;
    AIO_RETURN_IF_ERROR(statements_->insert_policy.Run());
  }
  return Status::Ok();
}

Status LogWriter::WriteItem(const LoggedDecision& item, LogBatchCounts& counts) {
  BindDecision(item.record, redactor_, Binder(statements_->insert_decision));
  AIO_RETURN_IF_ERROR(statements_->insert_decision.Run());
  new_rows_[item.number] = database_->LastRow();
  ++counts.rows;
  return Status::Ok();
}

Status LogWriter::WriteItem(const LoggedEnd& item, LogBatchCounts&) {
  auto found = new_rows_.find(item.number);
  if (found == new_rows_.end()) {
    found = open_rows_.find(item.number);
    if (found == open_rows_.end()) return Status::Ok();  // its decision was refused
  }
  BindEnd(item.outcome, found->second, Binder(statements_->update_end));
  ended_.push_back(item.number);
  return statements_->update_end.Run();
}

Status LogWriter::WriteItem(LoggedFeedback& item, LogBatchCounts&) {
  const Feedback& feedback = item.feedback;
  std::optional<std::string> comment;
  if (feedback.comment) comment = redactor_.Redact(*feedback.comment);
  Binder(statements_->update_feedback)
      << feedback.score << comment << item.unix_seconds << feedback.request_id;
  AIO_RETURN_IF_ERROR(statements_->update_feedback.Run());
  if (database_->Changes() == 0) {
    item.result = NotFound(fmt::format("No request with the id '{}' is in the decision log.",
                                       feedback.request_id))
                      .WithParam("id")
                      .WithReason("request_not_found");
  }
  return Status::Ok();
}

Result<int64_t> LogWriter::DeleteBefore(int64_t unix_seconds, int64_t rows_max) {
  AIO_RETURN_IF_ERROR(Open());
  Binder(statements_->delete_before) << unix_seconds << rows_max;
  AIO_RETURN_IF_ERROR(statements_->delete_before.Run());
  const int64_t deleted = database_->Changes();
  if (deleted > 0) AIO_RETURN_IF_ERROR(database_->Execute("PRAGMA incremental_vacuum"));
  return deleted;
}

}  // namespace aio
