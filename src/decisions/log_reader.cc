#include "decisions/log_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "decisions/log_schema.h"
#include "decisions/signals_json.h"
#include "decisions/sqlite.h"

namespace aio {
namespace {

constexpr char kColumns[] = R"sql(
SELECT id, request_id, unix_seconds, prompt_hash, prompt, policy_hash, signals, intent,
  prompt_tokens, model, role, weights, strategy_json, rule, reason, finish, answered_by,
  completion_tokens, queue_ms, probe_ms, prompt_ms, predicted_ms, weight_bytes, kv_bytes,
  static_large_bytes, score FROM requests )sql";

// Takes columns in order.
class Columns {
 public:
  explicit Columns(const SqliteStatement& statement) : statement_(statement) {}

  bool next_is_null() const { return statement_.IsNull(column_); }
  std::string Text() { return statement_.Text(column_++); }
  int64_t Int() { return statement_.Int(column_++); }
  double Real() { return statement_.Real(column_++); }
  void Skip(int columns) { column_ += columns; }

 private:
  const SqliteStatement& statement_;
  int column_ = 0;
};

int ToInt(int64_t value) {
  return static_cast<int>(std::clamp<int64_t>(value, 0, std::numeric_limits<int>::max()));
}

std::optional<LoggedOutcome> ReadOutcome(Columns& columns) {
  constexpr int kOutcomeColumns = 10;
  if (columns.next_is_null()) {
    columns.Skip(kOutcomeColumns);
    return std::nullopt;
  }
  LoggedOutcome outcome;
  outcome.finish = columns.Text();
  outcome.answered_by = columns.Text();
  outcome.completion_tokens = ToInt(columns.Int());
  outcome.timings.queue_ms = columns.Real();
  outcome.timings.probe_ms = columns.Real();
  outcome.timings.prompt_ms = columns.Real();
  outcome.timings.predicted_ms = columns.Real();
  outcome.traffic.weight_bytes = columns.Int();
  outcome.traffic.kv_bytes = columns.Int();
  outcome.traffic.static_large_bytes = columns.Int();
  return outcome;
}

Result<LoggedRequest> ReadRow(const SqliteStatement& statement) {
  Columns columns(statement);
  LoggedRequest request;
  request.row = columns.Int();
  request.request_id = columns.Text();
  request.unix_seconds = columns.Int();
  request.prompt_hash = columns.Text();
  request.prompt = columns.Text();
  request.policy_hash = columns.Text();
  const bool by_name = columns.next_is_null();
  const std::string signals = columns.Text();
  if (!by_name) {
    AIO_ASSIGN_OR_RETURN(request.signals, SignalsFromJson(signals));
  }
  request.intent = columns.Text();
  request.prompt_tokens = ToInt(columns.Int());
  request.model = columns.Text();
  request.decided.role = columns.Text();
  request.decided.weights = columns.Text();
  AIO_ASSIGN_OR_RETURN(request.decided.strategy, StrategyFromJson(columns.Text()));
  request.decided.rule = columns.Text();
  request.decided.reason = columns.Text();
  request.outcome = ReadOutcome(columns);
  if (!columns.next_is_null()) request.score = columns.Real();
  return request;
}

}  // namespace

class LogReader::Impl {
 public:
  explicit Impl(std::unique_ptr<SqliteDatabase> database) : database_(std::move(database)) {}

  int64_t CountRows() {
    const Result<int64_t> count = database_->QueryInt("SELECT count(*) FROM requests");
    return count.ok() ? *count : std::max<int64_t>(0, LastRow() - FirstRow() + 1);
  }

  Status ReadAll(const std::function<void(LoggedRequest)>& visit) {
    AIO_ASSIGN_OR_RETURN(SqliteStatement scan,
                         database_->Prepare(std::string(kColumns) + "WHERE id > ? ORDER BY id"));
    AIO_ASSIGN_OR_RETURN(SqliteStatement one,
                         database_->Prepare(std::string(kColumns) + "WHERE id = ?"));
    int64_t done = FirstRow() - 1;
    while (true) {
      Status scanned = Scan(scan, done, visit);
      if (scanned.ok()) return Status::Ok();
      if (scanned.reason() != kSqliteCorrupt) return scanned;
      const int64_t last = LastRow();
      if (done >= last) {
        Note(fmt::format("rows after {}: {}", done, scanned.message()), 0);
        return Status::Ok();
      }
      SkipDamage(one, last, done, visit);
    }
  }

