// SQLite, as this layer uses it. Internal to decisions/.
#ifndef AIO_DECISIONS_SQLITE_H_
#define AIO_DECISIONS_SQLITE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "decisions/log_store.h"

struct sqlite3;
struct sqlite3_stmt;

namespace aio {

// What a Status of these classes has as reason(), beside the library's own words.
inline constexpr std::string_view kSqliteBusy =
    kLogStoreLocked;                                            // another holds the lock: try again
inline constexpr std::string_view kSqliteFull = kLogStoreFull;  // full, or it fails: try again
inline constexpr std::string_view kSqliteCorrupt = "corrupt";   // the file is no longer a database
inline constexpr std::string_view kSqliteValue = "value";       // this row cannot be stored

// A prepared statement. Not thread-safe; does not outlive its database.
class SqliteStatement {
 public:
  // Parameters by number, from 1. They stay bound until bound anew.
  void Bind(int parameter, int64_t value);
  void Bind(int parameter, double value);
  void Bind(int parameter, std::string_view text);  // copied
  void BindNull(int parameter);

  // True: there is a row. False: there is no other, and the statement may be run again.
  Result<bool> Step();
  // Runs to the end; rows are left unread.
  Status Run();
  void Reset();

  // Of the row, columns from 0. A value of another type is converted as SQL does.
  bool IsNull(int column) const;
  int64_t Int(int column) const;
  double Real(int column) const;
  std::string Text(int column) const;

 private:
  friend class SqliteDatabase;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  SqliteStatement(sqlite3* database, sqlite3_stmt* statement, const std::string* path)
      : database_(database), statement_(statement), path_(path) {}

  sqlite3* database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  const std::string* path_;  // the database's
};

// A connection. For one thread at a time. Not movable: statements point at it.
class SqliteDatabase {
 public:
  enum class Mode {
    kWrite,      // made if it is not there
    kRead,       // the file itself is never written
    kImmutable,  // nor any beside it; whoever writes meanwhile, or has not ended well, is not seen
  };
  static Result<std::unique_ptr<SqliteDatabase>> Open(const std::string& path, Mode mode);
  SqliteDatabase(const SqliteDatabase&) = delete;
  SqliteDatabase& operator=(const SqliteDatabase&) = delete;
  ~SqliteDatabase();

  Status Execute(const std::string& sql);
  Result<SqliteStatement> Prepare(std::string_view sql);
  // The first column of the first row.
  Result<int64_t> QueryInt(std::string_view sql);
  int64_t QueryIntOr(std::string_view sql, int64_t on_failure);

  int64_t LastRow() const;
  int Changes() const;  // rows that the last statement changed
  bool InTransaction() const;
  const std::string& path() const { return path_; }

 private:
  SqliteDatabase(std::string path, sqlite3* database)
      : path_(std::move(path)), database_(database) {}

  const std::string path_;
  sqlite3* database_;
};

}  // namespace aio

#endif  // AIO_DECISIONS_SQLITE_H_
