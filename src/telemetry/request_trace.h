// The trace of one request while it is served: who has a part in it says what happened when.
#ifndef AIO_TELEMETRY_REQUEST_TRACE_H_
#define AIO_TELEMETRY_REQUEST_TRACE_H_

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "backend/events.h"
#include "base/clock.h"
#include "base/status.h"
#include "telemetry/request_record.h"

namespace aio {

// Thread-safe. After End() the other calls do nothing: a model may still be at it then.
class RequestTrace {
 public:
  explicit RequestTrace(RequestRecord begun)
      : record_(std::make_unique<RequestRecord>(std::move(begun))) {}

  void Asked(TimePoint now);
  void Admitted(TimePoint now);
  void SharesId();

  // Return the number by which the others know it.
  size_t ProbeBegan(std::string model, TimePoint now);
  size_t GenerationBegan(std::string model, int choice, TimePoint now);

  // Refused at once, or done.
  void ProbeEnded(size_t probe, TimePoint now, const Result<LabelScores>& scores);
  void GenerationStarted(size_t generation);
  void FirstToken(size_t generation, TimePoint now);
  void GenerationEnded(size_t generation, TimePoint now, const FinishEvent& finish);
  void GenerationFailed(size_t generation, TimePoint now, const Status& error);

  // All of it. Null if it had ended.
  std::unique_ptr<const RequestRecord> End(RequestFacts facts, TimePoint now);

  // Tracer's own, guarded by its mutex: the ids by which it finds this, and whether it is to.
  std::vector<std::string> ids;
  bool is_over = false;

 private:
  template <typename Change>
  void With(const Change& change) {
    const std::lock_guard lock(mutex_);
    if (record_ != nullptr) change(*record_);
  }

  std::mutex mutex_;
  std::unique_ptr<RequestRecord> record_;  // guarded by mutex_; null: ended
};

}  // namespace aio

#endif  // AIO_TELEMETRY_REQUEST_TRACE_H_
