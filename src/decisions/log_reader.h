// Reads decision logs, whole or damaged.
#ifndef AIO_DECISIONS_LOG_READER_H_
#define AIO_DECISIONS_LOG_READER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backend/events.h"
#include "base/status.h"
#include "router/routing_policy.h"

namespace aio {

// How a request ended.
struct LoggedOutcome {
  std::string finish;       // "stop", "length", "cancelled" or "error"
  std::string answered_by;  // the model that began to answer; empty: none
  int completion_tokens = 0;
  Timings timings;
  Traffic traffic;

  // Whether what it took tells of the model: an answer that came to its own end.
  bool complete() const { return finish == "stop" || finish == "length"; }
};

// One row.
struct LoggedRequest {
  int64_t row = 0;
  std::string request_id;
  int64_t unix_seconds = 0;
  std::string prompt_hash;
  std::string prompt;              // JSON; empty unless it was kept
  std::string policy_hash;         // empty: asked for by name
  std::optional<Signals> signals;  // absent: likewise
  std::string intent;              // most probable label; empty: not probed
  int prompt_tokens = 0;
  std::string model;
  PolicyOutcome decided;
  std::optional<LoggedOutcome> outcome;  // absent: still running, or the program died
  std::optional<double> score;           // of the client's feedback, -1..1
};

class LogSource;  // decisions/log_source.h

// For one thread at a time.
class LogReader {
 public:
  // `place` is a file, or the postgresql:// URL of a database. kNotFound if there is none,
  // kInvalidArgument if it is no decision log, or its very beginning is damaged. A log may be read
  // while it is written.
  static Result<LogReader> Open(const std::string& place);
  LogReader(LogReader&&) noexcept;
  LogReader& operator=(LogReader&&) noexcept;
  ~LogReader();

  // Rows in it, damaged ones included as far as they can be counted.
  int64_t CountRows();

  // Calls `visit` with every row that can be read, oldest first. What cannot be is told of in
  // unreadable(). Fails only when nothing can be read for another reason, such as a lock.
  Status ReadAll(const std::function<void(LoggedRequest)>& visit);

  // The texts of the policies that decided, by their hash.
  std::map<std::string, std::string> ReadPolicies();

  // A line for each part that could not be read: "row 17: signals: is not JSON", "rows 20 to 31:
  // database disk image is malformed". At most kUnreadableShownMax; unreadable_rows() counts all.
  static constexpr size_t kUnreadableShownMax = 100;
  const std::vector<std::string>& unreadable() const;
  int64_t unreadable_rows() const;

 private:
  explicit LogReader(std::unique_ptr<LogSource> source);
  std::unique_ptr<LogSource> source_;
};

}  // namespace aio

#endif  // AIO_DECISIONS_LOG_READER_H_
