// A connection to a PostgreSQL database, as the layers above use it: no call lasts longer than its
// time, whatever becomes of the server and of the network.
#ifndef AIO_POSTGRES_CONNECTION_H_
#define AIO_POSTGRES_CONNECTION_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

struct pg_conn;
struct pg_result;

namespace aio {

// What a Status of these classes has as reason(), beside the server's own words.
inline constexpr std::string_view kPostgresAway = "away";        // gone, full, locked: try again
inline constexpr std::string_view kPostgresRefuses = "refused";  // user, password, database, rights
inline constexpr std::string_view kPostgresValue = "value";      // cannot be stored, ever
inline constexpr std::string_view kPostgresOther = "sql";

// What a query answered. Rows and columns from 0.
class PostgresRows {
 public:
  int size() const;
  bool IsNull(int row, int column) const;
  std::string Text(int row, int column) const;
  int64_t Int(int row, int column) const;  // 0 if it is none
  double Real(int row, int column) const;  // likewise
  int64_t changed() const;                 // rows that were written

 private:
  friend class PostgresConnection;
  struct Clear {
    void operator()(pg_result* result) const;
  };
  explicit PostgresRows(pg_result* result) : result_(result) {}

  std::unique_ptr<pg_result, Clear> result_;
};

// A parameter as the server reads it; absent: NULL.
using PostgresValue = std::optional<std::string>;

// As the server reads them. Text loses what PostgreSQL cannot store: NUL and what is not UTF-8
// become U+FFFD.
std::string PostgresText(std::string_view text);
std::string PostgresNumber(double value);  // with every bit
// An array's literal, for unnest(): one parameter for a column of many rows.
std::string PostgresArray(const std::vector<PostgresValue>& values);

struct PostgresTimes {
  // For each host of a URL that has no connect_timeout, all of its addresses together. Looking up
  // the name comes on top, for as long as the resolver takes.
  std::chrono::seconds connect{5};
  std::chrono::milliseconds statement{5000};  // the server gives up on a statement
  // ... and so much later the client on the server.
  std::chrono::milliseconds grace{2000};
  // May be null. Once it is true, connecting takes a second more at most, whatever the hosts.
  const std::atomic<bool>* stopping = nullptr;
};

// For one thread at a time.
class PostgresConnection {
 public:
  // Waits until it is there, or for its time. Faults name the URL without the password.
  static Result<std::unique_ptr<PostgresConnection>> Open(const std::string& url,
                                                          const PostgresTimes& times = {});
  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;
  ~PostgresConnection();

  // One statement; parameters are $1, $2, ...
  Result<PostgresRows> Run(const std::string& sql, const std::vector<PostgresValue>& values = {});
  // Statements without parameters, each with its ';'. All in one transaction, unless they say
  // otherwise.
  Status RunScript(const std::string& sql);

  // After a fault of the connection it is of no use any more.
  bool is_usable() const;
  const std::string& name() const { return name_; }  // PostgresUrlToShow()

 private:
  PostgresConnection(std::string name, const PostgresTimes& times, pg_conn* connection)
      : name_(std::move(name)), times_(times), connection_(connection) {}

  using Deadline = std::chrono::steady_clock::time_point;
  Status Prepare();
  Status Flush(Deadline deadline);
  Status WaitForSocket(short events, Deadline deadline);
  Result<PostgresRows> Receive();
  Status ToStatus(const pg_result* result) const;
  Status Gone(std::string_view why);

  const std::string name_;
  const PostgresTimes times_;
  pg_conn* connection_;  // never null
  bool gone_ = false;
};

}  // namespace aio

#endif  // AIO_POSTGRES_CONNECTION_H_
