#include "router/fallback_generation.h"

#include <utility>

namespace aio {

bool ModelIsGone(const Status& fault) { return fault.code() == StatusCode::kUnavailable; }

Result<std::shared_ptr<Ticket>> FallbackGeneration::Begin(const Start& start) {
  Result<std::shared_ptr<Ticket>> first = start(shared_from_this());
  if (first.ok()) {
    SetCurrent(*std::move(first));
    return std::shared_ptr<Ticket>(shared_from_this());
  }
  if (!ModelIsGone(first.status())) return first;
  has_begun_other_ = true;
  return std::exchange(start_other_, nullptr)(first.status(), std::move(client_));
}

void FallbackGeneration::SetCurrent(std::shared_ptr<Ticket> ticket) {
  {
    const std::lock_guard lock(mutex_);
    // The first one's, when the other has been started from inside its Generate().
    if (has_other_ && current_ != nullptr) return;
    current_ = ticket;
    if (!cancelled_) return;
  }
  ticket->Cancel();  // that came while the model accepted the request
}

void FallbackGeneration::Cancel() {
  std::shared_ptr<Ticket> current;
  {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    current = current_;
  }
  if (current != nullptr) current->Cancel();
}

void FallbackGeneration::SetPaused(bool paused) {
  std::shared_ptr<Ticket> current;
  {
    const std::lock_guard lock(mutex_);
    current = current_;
  }
  if (current != nullptr) current->SetPaused(paused);
}

void FallbackGeneration::OnStart(const StartEvent& event) {
  start_other_ = nullptr;
  client_ = nullptr;
  sink_->OnStart(event);
}

void FallbackGeneration::OnError(const Status& status) {
  const StartOther start_other = std::exchange(start_other_, nullptr);
  if (!start_other || !ModelIsGone(status)) return sink_->OnError(status);
  bool cancelled = false;
  {
    const std::lock_guard lock(mutex_);
    cancelled = cancelled_;
  }
  if (cancelled) return sink_->OnError(Cancelled("was cancelled before its answer began"));
  const std::shared_ptr<EventSink> client = std::move(client_);
  Result<std::shared_ptr<Ticket>> other = start_other(status, client);
  if (!other.ok()) return client->OnError(other.status());
  std::unique_lock lock(mutex_);
  has_other_ = true;
  current_ = *other;
  if (!cancelled_) return;
  lock.unlock();
  (*other)->Cancel();
}

}  // namespace aio
