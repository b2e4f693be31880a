#include "decisions/sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include "base/check.h"

namespace aio {
namespace {

// Short: who waits is the log's own thread, and it comes again.
constexpr int kBusyWaitMs = 100;

Status ToStatus(sqlite3* database, int code, const std::string& path) {
  const char* words = database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code);
  const std::string message = fmt::format("{}: {}", path, words);
  const auto status = [&](StatusCode as, std::string_view reason) {
    return Status(as, message).WithReason(std::string(reason));
  };
  switch (code & 0xFF) {  // the primary code
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return status(StatusCode::kUnavailable, kSqliteBusy);
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
      return status(StatusCode::kUnavailable, kSqliteFull);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return status(StatusCode::kInvalidArgument, kSqliteCorrupt);
    case SQLITE_TOOBIG:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
      return status(StatusCode::kInvalidArgument, kSqliteValue);
    default:
      return Internal(message);
  }
}

int OpenFlags(SqliteDatabase::Mode mode) {
  // One connection is for one thread: no mutex of the library's own.
  if (mode == SqliteDatabase::Mode::kWrite) {
    return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  }
  return SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI;
}

// A path as a URI: only this way can a file be called immutable.
std::string ImmutableUri(const std::string& path) {
  std::string uri = "file:";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
                       (byte >= 'A' && byte <= 'Z') || c == '/' || c == '.' || c == '_' || c == '-';
    uri += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return uri + "?immutable=1";
}

}  // namespace

// --- SqliteStatement -------------------------------------------------------------------

void SqliteStatement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

void SqliteStatement::Bind(int parameter, int64_t value) {
  AIO_CHECK(sqlite3_bind_int64(statement_.get(), parameter, value) == SQLITE_OK);
}

void SqliteStatement::Bind(int parameter, double value) {
  AIO_CHECK(sqlite3_bind_double(statement_.get(), parameter, value) == SQLITE_OK);
}

void SqliteStatement::Bind(int parameter, std::string_view text) {
  const char* data = text.data() != nullptr ? text.data() : "";  // null would be NULL
  const int bound = sqlite3_bind_text64(statement_.get(), parameter, data, text.size(),
                                        SQLITE_TRANSIENT, SQLITE_UTF8);
  // Too large a text is no broken invariant; what there is of it then is nothing.
  if (bound != SQLITE_OK) BindNull(parameter);
}

void SqliteStatement::BindNull(int parameter) {
  AIO_CHECK(sqlite3_bind_null(statement_.get(), parameter) == SQLITE_OK);
}

Result<bool> SqliteStatement::Step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  Status status = code == SQLITE_DONE ? Status::Ok() : ToStatus(database_, code, *path_);
  Reset();
  if (!status.ok()) return status;
  return false;
}

Status SqliteStatement::Run() {
  while (true) {
    AIO_ASSIGN_OR_RETURN(const bool row, Step());
    if (!row) return Status::Ok();
  }
}

void SqliteStatement::Reset() { sqlite3_reset(statement_.get()); }

bool SqliteStatement::IsNull(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

int64_t SqliteStatement::Int(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

double SqliteStatement::Real(int column) const {
  return sqlite3_column_double(statement_.get(), column);
}

std::string SqliteStatement::Text(int column) const {
  const unsigned char* text = sqlite3_column_text(statement_.get(), column);
  const int bytes = sqlite3_column_bytes(statement_.get(), column);
  if (text == nullptr) return "";
  return std::string(reinterpret_cast<const char*>(text), static_cast<size_t>(bytes));
}

// --- SqliteDatabase --------------------------------------------------------------------

Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::Open(const std::string& path, Mode mode) {
  sqlite3* handle = nullptr;
  const std::string name = mode == Mode::kImmutable ? ImmutableUri(path) : path;
  const int code = sqlite3_open_v2(name.c_str(), &handle, OpenFlags(mode), nullptr);
  std::unique_ptr<SqliteDatabase> database(new SqliteDatabase(path, handle));
  if (code != SQLITE_OK) return ToStatus(handle, code, path);
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, kBusyWaitMs);
  // The file may be anyone's: its schema may not reach beyond it.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  if (mode == Mode::kWrite) {
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  } else {
    // With this alone does the library read a file that was cut short; nothing is written.
    sqlite3_db_config(handle, SQLITE_DBCONFIG_WRITABLE_SCHEMA, 1, nullptr);
  }
  return database;
}

SqliteDatabase::~SqliteDatabase() { sqlite3_close_v2(database_); }

Status SqliteDatabase::Execute(const std::string& sql) {
  const int code = sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? Status::Ok() : ToStatus(database_, code, path_);
}

Result<SqliteStatement> SqliteDatabase::Prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v2(database_, sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  if (code != SQLITE_OK) return ToStatus(database_, code, path_);
  return SqliteStatement(database_, statement, &path_);
}

Result<int64_t> SqliteDatabase::QueryInt(std::string_view sql) {
  AIO_ASSIGN_OR_RETURN(SqliteStatement statement, Prepare(sql));
  AIO_ASSIGN_OR_RETURN(const bool row, statement.Step());
  if (!row) return Internal(fmt::format("{}: no row for '{}'", path_, sql));
  return statement.Int(0);
}

int64_t SqliteDatabase::QueryIntOr(std::string_view sql, int64_t on_failure) {
  const Result<int64_t> value = QueryInt(sql);
  return value.ok() ? *value : on_failure;
}

int64_t SqliteDatabase::LastRow() const { return sqlite3_last_insert_rowid(database_); }
int SqliteDatabase::Changes() const { return sqlite3_changes(database_); }
bool SqliteDatabase::InTransaction() const { return sqlite3_get_autocommit(database_) == 0; }

}  // namespace aio
