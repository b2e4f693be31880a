#include "admission/admission_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>

#include "admission/admitted_sink.h"
#include "backend/estimate_tokens.h"

namespace aio {
namespace {

// A deadline on a clock that is not the machine's is looked at so often at the latest.
constexpr Duration kLongestWait = std::chrono::seconds(1);

Status DeadlinePassed() {
  return DeadlineExceeded("The request's deadline passed before its turn came.");
}

}  // namespace

class QueuedTicket final : public Ticket {
 public:
  // `leave` takes it out of the queue, if it waits there.
  explicit QueuedTicket(std::function<void()> leave) : leave_(std::move(leave)) {}

  void Cancel() override {
    std::shared_ptr<Ticket> running;
    {
      std::lock_guard lock(mutex_);
      cancelled_ = true;
      running = running_;
    }
    if (running != nullptr) return running->Cancel();
    leave_();
  }

  // Its turn has come.
  void Started(std::shared_ptr<Ticket> running) {
    bool cancelled = false;
    {
      std::lock_guard lock(mutex_);
      running_ = running;
      cancelled = cancelled_;
    }
    if (cancelled) running->Cancel();
  }

 private:
  const std::function<void()> leave_;
  std::mutex mutex_;
  std::shared_ptr<Ticket> running_;  // guarded by mutex_
  bool cancelled_ = false;           // guarded by mutex_
};

Result<std::shared_ptr<Ticket>> AdmissionBackend::State::Generate(Request request,
                                                                  std::shared_ptr<EventSink> sink) {
  {
    std::lock_guard lock(mutex_);
    if (request.deadline <= clock_.Now()) {
      ++counts_.expired;
      return DeadlinePassed();
    }
    if (counts_.running >= limits_.running_max || queue_.size() > 0) {
      return Enqueue(std::move(request), std::move(sink));
    }
    ++counts_.running;
    queue_.Served(request.client, EstimateTokens(request));
  }
  return StartNow(std::move(request), std::move(sink));
}

// Its place is taken already.
Result<std::shared_ptr<Ticket>> AdmissionBackend::State::StartNow(Request request,
                                                                  std::shared_ptr<EventSink> sink) {
  const int64_t estimate = EstimateTokens(request);
  const auto admitted = std::make_shared<AdmittedSink>(
      std::move(sink), Duration::zero(),
      [self = shared_from_this(), client = request.client, estimate](int64_t tokens) {
        self->Ended(client, tokens - estimate);
      });
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
  queue_.Push({.id = id,
               .client = request.client,
               .priority = request.priority,
               .cost = EstimateTokens(request),
               .deadline = request.deadline});
  waiting_.emplace(id, Waiting{.request = std::move(request),
                               .sink = std::move(sink),
                               .ticket = ticket,
                               .since = clock_.Now()});
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

void AdmissionBackend::State::Bury(uint64_t id, Status status) {
  const auto found = waiting_.find(id);
  dead_.emplace_back(std::move(found->second.sink), std::move(status));
  waiting_.erase(found);
}

void AdmissionBackend::State::CancelWaiting(uint64_t id) {
  std::lock_guard lock(mutex_);
  if (!queue_.Remove(id)) return;
  ++counts_.cancelled;
  Bury(id, Cancelled("cancelled while it waited"));
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

void AdmissionBackend::State::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    for (const uint64_t id : queue_.Expire(clock_.Now())) {
      ++counts_.expired;
      Bury(id, DeadlinePassed());
    }
    while (stopping_ && queue_.size() > 0) {
      Bury(queue_.Pop()->id, Unavailable("The server is shutting down."));
    }
    if (!dead_.empty()) {
      std::vector<Dead> dead = std::exchange(dead_, {});
      lock.unlock();
      for (const auto& [sink, status] : dead) sink->OnError(status);
      dead.clear();  // without the lock: who knows what hangs on a sink
      lock.lock();
    } else if (stopping_) {
      return;
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
  }
}

// Its place is taken already.
void AdmissionBackend::State::StartWaiting(Waiting waiting) {
  const int64_t estimate = EstimateTokens(waiting.request);
  const auto admitted = std::make_shared<AdmittedSink>(
      waiting.sink, clock_.Now() - waiting.since,
      [self = shared_from_this(), client = waiting.request.client, estimate](int64_t tokens) {
        self->Ended(client, tokens - estimate);
      });
  auto running = backend_.Generate(std::move(waiting.request), admitted);
  if (running.ok()) return waiting.ticket->Started(*std::move(running));
  admitted->OnError(running.status());
}

}  // namespace aio
