#include "traffic/load_generator.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>

#include "base/check.h"

namespace aio {
namespace {

// What the sender and the sinks share.
struct Progress {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<LoadRecord> records;  // of those that have ended
  int64_t ended = 0;
};

class RecordingLoadSink final : public EventSink {
 public:
  RecordingLoadSink(std::shared_ptr<Progress> progress, size_t index, LoadRecord record,
                    TimePoint start, const Clock& clock)
      : progress_(std::move(progress)),
        index_(index),
        record_(std::move(record)),
        start_(start),
        clock_(clock) {}

  void OnStart(const StartEvent& event) override {
    record_.model = event.model;
    record_.decision = event.decision;
  }
  void OnToken(const TokenEvent& event) override {
    const int tokens = std::max<int>(1, static_cast<int>(event.tokens.size()));
    record_.arrivals.push_back({.at = clock_.Now() - start_, .tokens = tokens});
    record_.text += event.text;
  }
  void OnFinish(const FinishEvent& event) override {
    record_.finish = event;
    if (event.reason == FinishReason::kCancelled) record_.error = Cancelled("was cancelled");
    End();
  }
  void OnError(const Status& status) override {
    record_.error = status;
    End();
  }

 private:
  void End() {
    record_.end = clock_.Now() - start_;
    const std::lock_guard lock(progress_->mutex);
    progress_->records[index_] = std::move(record_);
    ++progress_->ended;
    // Under the lock: the sender may be gone as soon as it sees the count.
    progress_->changed.notify_all();
  }

  const std::shared_ptr<Progress> progress_;
  const size_t index_;
  LoadRecord record_;
  const TimePoint start_;
  const Clock& clock_;
};

class LoadRun {
 public:
  LoadRun(Backend& backend, const std::vector<LoadRequest>& requests, const LoopOptions& options,
          Waiter& waiter, const Clock& clock)
      : backend_(backend),
        requests_(requests),
        options_(options),
        waiter_(waiter),
        clock_(clock),
        start_(clock.Now()) {
    progress_->records.resize(requests.size());
  }

  std::vector<LoadRecord> Run() {
    std::unique_lock lock(progress_->mutex);
    while (true) {
      SendWhatIsDue(lock);
      if (progress_->ended != told_) {
        TellProgress(lock);  // during which more may end
        continue;
      }
      if (progress_->ended == num_requests()) return std::move(progress_->records);
      waiter_.Wait(lock, progress_->changed, NextArrival());
    }
  }

 private:
  int64_t num_requests() const { return static_cast<int64_t>(requests_.size()); }
  bool open_loop() const { return options_.concurrency == 0; }

  TimePoint NextArrival() const {
    if (!open_loop() || sent_ == requests_.size()) return kNoDeadline;
    return start_ + requests_[sent_].arrival;
  }

  bool NextIsDue() const {
    if (sent_ == requests_.size()) return false;
    if (open_loop()) return NextArrival() <= clock_.Now();
    return static_cast<int64_t>(sent_) - progress_->ended < options_.concurrency;
  }

  void SendWhatIsDue(std::unique_lock<std::mutex>& lock) {
    while (NextIsDue()) {
      lock.unlock();
      Send(sent_);
      lock.lock();
      ++sent_;
    }
  }

  void Send(size_t index) {
    const LoadRequest& planned = requests_[index];
    LoadRecord record;
    record.id = planned.request.id;
    record.sent = clock_.Now() - start_;
    record.intended = open_loop() ? planned.arrival : record.sent;
    const auto sink =
        std::make_shared<RecordingLoadSink>(progress_, index, std::move(record), start_, clock_);
    const auto ticket = backend_.Generate(planned.request, sink);
    if (!ticket.ok()) sink->OnError(ticket.status());
  }

  void TellProgress(std::unique_lock<std::mutex>& lock) {
    told_ = progress_->ended;
    if (!options_.on_done) return;
    lock.unlock();
    options_.on_done(told_);
    lock.lock();
  }

  Backend& backend_;
  const std::vector<LoadRequest>& requests_;
  const LoopOptions& options_;
  Waiter& waiter_;
  const Clock& clock_;
  const TimePoint start_;
  const std::shared_ptr<Progress> progress_ = std::make_shared<Progress>();
  size_t sent_ = 0;
  int64_t told_ = 0;
};

}  // namespace

std::vector<LoadRecord> RunLoad(Backend& backend, const std::vector<LoadRequest>& requests,
                                const LoopOptions& options, Waiter& waiter, const Clock& clock) {
  AIO_CHECK(options.concurrency >= 0);
  return LoadRun(backend, requests, options, waiter, clock).Run();
}

}  // namespace aio
