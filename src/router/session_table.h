// Which model answered a conversation's last turn.
#ifndef AIO_ROUTER_SESSION_TABLE_H_
#define AIO_ROUTER_SESSION_TABLE_H_

#include <cstddef>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "backend/request.h"
#include "router/signals.h"

namespace aio {

// What a request is found and remembered by. Hashes: no text is kept.
struct SessionKeys {
  std::string of_last_turn;  // empty: the request begins a conversation
  std::string of_this_turn;  // empty: nobody will come back to it
};

// By Request::session if there is one. Otherwise by the conversation: a client that goes on with
// one sends the messages of its last request again, then our answer, then something new; so what
// stands before the last assistant message is the request of the last turn. (Two clients that
// begin alike are one conversation until they differ. That is no harm: neither sees the other.)
SessionKeys KeysOf(const Request& request);

// The least recently used go when there are too many. Thread-safe.
class SessionTable {
 public:
  // 0: nothing is remembered.
  explicit SessionTable(size_t sessions_max) : sessions_max_(sessions_max) {}

  // Nothing known: SessionSignals().
  SessionSignals Find(const SessionKeys& keys);
  // A turn was given to the model of `now.role`; `before` is what Find() said of it. Its turns are
  // counted on from there.
  void Remember(const SessionKeys& keys, const SessionSignals& before, SessionSignals now);

  size_t size() const;

 private:
  struct Entry {
    std::string key;
    SessionSignals last;
  };

  const size_t sessions_max_;
  mutable std::mutex mutex_;
  // Guarded by mutex_:
  std::list<Entry> by_use_;                                                  // latest first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_key_;  // views of Entry::key
};

}  // namespace aio

#endif  // AIO_ROUTER_SESSION_TABLE_H_