  std::map<std::string, std::string> ReadPolicies() {
    std::map<std::string, std::string> policies;
    Result<SqliteStatement> select = database_->Prepare("SELECT hash, toml FROM policies");
    Status fault = select.status();
    while (fault.ok()) {
      const Result<bool> row = select->Step();
      if (row.ok() && !*row) break;
      if (row.ok()) policies.emplace(select->Text(0), select->Text(1));
      fault = row.status();
    }
    if (!fault.ok()) Note(fmt::format("policies: {}", fault.message()), 0);
    return policies;
  }

  const std::vector<std::string>& unreadable() const { return unreadable_; }
  int64_t unreadable_rows() const { return unreadable_rows_; }

 private:
  // Indexes and the table are separate: where the one is damaged, the other may tell.
  int64_t FirstRow() {
    return std::max<int64_t>(1, database_->QueryIntOr("SELECT min(id) FROM requests", 1));
  }

  int64_t LastRow() {
    constexpr int64_t kRowsMax = std::numeric_limits<int64_t>::max() - 1;
    const int64_t by_table = database_->QueryIntOr("SELECT max(id) FROM requests", 0);
    const int64_t by_index = database_->QueryIntOr(
        "SELECT max(id) FROM requests INDEXED BY requests_by_time WHERE unix_seconds >= 0", 0);
    return std::min(kRowsMax, std::max(by_table, by_index));
  }

  // From the row after `done` to the end; `done` is the last that was dealt with.
  Status Scan(SqliteStatement& scan, int64_t& done,
              const std::function<void(LoggedRequest)>& visit) {
    scan.Bind(1, done);
    while (true) {
      AIO_ASSIGN_OR_RETURN(const bool row, scan.Step());
      if (!row) return Status::Ok();
      done = scan.Int(0);
      Deliver(scan, visit);
    }
  }

  void Deliver(const SqliteStatement& statement, const std::function<void(LoggedRequest)>& visit) {
    Result<LoggedRequest> request = ReadRow(statement);
    if (request.ok()) return visit(*std::move(request));
    Note(fmt::format("row {}: {}", statement.Int(0), request.status().message()), 1);
  }

  // Goes on row by row until a good many in sequence could be read, or the last was tried.
  void SkipDamage(SqliteStatement& one, int64_t last, int64_t& done,
                  const std::function<void(LoggedRequest)>& visit) {
    constexpr int kGoodInSequence = 32;
    constexpr int64_t kBadInSequenceMax = 1'000'000;
    int good = 0;
    std::optional<int64_t> first_bad;
    Status fault;
    const auto note = [&](int64_t before) {
      if (!first_bad) return;
      const std::string rows = *first_bad == before - 1
                                   ? fmt::format("row {}", *first_bad)
                                   : fmt::format("rows {} to {}", *first_bad, before - 1);
      Note(fmt::format("{}: {}", rows, fault.message()), before - *first_bad);
      first_bad.reset();
    };
    while (done < last && good < kGoodInSequence) {
      ++done;
      one.Bind(1, done);
      const Result<bool> row = one.Step();
      if (row.ok()) {
        note(done);
        ++good;
        if (*row) Deliver(one, visit);
        one.Reset();
        continue;
      }
      good = 0;
      fault = row.status();
      if (!first_bad) first_bad = done;
      if (done - *first_bad >= kBadInSequenceMax) done = last;
    }
    note(done + 1);
  }

  void Note(std::string line, int64_t rows) {
    unreadable_rows_ += rows;
    if (unreadable_.size() < kUnreadableShownMax) unreadable_.push_back(std::move(line));
  }

  std::unique_ptr<SqliteDatabase> database_;
  std::vector<std::string> unreadable_;
  int64_t unreadable_rows_ = 0;
};

Result<LogReader> LogReader::Open(const std::string& path) {
  AIO_ASSIGN_OR_RETURN(std::unique_ptr<SqliteDatabase> database, OpenLogToRead(path));
  return LogReader(std::make_unique<Impl>(std::move(database)));
}

LogReader::LogReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LogReader::LogReader(LogReader&&) noexcept = default;
LogReader& LogReader::operator=(LogReader&&) noexcept = default;
LogReader::~LogReader() = default;

int64_t LogReader::CountRows() { return impl_->CountRows(); }
Status LogReader::ReadAll(const std::function<void(LoggedRequest)>& visit) {
  return impl_->ReadAll(visit);
}
std::map<std::string, std::string> LogReader::ReadPolicies() { return impl_->ReadPolicies(); }
const std::vector<std::string>& LogReader::unreadable() const { return impl_->unreadable(); }
int64_t LogReader::unreadable_rows() const { return impl_->unreadable_rows(); }

}  // namespace aio
