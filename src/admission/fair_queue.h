// Who of those that wait is next. Pure: no threads, and time is an argument.
//
// Between priorities strict: the lowest goes first. Between the clients of one priority by
// start-time fair queueing (Goyal, Vin and Cheng, 1996) on tokens: each client has a tag, the
// tokens that it was given; the client with the least goes next, and its tag grows by what its
// request is estimated to cost, put right when that is known. A client that did not wait begins at
// the tag of the last one served: nobody saves up, and nobody pays for having used a server that
// was idle. Within a client in order of arrival.
#ifndef AIO_ADMISSION_FAIR_QUEUE_H_
#define AIO_ADMISSION_FAIR_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace aio {

struct QueuedItem {
  uint64_t id = 0;  // ids grow in order of arrival
  std::string client;
  int priority = 0;
  int64_t cost = 1;  // tokens
  TimePoint deadline = kNoDeadline;
};

// Not thread-safe.
class FairQueue {
 public:
  // Out of memory it throws, and nothing has changed; so do all others that can.
  void Push(QueuedItem item);
  // The next one, which counts as served; absent if nobody waits.
  std::optional<QueuedItem> Pop();
  // Whoever waits by this id; false if nobody does.
  bool Remove(uint64_t id);
  // Whose deadline is the next; absent if nobody has one.
  std::optional<uint64_t> NextToExpire() const;
  // kNoDeadline if there is none.
  TimePoint NextDeadline() const;

  // `client` was served at once, without having waited, at `cost`.
  void Served(const std::string& client, int64_t cost);
  // What was served to `client` cost so much more than was said (or less, if negative).
  void Correct(const std::string& client, int64_t tokens);

  size_t size() const { return items_.size(); }
  size_t size_of(const std::string& client) const;

 private:
  struct Client {
    double tag = 0;      // tokens
    size_t waiting = 0;  // of its items
  };
  using Waiting = std::map<std::string, std::set<uint64_t>>;  // by client; no set is empty

  void Begin(Client& client);
  void Unlink(const QueuedItem& item);
  // The part of Unlink() that also undoes half of a Push().
  void Detach(const QueuedItem& item);
  void Prune();

  std::unordered_map<uint64_t, QueuedItem> items_;
  std::map<int, Waiting> levels_;  // by priority; none is empty
  std::set<std::pair<TimePoint, uint64_t>> deadlines_;
  std::unordered_map<std::string, Client> clients_;
  double last_tag_ = 0;  // of the last one served, when its service began
};

}  // namespace aio

#endif  // AIO_ADMISSION_FAIR_QUEUE_H_
