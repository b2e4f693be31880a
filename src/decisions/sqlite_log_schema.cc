#include "decisions/sqlite_log_schema.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

namespace aio {
namespace {

constexpr int kApplicationId = 0x41494F4C;  // "AIOL": tells the log from other databases

// Columns beside `signals` repeat what people ask for most; what was decided is compared with
// role, weights, strategy_json, rule and reason.
constexpr char kTables[] = R"sql(
CREATE TABLE policies (
  hash TEXT PRIMARY KEY,   -- SHA-256 of toml
  toml TEXT NOT NULL       -- the policy file, byte for byte
) WITHOUT ROWID;
CREATE TABLE requests (
  id INTEGER PRIMARY KEY,
  request_id TEXT NOT NULL,        -- x-request-id
  unix_seconds INTEGER NOT NULL,   -- when it was decided
  prompt_hash TEXT NOT NULL,       -- SHA-256
  prompt TEXT,                     -- JSON; with text = true only
  small_model TEXT NOT NULL,
  large_model TEXT NOT NULL,
  small_fingerprint TEXT NOT NULL, -- of the model file; '': unknown
  large_fingerprint TEXT NOT NULL,
  policy_hash TEXT NOT NULL,       -- '': asked for by name
  signals TEXT,                    -- JSON: all that was decided from; NULL: asked for by name
  intent TEXT,                     -- most probable label; NULL: not probed
  probabilities TEXT,              -- JSON, by label
  entropy REAL,                    -- nats
  prompt_tokens INTEGER NOT NULL,  -- 0: not counted
  model TEXT NOT NULL,
  role TEXT NOT NULL,
  weights TEXT NOT NULL,           -- '': the role's own
  strategy TEXT NOT NULL,          -- its kind
  strategy_json TEXT NOT NULL,
  rule TEXT NOT NULL,
  reason TEXT NOT NULL,
  -- How it ended; NULL until then, and after a crash.
  finish TEXT,                     -- stop, length, cancelled or error
  error TEXT,
  answered_by TEXT,                -- the model that began to answer
  completion_tokens INTEGER,
  cached_prompt_tokens INTEGER,
  draft_tokens INTEGER,
  draft_accepted_tokens INTEGER,
  queue_ms REAL,
  probe_ms REAL,
  prompt_ms REAL,
  predicted_ms REAL,
  weight_bytes INTEGER,
  kv_bytes INTEGER,
  static_large_bytes INTEGER,
  -- The client's feedback.
  score REAL,                      -- -1 to 1
  comment TEXT,
  feedback_unix_seconds INTEGER
);
CREATE INDEX requests_by_request_id ON requests (request_id);
CREATE INDEX requests_by_time ON requests (unix_seconds);
)sql";

// SQLite would make the file readable for all.
void CreatePrivately(const std::string& path) {
  const int file = open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
  if (file >= 0) close(file);
}

Status MakeTables(SqliteDatabase& database) {
  AIO_RETURN_IF_ERROR(database.Execute("BEGIN IMMEDIATE"));
  Result<int64_t> version = database.QueryInt("PRAGMA user_version");
  Status made = version.status();
  if (version.ok() && *version == 0) {  // nobody else made them meanwhile
    made = database.Execute(kTables);
    if (made.ok()) {
      made = database.Execute(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}",
                                          kApplicationId, kLogSchemaVersion));
    }
  }
  if (made.ok()) return database.Execute("COMMIT");
  (void)database.Execute("ROLLBACK");
  return made;
}

Status CheckVersion(SqliteDatabase& database) {
  AIO_ASSIGN_OR_RETURN(const int64_t id, database.QueryInt("PRAGMA application_id"));
  AIO_ASSIGN_OR_RETURN(const int64_t version, database.QueryInt("PRAGMA user_version"));
  if (id != kApplicationId) {
    return InvalidArgument(
        fmt::format("{}: is a database, but no decision log; name another file", database.path()));
  }
  if (version == kLogSchemaVersion) return Status::Ok();
  return InvalidArgument(
      fmt::format("{}: is a decision log of version {}, this program knows "
                  "version {}; update it, or name another file",
                  database.path(), version, kLogSchemaVersion));
}

Status IfCorrupt(Status status, std::string_view mend) {
  if (status.reason() != kSqliteCorrupt) return status;
  return InvalidArgument(fmt::format("{}; {}", status.message(), mend))
      .WithReason(std::string(kSqliteCorrupt));
}

// Nothing is waited for on disk: a crash of the program loses nothing that was committed, one of
// the machine perhaps the last seconds, and neither harms the file (WAL). What is deleted is
// overwritten, and the file shrinks again.
constexpr char kSettings[] =
    "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; "
    "PRAGMA secure_delete = ON; PRAGMA journal_size_limit = 16777216";

Status Prepare(SqliteDatabase& database) {
  AIO_RETURN_IF_ERROR(database.Execute(kSettings));
  AIO_ASSIGN_OR_RETURN(const int64_t tables,
                       database.QueryInt("SELECT count(*) FROM sqlite_master"));
  if (tables == 0) AIO_RETURN_IF_ERROR(MakeTables(database));
  return CheckVersion(database);
}

}  // namespace

Result<std::unique_ptr<SqliteDatabase>> OpenLogToWrite(const std::string& path) {
  CreatePrivately(path);
  AIO_ASSIGN_OR_RETURN(std::unique_ptr<SqliteDatabase> database,
                       SqliteDatabase::Open(path, SqliteDatabase::Mode::kWrite));
  const Status prepared = Prepare(*database);
  if (!prepared.ok()) {
    return IfCorrupt(prepared, "move the file away; `aio replay` reads what can be read of it");
  }
  return database;
}

Result<std::unique_ptr<SqliteDatabase>> OpenLogToRead(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    return NotFound(fmt::format("{}: there is no such file", path));
  }
  AIO_ASSIGN_OR_RETURN(std::unique_ptr<SqliteDatabase> database,
                       SqliteDatabase::Open(path, SqliteDatabase::Mode::kRead));
  Status checked = CheckVersion(*database);
  if (checked.reason() == kSqliteFull) {  // no place for the files that readers share
    AIO_ASSIGN_OR_RETURN(database, SqliteDatabase::Open(path, SqliteDatabase::Mode::kImmutable));
    checked = CheckVersion(*database);
  }
  if (!checked.ok()) return IfCorrupt(checked, "nothing of it can be read");
  return database;
}

}  // namespace aio
