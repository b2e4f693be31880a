// Reads logs in SQLite files, whole or damaged.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "decisions/log_source.h"
#include "decisions/sqlite.h"
#include "decisions/sqlite_log_schema.h"

namespace aio {
namespace {

class SqliteRow final : public LogRowView {
 public:
  explicit SqliteRow(const SqliteStatement& statement) : statement_(statement) {}
  bool IsNull(int column) const override { return statement_.IsNull(column); }
  int64_t Int(int column) const override { return statement_.Int(column); }
  double Real(int column) const override { return statement_.Real(column); }
  std::string Text(int column) const override { return statement_.Text(column); }

 private:
  const SqliteStatement& statement_;
};

std::string Select(std::string_view which) {
  return fmt::format("SELECT {} FROM requests {}", kLogRowColumns, which);
}

class SqliteLogSource final : public LogSource {
 public:
  explicit SqliteLogSource(std::unique_ptr<SqliteDatabase> database)
      : database_(std::move(database)) {}

  int64_t CountRows() override {
    const Result<int64_t> count = database_->QueryInt("SELECT count(*) FROM requests");
    return count.ok() ? *count : std::max<int64_t>(0, LastRow() - FirstRow() + 1);
  }

  Status ReadAll(const std::function<void(LoggedRequest)>& visit) override {
    AIO_ASSIGN_OR_RETURN(SqliteStatement scan,
                         database_->Prepare(Select("WHERE id > ? ORDER BY id")));
    AIO_ASSIGN_OR_RETURN(SqliteStatement one, database_->Prepare(Select("WHERE id = ?")));
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

  std::map<std::string, std::string> ReadPolicies() override {
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
      Deliver(SqliteRow(scan), visit);
    }
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
        if (*row) Deliver(SqliteRow(one), visit);
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

  std::unique_ptr<SqliteDatabase> database_;
};

}  // namespace

Result<std::unique_ptr<LogSource>> OpenSqliteLog(const std::string& path) {
  AIO_ASSIGN_OR_RETURN(std::unique_ptr<SqliteDatabase> database, OpenLogToRead(path));
  return std::unique_ptr<LogSource>(std::make_unique<SqliteLogSource>(std::move(database)));
}

}  // namespace aio
