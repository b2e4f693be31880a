// A generation that waits for its probe.
#ifndef AIO_ROUTER_PENDING_GENERATION_H_
#define AIO_ROUTER_PENDING_GENERATION_H_

#include <functional>
#include <memory>

#include "backend/backend.h"
#include "backend/ticket_relay.h"
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

  void Cancel() override { relay_.Cancel(); }
  void SetPaused(bool paused) override { relay_.SetPaused(paused); }

 private:
  void OnProbe(Result<ProbeResult> probe);

  const Dispatch dispatch_;
  std::shared_ptr<EventSink> sink_;  // used by Start() and OnProbe() only, until handed on

  TicketRelay relay_;  // to the probe, then to the generation
};

}  // namespace aio

#endif  // AIO_ROUTER_PENDING_GENERATION_H_
