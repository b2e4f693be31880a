// The tables of a decision log in SQLite. Internal to decisions/; docs/decision-log.md describes
// them.
#ifndef AIO_DECISIONS_SQLITE_LOG_SCHEMA_H_
#define AIO_DECISIONS_SQLITE_LOG_SCHEMA_H_

#include <memory>
#include <string>

#include "base/status.h"
#include "decisions/sqlite.h"

namespace aio {

inline constexpr int kLogSchemaVersion = 1;

// Opens a log to write; makes file and tables where there are none. The file is its owner's alone
// (mode 0600). kInvalidArgument if the file is something else, damaged, or of a newer version.
Result<std::unique_ptr<SqliteDatabase>> OpenLogToWrite(const std::string& path);

// Opens a log to read, whatever state it is in, and while another writes it. kNotFound without a
// file; kInvalidArgument as above.
Result<std::unique_ptr<SqliteDatabase>> OpenLogToRead(const std::string& path);

}  // namespace aio

#endif  // AIO_DECISIONS_SQLITE_LOG_SCHEMA_H_
