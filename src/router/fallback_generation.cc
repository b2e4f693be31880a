#include "router/fallback_generation.h"

#include <utility>

namespace aio {

bool ModelIsGone(const Status& fault) { return fault.code() == StatusCode::kUnavailable; }

Result<std::shared_ptr<Ticket>> FallbackGeneration::Begin(const Start& start) {
  Result<std::shared_ptr<Ticket>> first = start(shared_from_this());
  if (first.ok()) {
    // Not, if the other has been started from inside the first one's Generate().
    relay_.SetFirst(*std::move(first));
    return std::shared_ptr<Ticket>(shared_from_this());
  }
  if (!ModelIsGone(first.status())) return first;
  has_begun_other_ = true;
  return std::exchange(start_other_, nullptr)(first.status(), std::move(client_));
}

void FallbackGeneration::OnStart(const StartEvent& event) {
  start_other_ = nullptr;
  client_ = nullptr;
  sink_->OnStart(event);
}

void FallbackGeneration::OnError(const Status& status) {
  const StartOther start_other = std::exchange(start_other_, nullptr);
  if (!start_other || !ModelIsGone(status)) return sink_->OnError(status);
  if (relay_.cancelled()) {
    return sink_->OnError(Cancelled("was cancelled before its answer began"));
  }
  const std::shared_ptr<EventSink> client = std::move(client_);
  Result<std::shared_ptr<Ticket>> other = start_other(status, client);
  if (!other.ok()) return client->OnError(other.status());
  relay_.Set(*std::move(other));
}

}  // namespace aio
