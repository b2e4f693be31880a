// A queue before a backend: so many generations at a time, the others wait, in fair order, within
// bounds. Itself a Backend, so that neither the server nor what it serves knows of it.
#ifndef AIO_ADMISSION_ADMISSION_BACKEND_H_
#define AIO_ADMISSION_ADMISSION_BACKEND_H_

#include <cstdint>
#include <memory>
#include <thread>

#include "backend/forwarding_backend.h"
#include "base/clock.h"
#include "base/status.h"

namespace aio {

struct AdmissionLimits {
  int running_max = 32;            // generations that the backend has at a time; >= 1
  int waiting_max = 1024;          // further ones that wait; beyond: kResourceExhausted; >= 0
  int waiting_per_client_max = 0;  // of these, of one Request::client; 0: no limit of its own
};

// Since the start, but for the first two.
struct AdmissionCounts {
  int running = 0;
  int waiting = 0;
  int64_t queued = 0;     // had to wait
  int64_t refused = 0;    // found the queue full
  int64_t expired = 0;    // their deadline passed while they waited, or before
  int64_t cancelled = 0;  // while they waited
};

// Orders Generate() by Request::priority and, within one, fairly between Request::client (see
// FairQueue). A request whose deadline passes while it waits gets kDeadlineExceeded, and the
// backend never hears of it; one that is cancelled leaves the queue at once. The other methods go
// straight through: a probe is short, and belongs to a decision that was asked for.
//
// One that need not wait is started by the thread that asks, as without this; one that waited, by a
// thread of the queue's own, which also tells those that never start. Per token there is one more
// virtual call, and no lock. Thread-safe.
class AdmissionBackend final : public ForwardingBackend {
 public:
  // `backend` outlives this and the last event of what was started; `clock` too.
  AdmissionBackend(Backend& backend, AdmissionLimits limits, const Clock& clock);
  // Those that wait get kUnavailable; what was started goes on.
  ~AdmissionBackend() override;

  // From now on. Whoever waits already goes on waiting, whatever the new limits.
  void SetLimits(AdmissionLimits limits);
  AdmissionCounts counts() const;

  Result<std::shared_ptr<Ticket>> Generate(Request request,
                                           std::shared_ptr<EventSink> sink) override;

 private:
  class State;
  const std::shared_ptr<State> state_;
  std::thread thread_;
};

}  // namespace aio

#endif  // AIO_ADMISSION_ADMISSION_BACKEND_H_
