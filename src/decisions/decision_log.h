// The decision log: one row of a database for every request that the router decided, written off
// its way. The database is an SQLite file, or one of a PostgreSQL server that several programs
// write to. docs/decision-log.md says what is in it and how to ask it.
//
// A decision is in the database, and safe from the program's death, at most a second after it was
// made; how the request ended, a second after that. What cannot be written just now (the disk is
// full, another program holds the file's lock, the server is gone) is kept and tried again, up to
// `queue_max` rows; what comes then is dropped and counted. No request ever waits, or fails, for
// the log.
#ifndef AIO_DECISIONS_DECISION_LOG_H_
#define AIO_DECISIONS_DECISION_LOG_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "decisions/feedback.h"
#include "router/decision_observer.h"

namespace aio {

inline constexpr int kDecisionLogQueueMax = 1 << 20;

struct DecisionLogOptions {
  // One of these; neither: no log is kept.
  std::string path;                 // of an SQLite file, made if it is not there
  std::string url;                  // postgresql://..., with its password: not to be shown
  bool text = false;                // keep prompts too; comments of feedback are always kept
  int retention_days = 0;           // rows are deleted when they are older; 0: never
  int queue_max = 4096;             // rows that wait to be written, 1..kDecisionLogQueueMax
  std::vector<std::string> redact;  // regular expressions: what to take out of texts and comments
  // How long rows are gathered before they are written, and how long after a failure they are
  // tried again.
  Duration commit_interval = std::chrono::milliseconds(250);
  Duration retry_interval = std::chrono::seconds(1);
  // A server is left alone for twice as long after each further failure, up to this.
  Duration retry_interval_max = std::chrono::seconds(30);
  bool is_kept() const { return !path.empty() || !url.empty(); }

  // Told when writing begins to fail and, with an ok Status, when it works again. From the log's
  // own thread. May be empty.
  std::function<void(const Status&)> on_health;
  // Told likewise of deleting what is older than `retention_days`: rows are written meanwhile.
  std::function<void(const Status&)> on_deletion_health;
};

// Since the start.
struct DecisionLogCounts {
  int64_t rows = 0;     // decisions written
  int64_t dropped = 0;  // decisions that were not, and never will be
  int64_t errors = 0;   // attempts to write, or to delete old rows, that failed
  int64_t waiting = 0;  // now: decisions not yet written
};

// Thread-safe.
class DecisionLog final : public DecisionObserver {
 public:
  // Fails if the options will not do, the folder cannot be written, or the file is damaged or
  // something else; of a server, if it refuses the user, or its tables are of another version. A
  // file that is locked, a disk that is full or a server that is away is no failure: it is tried
  // again. `clock` outlives the log; its wall time is what rows are kept by.
  static Result<std::unique_ptr<DecisionLog>> Create(DecisionLogOptions options,
                                                     const Clock& clock);
  // Tries once more to write what waits.
  ~DecisionLog() override;

  // Keeps the text of a policy that decides from now on, so that the log can be replayed alone.
  void AddPolicy(const RoutingPolicy& policy);

  bool wants_prompts() const override;
  uint64_t Decided(DecisionRecord record) override;
  void Ended(uint64_t number, const RequestOutcome& outcome) override;

  // Writes at once, together with all that came before. `done` is called once, from the log's
  // thread: ok when it is in the database, kNotFound for an id that is not there, kUnavailable if
  // it could not be written or too much waits; in that case perhaps from inside this call.
  void AddFeedback(Feedback feedback, std::function<void(Status)> done);

  // Waits until all that came before was tried to be written; for tests and shutdown.
  Status Flush();

  DecisionLogCounts counts() const;

 private:
  class Impl;
  explicit DecisionLog(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace aio

#endif  // AIO_DECISIONS_DECISION_LOG_H_
