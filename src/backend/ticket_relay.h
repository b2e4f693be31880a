// A caller's wishes for work that begins later, or goes on as other work.
#ifndef AIO_BACKEND_TICKET_RELAY_H_
#define AIO_BACKEND_TICKET_RELAY_H_

#include <memory>
#include <mutex>

#include "backend/backend.h"

namespace aio {

// Passes wishes on to the ticket of the moment; what was wished while there was none, or of
// another, is the next one's too. Thread-safe; no lock is held while a ticket is called.
class TicketRelay {
 public:
  // Of the work that was begun first, whose ticket may come when that is over already: false, and
  // nothing is changed, after any of the two others.
  bool SetFirst(std::shared_ptr<Ticket> ticket);
  // From now on `ticket` gets the wishes.
  void Set(std::shared_ptr<Ticket> ticket);
  // From now on none does. Returns the one that did; null: there was none.
  std::shared_ptr<Ticket> TakeAway();

  // False if there is no ticket to tell.
  bool Cancel();
  void SetPaused(bool paused);
  bool cancelled() const;

 private:
  void Become(std::shared_ptr<Ticket> ticket, std::unique_lock<std::mutex> lock);

  mutable std::mutex mutex_;
  // Guarded by mutex_:
  std::shared_ptr<Ticket> current_;
  bool first_is_over_ = false;
  bool cancelled_ = false;
  bool paused_ = false;
};

}  // namespace aio

#endif  // AIO_BACKEND_TICKET_RELAY_H_
