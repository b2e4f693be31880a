#include "decisions/postgres_log_store.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <span>
#include <utility>

#include "base/random_bits.h"
#include "decisions/postgres_log_schema.h"

namespace aio {
namespace {

// Of one statement; what is more goes into a further one, so that each has the time it needs.
constexpr size_t kRowsMax = 500;
constexpr size_t kBytesMax = size_t{4} << 20;

static_assert(kPostgresAway == kLogStoreAway, "faults of the connection are faults of the store");

// Who wrote a row, for people too: "host:1234:0123456789abcdef".
std::string NewInstance() {
  char host[256] = "";
  if (gethostname(host, sizeof host - 1) != 0) host[0] = '\0';
  return fmt::format("{}:{}:{:016x}", PostgresText(host), getpid(), RandomBits());
}

PostgresValue ToPostgres(const LogValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return PostgresText(*text);
  if (const auto* integer = std::get_if<int64_t>(&value)) return std::to_string(*integer);
  if (const auto* real = std::get_if<double>(&value)) return PostgresNumber(*real);
  return std::nullopt;
}

size_t BytesOf(const std::vector<LogValue>& values) {
  size_t bytes = 0;
  for (const LogValue& value : values) {
    const auto* text = std::get_if<std::string>(&value);
    bytes += text != nullptr ? text->size() : sizeof(int64_t);
  }
  return bytes;
}

std::string_view TypeName(LogColumn::Type type) {
  if (type == LogColumn::Type::kInteger) return "bigint";
  return type == LogColumn::Type::kReal ? "double precision" : "text";
}

// Names after "number", and "unnest($2::bigint[], $3::text[], ...)": a column of many rows each.
struct RowsSql {
  explicit RowsSql(std::span<const LogColumn> columns) {
    size_t parameter = 2;
    for (const LogColumn& column : columns) {
      names += fmt::format(", {}", column.name);
      unnest += fmt::format(", ${}::{}[]", ++parameter, TypeName(column.type));
    }
    unnest += ")";
  }
  std::string names = "number";
  std::string unnest = "unnest($2::bigint[]";
};

std::string InsertDecisions() {
  const RowsSql rows(kDecisionColumns);
  return fmt::format(
      "INSERT INTO aio_log.requests (instance, {0}) SELECT $1, u.* FROM {1} AS u ({0}) "
      "ORDER BY number ON CONFLICT (instance, number) DO NOTHING",
      rows.names, rows.unnest);
}

std::string UpdateEnds() {
  const RowsSql rows(kEndColumns);
  std::string sets;
  for (const LogColumn& column : kEndColumns) {
    if (!sets.empty()) sets += ", ";
    const bool greater = std::string_view(column.name) == "prompt_tokens";
    sets += greater ? fmt::format("{0} = greatest(r.{0}, e.{0})", column.name)
                    : fmt::format("{0} = e.{0}", column.name);
  }
  return fmt::format(
      "UPDATE aio_log.requests AS r SET {} FROM {} AS e ({}) "
      "WHERE r.instance = $1 AND r.number = e.number",
      sets, rows.unnest, rows.names);
}

constexpr char kUpdateFeedback[] =
    "UPDATE aio_log.requests SET score = $1, comment = $2, feedback_unix_seconds = $3 WHERE id = "
    "(SELECT id FROM aio_log.requests WHERE request_id = $4 ORDER BY id DESC LIMIT 1)";

// Those that another program deletes just now are left to it.
constexpr char kDeleteBefore[] =
    "DELETE FROM aio_log.requests WHERE id IN (SELECT id FROM aio_log.requests "
    "WHERE unix_seconds < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)";

Status ThatMayPass(Status status) {
  return std::move(status).WithReason(std::string(kLogStoreAway));
}

}  // namespace

PostgresLogStore::PostgresLogStore(std::string url, Redactor redactor)
    : url_(std::move(url)), redactor_(std::move(redactor)), instance_(NewInstance()) {}

Status PostgresLogStore::Open() {
  if (connection_ != nullptr && connection_->is_usable()) return Status::Ok();
  connection_.reset();
  AIO_ASSIGN_OR_RETURN(std::unique_ptr<PostgresConnection> connection,
                       PostgresConnection::Open(url_, {.stopping = &stopping_}));
  AIO_RETURN_IF_ERROR(MakeSchema(*connection, PostgresLogSchema()));
  connection_ = std::move(connection);
  return Status::Ok();
}

void PostgresLogStore::AddPolicy(std::string hash, std::string toml) {
  unwritten_policies_.push_back({std::move(hash), std::move(toml)});
}

Result<LogBatchCounts> PostgresLogStore::Write(std::vector<LogItem>& items) {
  if (Status opened = Open(); !opened.ok()) return ThatMayPass(std::move(opened));
  Result<LogBatchCounts> counts = WriteBatch(items, Mode::kTogether);
  if (counts.status().reason() == kPostgresValue) counts = WriteBatch(items, Mode::kEach);
  if (counts.ok()) {
    unwritten_policies_.clear();
    return counts;
  }
  connection_.reset();  // whatever state it is in
  return ThatMayPass(counts.status());
}

Result<LogBatchCounts> PostgresLogStore::WriteBatch(std::vector<LogItem>& items, Mode mode) {
  LogBatchCounts counts;
  decisions_ = {};
  ends_ = {};
  AIO_RETURN_IF_ERROR(connection_->RunScript("BEGIN;"));
  Status written = WriteItems(items, mode, counts);
  if (written.ok()) written = connection_->RunScript("COMMIT;");
  if (written.ok()) return counts;
  if (connection_->is_usable()) (void)connection_->RunScript("ROLLBACK;");
  return written;
}

Status PostgresLogStore::WriteItems(std::vector<LogItem>& items, Mode mode,
                                    LogBatchCounts& counts) {
  AIO_RETURN_IF_ERROR(WritePolicies());
  for (LogItem& item : items) {
    if (const auto* decision = std::get_if<LoggedDecision>(&item)) {
      AIO_RETURN_IF_ERROR(Gather(*decision, mode, counts));
    } else if (const auto* end = std::get_if<LoggedEnd>(&item)) {
      AIO_RETURN_IF_ERROR(Gather(*end, mode, counts));
    } else {
      AIO_RETURN_IF_ERROR(WriteFeedback(std::get<LoggedFeedback>(item), mode, counts));
    }
  }
  return WriteGathered(mode, counts);
}

Status PostgresLogStore::WritePolicies() {
  for (const LogPolicyText& policy : unwritten_policies_) {
    AIO_RETURN_IF_ERROR(connection_
                            ->Run("INSERT INTO aio_log.policies VALUES ($1, $2) "
                                  "ON CONFLICT (hash) DO NOTHING",
                                  {policy.hash, PostgresText(policy.toml)})
                            .status());
  }
  return Status::Ok();
}

Status PostgresLogStore::Gather(const LoggedDecision& item, Mode mode, LogBatchCounts& counts) {
  decisions_.numbers.push_back(item.number);
  decisions_.values.push_back(DecisionValues(item.record, redactor_));
  decisions_.bytes += BytesOf(decisions_.values.back());
  const bool full = decisions_.values.size() >= kRowsMax || decisions_.bytes >= kBytesMax;
  return full || mode == Mode::kEach ? WriteGathered(mode, counts) : Status::Ok();
}

Status PostgresLogStore::Gather(const LoggedEnd& item, Mode mode, LogBatchCounts& counts) {
  ends_.numbers.push_back(item.number);
  ends_.values.push_back(EndValues(item.outcome));
  const bool full = ends_.values.size() >= kRowsMax;
  return full || mode == Mode::kEach ? WriteGathered(mode, counts) : Status::Ok();
}

Status PostgresLogStore::WriteGathered(Mode mode, LogBatchCounts& counts) {
  static const std::string insert_decisions = InsertDecisions();
  static const std::string update_ends = UpdateEnds();
  const Rows decisions = std::exchange(decisions_, {});
  const auto number = static_cast<int64_t>(decisions.numbers.size());
  Status written = RunRows(insert_decisions, decisions, mode);
  if (IsRefusedAlone(written, mode)) {
    counts.refused += number;
  } else if (written.ok()) {
    counts.rows += number;
  } else {
    return written;
  }
  // A row whose end is refused stays as it was: that of a request without one.
  Status ended = RunRows(update_ends, std::exchange(ends_, {}), mode);
  return IsRefusedAlone(ended, mode) ? Status::Ok() : ended;
}

Status PostgresLogStore::RunRows(const std::string& sql, const Rows& rows, Mode mode) {
  if (rows.numbers.empty()) return Status::Ok();
  std::vector<PostgresValue> column;
  for (const uint64_t number : rows.numbers) column.emplace_back(std::to_string(number));
  std::vector<PostgresValue> parameters = {instance_, PostgresArray(column)};
  for (size_t i = 0; i < rows.values.front().size(); ++i) {
    column.clear();
    for (const std::vector<LogValue>& row : rows.values) column.push_back(ToPostgres(row[i]));
    parameters.emplace_back(PostgresArray(column));
  }
  return RunOne(sql, parameters, mode).status();
}

Status PostgresLogStore::WriteFeedback(LoggedFeedback& item, Mode mode, LogBatchCounts& counts) {
  AIO_RETURN_IF_ERROR(WriteGathered(mode, counts));  // its request may be among them
  const Feedback& feedback = item.feedback;
  const Result<int64_t> changed =
      RunOne(kUpdateFeedback,
             {PostgresNumber(feedback.score), ToPostgres(CommentValue(feedback, redactor_)),
              std::to_string(item.unix_seconds), PostgresText(feedback.request_id)},
             mode);
  if (IsRefusedAlone(changed.status(), mode)) {
    item.result = InvalidArgument("The decision log cannot hold this feedback.");
    return Status::Ok();
  }
  AIO_RETURN_IF_ERROR(changed.status());
  item.result = *changed == 0 ? UnknownRequest(feedback) : Status::Ok();
  return Status::Ok();
}

bool PostgresLogStore::IsRefusedAlone(const Status& run, Mode mode) {
  return mode == Mode::kEach && run.reason() == kPostgresValue;
}

Result<int64_t> PostgresLogStore::RunOne(const std::string& sql,
                                         const std::vector<PostgresValue>& values, Mode mode) {
  if (mode == Mode::kEach) AIO_RETURN_IF_ERROR(connection_->RunScript("SAVEPOINT one;"));
  const Result<PostgresRows> run = connection_->Run(sql, values);
  if (IsRefusedAlone(run.status(), mode)) {
    AIO_RETURN_IF_ERROR(connection_->RunScript("ROLLBACK TO SAVEPOINT one;"));
  } else if (!run.ok()) {
    return run.status();
  }
  // One that is not released is the outer one of all that follow.
  if (mode == Mode::kEach) AIO_RETURN_IF_ERROR(connection_->RunScript("RELEASE SAVEPOINT one;"));
  if (!run.ok()) return run.status();
  return run->changed();
}

Result<int64_t> PostgresLogStore::DeleteBefore(int64_t unix_seconds, int64_t rows_max) {
  AIO_RETURN_IF_ERROR(Open());
  AIO_ASSIGN_OR_RETURN(
      const PostgresRows deleted,
      connection_->Run(kDeleteBefore, {std::to_string(unix_seconds), std::to_string(rows_max)}));
  return deleted.changed();
}

}  // namespace aio
