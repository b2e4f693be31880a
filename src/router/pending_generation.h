// A generation that waits for its probe.
#ifndef AIO_ROUTER_PENDING_GENERATION_H_
#define AIO_ROUTER_PENDING_GENERATION_H_

#include <functional>
#include <memory>
#include <mutex>

#include "backend/backend.h"
#include "base/status.h"
#include "router/probe.h"

namespace aio {

// Its ticket: first the probe's, then the chosen model's. Kept alive by the probe's callback
// until that has run, and by the caller.
class PendingGeneration final : public Ticket,
                                public std::enable_shared_from_this<PendingGeneration> {
 public:
  // Starts the generation that the probe's outcome, which may be a fault, calls for.
  using Dispatch = std::function<Result<std::shared_ptr<Ticket>>(Result<ProbeResult> probe,
                                                                 std::shared_ptr<EventSink> sink)>;

  PendingGeneration(Dispatch dispatch, std::shared_ptr<EventSink> sink)
      : dispatch_(std::move(dispatch)), sink_(std::move(sink)) {}

  // Once. `request` must outlive the probe: `dispatch` may own it.
  Result<std::shared_ptr<Ticket>> Start(const Probe& probe, const Request& request);

  void Cancel() override;
  void SetPaused(bool paused) override;

 private:
  void OnProbe(Result<ProbeResult> probe);
  bool EndProbe();

  const Dispatch dispatch_;
  std::shared_ptr<EventSink> sink_;  // used by Start() and OnProbe() only, until handed on

  std::mutex mutex_;
  // Guarded by mutex_:
  bool cancelled_ = false;
  bool paused_ = false;
  bool probe_has_ended_ = false;
  std::shared_ptr<Ticket> current_;  // what Cancel() reaches; null between the two
};

}  // namespace aio

#endif  // AIO_ROUTER_PENDING_GENERATION_H_
