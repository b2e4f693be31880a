// What an AdmissionBackend and all that it started share. Internal to admission/.
#ifndef AIO_ADMISSION_ADMISSION_STATE_H_
#define AIO_ADMISSION_ADMISSION_STATE_H_

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "admission/admission_backend.h"
#include "admission/fair_queue.h"

namespace aio {

// The ticket of one that had to wait.
class QueuedTicket;

class AdmissionBackend::State : public std::enable_shared_from_this<State> {
 public:
  State(Backend& backend, AdmissionLimits limits, const Clock& clock)
      : backend_(backend), clock_(clock), limits_(limits) {}

  Result<std::shared_ptr<Ticket>> Generate(Request request, std::shared_ptr<EventSink> sink);
  // Takes one that waits out of the queue; nothing if it does not wait any more.
  void CancelWaiting(uint64_t id);
  // One that ran has ended: the estimate was wrong by so many tokens.
  void Ended(const std::string& client, int64_t correction);
  void SetLimits(AdmissionLimits limits);
  AdmissionCounts counts() const;

  // Starts those whose turn comes, until Stop().
  void Run();
  void Stop();

 private:
  struct Waiting {
    Request request;
    std::shared_ptr<EventSink> sink;
    std::shared_ptr<QueuedTicket> ticket;
    TimePoint since;
  };
  // One that will never start, and what its sink is to be told.
  using Dead = std::pair<std::shared_ptr<EventSink>, Status>;
  // A place among those that run, given back unless it is kept.
  class Place;

  // Both may throw for want of memory, and then nothing has changed.
  Result<std::shared_ptr<Ticket>> TryGenerate(Request request, std::shared_ptr<EventSink> sink);
  Result<std::shared_ptr<Ticket>> StartNow(Request request, std::shared_ptr<EventSink> sink,
                                           Duration waited);
  Result<std::shared_ptr<Ticket>> Enqueue(Request request, std::shared_ptr<EventSink> sink);
  Status CheckRoom(const std::string& client) const;  // holding mutex_
  void Bury(uint64_t id, Status status);              // holding mutex_, as all below
  void BuryOverdue();
  // Does what there is to do, letting go of the lock meanwhile; false once it has stopped.
  bool RunOnce(std::unique_lock<std::mutex>& lock);
  void WaitForWork(std::unique_lock<std::mutex>& lock);
  void StartWaiting(Waiting waiting);  // not holding it

  Backend& backend_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable work_;
  // All below guarded by mutex_.
  AdmissionLimits limits_;
  AdmissionCounts counts_;  // but for `waiting`
  FairQueue queue_;
  std::unordered_map<uint64_t, Waiting> waiting_;
  std::vector<Dead> dead_;
  uint64_t next_id_ = 0;
  bool stopping_ = false;
};

}  // namespace aio

#endif  // AIO_ADMISSION_ADMISSION_STATE_H_
