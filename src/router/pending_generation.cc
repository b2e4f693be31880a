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
  std::lock_guard lock(mutex_);
  // Nobody can have called Cancel() yet, but the probe may be over.
  if (!probe_has_ended_) current_ = *std::move(probing);
  return std::shared_ptr<Ticket>(shared_from_this());
}

void PendingGeneration::Cancel() {
  std::shared_ptr<Ticket> current;
  {
    std::lock_guard lock(mutex_);
    cancelled_ = true;
    current = current_;
  }
  if (current != nullptr) current->Cancel();
}

void PendingGeneration::SetPaused(bool paused) {
  std::shared_ptr<Ticket> current;
  {
    const std::lock_guard lock(mutex_);
    paused_ = paused;
    current = current_;
  }
  if (current != nullptr) current->SetPaused(paused);
}

void PendingGeneration::OnProbe(Result<ProbeResult> probe) {
  const std::shared_ptr<EventSink> sink = std::move(sink_);
  if (!EndProbe()) {
    probe = Cancelled("cancelled during the probe");  // lets the held prompt go
    return sink->OnError(probe.status());
  }
  auto chosen = dispatch_(std::move(probe), sink);
  if (!chosen.ok()) return sink->OnError(chosen.status());
  bool cancelled = false;
  bool paused = false;
  {
    std::lock_guard lock(mutex_);
    current_ = *chosen;
    cancelled = cancelled_;
    paused = paused_;
  }
  // What came during the probe, or while the backend accepted the request.
  if (cancelled) return (*chosen)->Cancel();
  if (!paused) return;
  (*chosen)->SetPaused(true);
  {
    std::lock_guard lock(mutex_);
    if (paused_) return;
  }
  (*chosen)->SetPaused(false);  // the wish for that came first, and went before
}

// False if the generation was cancelled meanwhile.
bool PendingGeneration::EndProbe() {
  std::lock_guard lock(mutex_);
  probe_has_ended_ = true;
  current_.reset();
  return !cancelled_;
}

}  // namespace aio
