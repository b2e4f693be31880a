#include "engine/inbox.h"

#include <iterator>
#include <utility>

namespace aio {

bool Inbox::Post(Command command) {
  {
    std::lock_guard lock(mutex_);
    if (closed_) return false;  // `command` is destroyed by the caller, outside the lock
    commands_.push_back(std::move(command));
  }
  arrived_.notify_one();
  return true;
}

void Inbox::Close() {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }
  arrived_.notify_one();
}

bool Inbox::Collect(bool wait, std::vector<Command>& commands) {
  std::unique_lock lock(mutex_);
  if (wait) arrived_.wait(lock, [this] { return closed_ || !commands_.empty(); });
  std::move(commands_.begin(), commands_.end(), std::back_inserter(commands));
  commands_.clear();  // only moved-from shells: nothing is destroyed under the lock
  return !closed_;
}

}  // namespace aio
