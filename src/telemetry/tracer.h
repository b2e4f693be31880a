// Which requests are traced, and where the trace of a running one is found.
//
// A Request carries no trace: who has a part in serving it (the queue, the router, the models)
// finds it by Request::id. Clients choose that, so two running requests may have one: the second's
// phases are then not known, and only its own span is recorded.
#ifndef AIO_TELEMETRY_TRACER_H_
#define AIO_TELEMETRY_TRACER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "telemetry/request_record.h"
#include "telemetry/request_trace.h"
#include "telemetry/trace_context.h"

namespace aio {

// Takes traces that are over. Thread-safe; called on the way of requests: neither blocks nor fails.
class TraceSink {
 public:
  virtual ~TraceSink() = default;
  virtual void Add(std::unique_ptr<const RequestRecord> record) = 0;
};

struct TracedRequest {
  TraceContext context;                 // of the request's own span
  std::shared_ptr<RequestTrace> trace;  // null: it is not sampled
};

// A trace that runs, and which of the request's choices is meant. `trace` is null: none.
struct RunningTrace {
  std::shared_ptr<RequestTrace> trace;
  int choice = 0;
};

// Thread-safe.
class Tracer {
 public:
  // Of requests whose client has not decided, `sample_ratio` (0..1) are traced. `unix_ns` is the
  // wall clock, read once a traced request; within one, time is `clock`'s. `sink` and `clock`
  // outlive the tracer.
  Tracer(double sample_ratio, const Clock& clock, std::function<int64_t()> unix_ns, TraceSink& sink)
      : sample_ratio_(sample_ratio), clock_(clock), unix_ns_(std::move(unix_ns)), sink_(sink) {}

  // A request that arrived at `arrival`, with what its client says.
  TracedRequest Start(const std::optional<TraceContext>& client, TimePoint arrival) const;

  // From now on Find(id) gives `trace`, until it ends; unless there is one by that id.
  void Follow(const std::string& id, const std::shared_ptr<RequestTrace>& trace, int choice = 0);
  RunningTrace Find(const std::string& id) const;

  // Once; further calls do nothing.
  void End(RequestTrace& trace, RequestFacts facts);

  const Clock& clock() const { return clock_; }

 private:
  const double sample_ratio_;
  const Clock& clock_;
  const std::function<int64_t()> unix_ns_;
  TraceSink& sink_;

  mutable std::mutex mutex_;
  std::unordered_map<std::string, RunningTrace> running_;  // guarded by mutex_
  std::atomic<size_t> num_running_ = 0;                    // so that nobody looks where nothing is
};

}  // namespace aio

#endif  // AIO_TELEMETRY_TRACER_H_
