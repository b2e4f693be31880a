// Reads logs in PostgreSQL databases.
#include <fmt/format.h>

#include <utility>

#include "decisions/log_source.h"
#include "decisions/postgres_log_schema.h"
#include "postgres/connection.h"

namespace aio {
namespace {

// Rows that are asked for, and held, at a time; with their prompts they may be large.
constexpr int kRowsAtOnce = 32;

// Nobody waits for the answer but who asked for it.
constexpr PostgresTimes kPatient = {.statement = std::chrono::minutes(2)};

class PostgresRow final : public LogRowView {
 public:
  PostgresRow(const PostgresRows& rows, int row) : rows_(rows), row_(row) {}
  bool IsNull(int column) const override { return rows_.IsNull(row_, column); }
  int64_t Int(int column) const override { return rows_.Int(row_, column); }
  double Real(int column) const override { return rows_.Real(row_, column); }
  std::string Text(int column) const override { return rows_.Text(row_, column); }

 private:
  const PostgresRows& rows_;
  const int row_;
};

class PostgresLogSource final : public LogSource {
 public:
  explicit PostgresLogSource(std::unique_ptr<PostgresConnection> connection)
      : connection_(std::move(connection)) {}

  int64_t CountRows() override {
    const Result<PostgresRows> count = connection_->Run("SELECT count(*) FROM aio_log.requests");
    return count.ok() ? count->Int(0, 0) : 0;
  }

  Status ReadAll(const std::function<void(LoggedRequest)>& visit) override {
    const std::string select =
        fmt::format("SELECT {} FROM aio_log.requests WHERE id > $1 ORDER BY id LIMIT {}",
                    kLogRowColumns, kRowsAtOnce);
    int64_t done = 0;
    while (true) {
      AIO_ASSIGN_OR_RETURN(const PostgresRows rows,
                           connection_->Run(select, {std::to_string(done)}));
      for (int row = 0; row < rows.size(); ++row) {
        done = rows.Int(row, 0);
        Deliver(PostgresRow(rows, row), visit);
      }
      if (rows.size() < kRowsAtOnce) return Status::Ok();
    }
  }

  std::map<std::string, std::string> ReadPolicies() override {
    std::map<std::string, std::string> policies;
    const Result<PostgresRows> rows = connection_->Run("SELECT hash, toml FROM aio_log.policies");
    if (!rows.ok()) Note(fmt::format("policies: {}", rows.status().message()), 0);
    for (int row = 0; rows.ok() && row < rows->size(); ++row) {
      policies.emplace(rows->Text(row, 0), rows->Text(row, 1));
    }
    return policies;
  }

 private:
  const std::unique_ptr<PostgresConnection> connection_;
};

}  // namespace

Result<std::unique_ptr<LogSource>> OpenPostgresLog(const std::string& url) {
  AIO_ASSIGN_OR_RETURN(std::unique_ptr<PostgresConnection> connection,
                       PostgresConnection::Open(url, kPatient));
  AIO_RETURN_IF_ERROR(CheckSchema(*connection, PostgresLogSchema()));
  return std::unique_ptr<LogSource>(std::make_unique<PostgresLogSource>(std::move(connection)));
}

}  // namespace aio
