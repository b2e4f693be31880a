#include "admission/admission_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <new>

#include "admission/admitted_sink.h"
#include "backend/estimate_tokens.h"
#include "backend/ticket_relay.h"

namespace aio {
namespace {

// A deadline on a clock that is not the machine's is looked at so often at the latest.
constexpr Duration kLongestWait = std::chrono::seconds(1);

// How long to wait for memory.
constexpr Duration kMemoryPause = std::chrono::milliseconds(10);

Status DeadlinePassed() {
  return DeadlineExceeded("The request's deadline passed before its turn came.");
}

Status OutOfMemory() { return Unavailable("The server is out of memory; try again later."); }

}  // namespace

class QueuedTicket final : public Ticket {
 public:
  // `leave` takes it out of the queue, if it waits there.
  explicit QueuedTicket(std::function<void()> leave) : leave_(std::move(leave)) {}

  void Cancel() override {
    if (!running_.Cancel()) leave_();
  }
  void SetPaused(bool paused) override { running_.SetPaused(paused); }

  // Its turn has come.
  void Started(std::shared_ptr<Ticket> running) { running_.Set(std::move(running)); }

 private:
  const std::function<void()> leave_;
  TicketRelay running_;
};

class AdmissionBackend::State::Place {
 public:
  Place(State& state, const std::string& client) : state_(state), client_(client) {}
  ~Place() {
    if (!kept_) state_.Ended(client_, 0);
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  void Keep() { kept_ = true; }

 private:
  State& state_;
  const std::string& client_;
  bool kept_ = false;
};

Result<std::shared_ptr<Ticket>> AdmissionBackend::State::Generate(Request request,
                                                                  std::shared_ptr<EventSink> sink) {
  try {
    return TryGenerate(std::move(request), std::move(sink));
  } catch (const std::bad_alloc&) {
    return OutOfMemory();
  }
}

Result<std::shared_ptr<Ticket>> AdmissionBackend::State::TryGenerate(
    Request request, std::shared_ptr<EventSink> sink) {
  {
    std::lock_guard lock(mutex_);
    if (request.deadline <= clock_.Now()) {
      ++counts_.expired;
      return DeadlinePassed();
    }
    if (counts_.running >= limits_.running_max || queue_.size() > 0) {
      return Enqueue(std::move(request), std::move(sink));
    }
    queue_.Served(request.client, EstimateTokens(request));
    ++counts_.running;
  }
  return StartNow(std::move(request), std::move(sink), Duration::zero());
}

// Its place is taken already.
Result<std::shared_ptr<Ticket>> AdmissionBackend::State::StartNow(Request request,
                                                                  std::shared_ptr<EventSink> sink,
                                                                  Duration waited) {
  Place place(*this, request.client);
  const int64_t estimate = EstimateTokens(request);
  const auto admitted = std::make_shared<AdmittedSink>(
      std::move(sink), waited,
      [self = shared_from_this(), client = request.client, estimate](int64_t tokens) {
        self->Ended(client, tokens - estimate);
      });
  place.Keep();  // the sink gives it back
  auto running = backend_.Generate(std::move(request), admitted);
  if (!running.ok()) admitted->End();
  return running;
}

// Holding mutex_.
Result<std::shared_ptr<Ticket>> AdmissionBackend::State::Enqueue(Request request,
                                                                 std::shared_ptr<EventSink> sink) {
  if (Status room = CheckRoom(request.client); !room.ok()) {
    ++counts_.refused;
    return room;
  }
  const uint64_t id = next_id_++;
  auto ticket = std::make_shared<QueuedTicket>([weak = weak_from_this(), id] {
    if (const auto state = weak.lock()) state->CancelWaiting(id);
  });
  QueuedItem item{.id = id,
                  .client = request.client,
                  .priority = request.priority,
                  .cost = EstimateTokens(request),
                  .deadline = request.deadline};
  waiting_.emplace(id, Waiting{.request = std::move(request),
                               .sink = std::move(sink),
                               .ticket = ticket,
                               .since = clock_.Now()});
  try {
    queue_.Push(std::move(item));
  } catch (const std::bad_alloc&) {
    waiting_.erase(id);
    throw;
  }
  ++counts_.queued;
  work_.notify_one();  // a deadline may be the next
  return std::shared_ptr<Ticket>(std::move(ticket));
}

Status AdmissionBackend::State::CheckRoom(const std::string& client) const {
  if (queue_.size() >= static_cast<size_t>(limits_.waiting_max)) {
    return ResourceExhausted(
               fmt::format("The server is busy: {} requests wait already; try again later.",
                           queue_.size()))
        .WithReason("queue_full");
  }
  const auto own_max = static_cast<size_t>(limits_.waiting_per_client_max);
  if (own_max > 0 && queue_.size_of(client) >= own_max) {
    return ResourceExhausted(
               fmt::format("{} requests of yours wait already; try again later.", own_max))
        .WithReason("queue_full");
  }
  return Status::Ok();
}

// Out of memory it throws, and nothing has changed.
void AdmissionBackend::State::Bury(uint64_t id, Status status) {
  const auto found = waiting_.find(id);
  dead_.emplace_back(found->second.sink, std::move(status));
  waiting_.erase(found);
  queue_.Remove(id);
}

void AdmissionBackend::State::CancelWaiting(uint64_t id) {
  std::lock_guard lock(mutex_);
  if (!waiting_.contains(id)) return;
  try {
    Bury(id, Cancelled("cancelled while it waited"));
  } catch (const std::bad_alloc&) {
    return;  // it is cancelled when its turn comes
  }
  ++counts_.cancelled;
  work_.notify_one();
}

void AdmissionBackend::State::Ended(const std::string& client, int64_t correction) {
  std::lock_guard lock(mutex_);
  --counts_.running;
  queue_.Correct(client, correction);
  if (queue_.size() > 0) work_.notify_one();
}

void AdmissionBackend::State::SetLimits(AdmissionLimits limits) {
  std::lock_guard lock(mutex_);
  limits_ = limits;
  work_.notify_one();
}

AdmissionCounts AdmissionBackend::State::counts() const {
  std::lock_guard lock(mutex_);
  AdmissionCounts counts = counts_;
  counts.waiting = static_cast<int>(queue_.size());
  return counts;
}

void AdmissionBackend::State::Stop() {
  std::lock_guard lock(mutex_);
  stopping_ = true;
  work_.notify_one();
}

void AdmissionBackend::State::WaitForWork(std::unique_lock<std::mutex>& lock) {
  const TimePoint deadline = queue_.NextDeadline();
  if (deadline == kNoDeadline) {
    work_.wait(lock);
  } else {
    work_.wait_for(lock, std::clamp(deadline - clock_.Now(), Duration(1), kLongestWait));
  }
}

void AdmissionBackend::State::BuryOverdue() {
  const TimePoint now = clock_.Now();
  while (const auto next = queue_.NextToExpire()) {
    if (queue_.NextDeadline() > now) return;
    Bury(*next, DeadlinePassed());
    ++counts_.expired;
  }
}

void AdmissionBackend::State::Run() {
  std::unique_lock lock(mutex_);
  bool goes_on = true;
  while (goes_on) {
    try {
      goes_on = RunOnce(lock);
    } catch (const std::bad_alloc&) {
      if (!lock.owns_lock()) lock.lock();
      work_.wait_for(lock, kMemoryPause);
    }
  }
}

bool AdmissionBackend::State::RunOnce(std::unique_lock<std::mutex>& lock) {
  BuryOverdue();
  while (stopping_ && !waiting_.empty()) {
    Bury(waiting_.begin()->first, Unavailable("The server is shutting down."));
  }
  if (!dead_.empty()) {
    std::vector<Dead> dead = std::exchange(dead_, {});
    lock.unlock();
    for (const auto& [sink, status] : dead) sink->OnError(status);
    dead.clear();  // without the lock: who knows what hangs on a sink
    lock.lock();
  } else if (stopping_) {
    return false;
  } else if (queue_.size() > 0 && counts_.running < limits_.running_max) {
    ++counts_.running;
    const auto next = waiting_.find(queue_.Pop()->id);
    Waiting waiting = std::move(next->second);
    waiting_.erase(next);
    lock.unlock();
    StartWaiting(std::move(waiting));
    lock.lock();
  } else {
    WaitForWork(lock);
  }
  return true;
}

// Its place is taken already.
void AdmissionBackend::State::StartWaiting(Waiting waiting) {
  Status failure;
  try {
    auto running = StartNow(std::move(waiting.request), waiting.sink, clock_.Now() - waiting.since);
    if (running.ok()) return waiting.ticket->Started(*std::move(running));
    failure = running.status();
  } catch (const std::bad_alloc&) {
    failure = OutOfMemory();
  }
  waiting.sink->OnError(failure);
}

}  // namespace aio
