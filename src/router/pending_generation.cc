#include "router/pending_generation.h"

#include <utility>

namespace aio {

Result<std::shared_ptr<Ticket>> PendingGeneration::Start(const Probe& probe,
                                                         const Request& request) {
  Result<std::shared_ptr<Ticket>> probing =
      probe.Start(request, [self = shared_from_this()](Result<ProbeResult> result) {
        self->OnProbe(std::move(result));
      });
  if (!probing.ok()) return dispatch_(probing.status(), std::move(sink_));
  relay_.SetFirst(*std::move(probing));
  return std::shared_ptr<Ticket>(shared_from_this());
}

void PendingGeneration::OnProbe(Result<ProbeResult> probe) {
  const std::shared_ptr<EventSink> sink = std::move(sink_);
  relay_.TakeAway();
  if (relay_.cancelled()) {
    probe = Cancelled("cancelled during the probe");  // lets the held prompt go
    return sink->OnError(probe.status());
  }
  auto chosen = dispatch_(std::move(probe), sink);
  if (!chosen.ok()) return sink->OnError(chosen.status());
  relay_.Set(*std::move(chosen));
}

}  // namespace aio
