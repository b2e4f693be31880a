#include "decisions/log_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "decisions/signals_json.h"

namespace aio {
namespace {

// Takes columns in order.
class Columns {
 public:
  explicit Columns(const LogRowView& row) : row_(row) {}

  bool next_is_null() const { return row_.IsNull(column_); }
  std::string Text() { return row_.Text(column_++); }
  int64_t Int() { return row_.Int(column_++); }
  double Real() { return row_.Real(column_++); }
  void Skip(int columns) { column_ += columns; }

 private:
  const LogRowView& row_;
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

}  // namespace

Result<LoggedRequest> ReadLogRow(const LogRowView& row) {
  Columns columns(row);
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

void LogSource::Deliver(const LogRowView& row, const std::function<void(LoggedRequest)>& visit) {
  Result<LoggedRequest> request = ReadLogRow(row);
  if (request.ok()) return visit(*std::move(request));
  Note(fmt::format("row {}: {}", row.Int(0), request.status().message()), 1);
}

void LogSource::Note(std::string line, int64_t rows) {
  unreadable_rows_ += rows;
  if (unreadable_.size() < LogReader::kUnreadableShownMax) unreadable_.push_back(std::move(line));
}

}  // namespace aio
