#include "backend/ticket_relay.h"

#include <utility>

namespace aio {

bool TicketRelay::SetFirst(std::shared_ptr<Ticket> ticket) {
  std::unique_lock lock(mutex_);
  if (first_is_over_) return false;
  Become(std::move(ticket), std::move(lock));
  return true;
}

void TicketRelay::Set(std::shared_ptr<Ticket> ticket) {
  std::unique_lock lock(mutex_);
  first_is_over_ = true;
  Become(std::move(ticket), std::move(lock));
}

void TicketRelay::Become(std::shared_ptr<Ticket> ticket, std::unique_lock<std::mutex> lock) {
  current_ = ticket;
  const bool cancelled = cancelled_;
  const bool paused = paused_;
  lock.unlock();
  if (cancelled) return ticket->Cancel();
  if (!paused) return;
  ticket->SetPaused(true);
  if (lock.lock(); paused_) return;
  lock.unlock();
  ticket->SetPaused(false);  // the wish for that came first, and went before
}

std::shared_ptr<Ticket> TicketRelay::TakeAway() {
  const std::lock_guard lock(mutex_);
  first_is_over_ = true;
  return std::exchange(current_, nullptr);
}

bool TicketRelay::Cancel() {
  std::shared_ptr<Ticket> current;
  {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    current = current_;
  }
  if (current == nullptr) return false;
  current->Cancel();
  return true;
}

void TicketRelay::SetPaused(bool paused) {
  std::shared_ptr<Ticket> current;
  {
    const std::lock_guard lock(mutex_);
    paused_ = paused;
    current = current_;
  }
  if (current != nullptr) current->SetPaused(paused);
}

bool TicketRelay::cancelled() const {
  const std::lock_guard lock(mutex_);
  return cancelled_;
}

}  // namespace aio
