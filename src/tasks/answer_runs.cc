#include "tasks/answer_runs.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "base/check.h"

namespace aio {

// From the backend's threads to the waiting one; outlives both.
struct AnswerRuns::Inbox {
  std::mutex mutex;
  std::condition_variable arrived;
  std::deque<AnswerRun> runs;

  void Put(AnswerRun run) {
    const std::lock_guard<std::mutex> lock(mutex);
    runs.push_back(std::move(run));
    arrived.notify_one();
  }
};

namespace {

class AnswerSink final : public EventSink {
 public:
  AnswerSink(size_t index, const Clock& clock, std::shared_ptr<AnswerRuns::Inbox> inbox)
      : clock_(clock), sent_(clock.Now()), inbox_(std::move(inbox)) {
    run_.index = index;
  }

  void OnStart(const StartEvent& event) override { run_.start = event; }
  void OnToken(const TokenEvent& event) override {
    if (!any_ && !event.tokens.empty()) {
      any_ = true;
      run_.ttft_ms = ToMs(clock_.Now() - sent_);
      if (!event.logprobs.empty()) run_.first_token_top = event.logprobs.front().top;
    }
    run_.text += event.text;
  }
  void OnFinish(const FinishEvent& event) override {
    run_.finish = event;
    End();
  }
  void OnError(const Status& status) override {
    run_.error = status;
    End();
  }

 private:
  void End() {
    run_.total_ms = ToMs(clock_.Now() - sent_);
    inbox_->Put(std::move(run_));
  }

  const Clock& clock_;
  const TimePoint sent_;
  const std::shared_ptr<AnswerRuns::Inbox> inbox_;
  AnswerRun run_;
  bool any_ = false;
};

}  // namespace

std::shared_ptr<AnswerRuns::Inbox> AnswerRuns::MakeInbox() { return std::make_shared<Inbox>(); }

AnswerRuns::~AnswerRuns() {
  while (in_flight_ > 0) Take();
}

void AnswerRuns::Start(size_t index, Backend& backend, Request request) {
  ++in_flight_;
  const auto sink = std::make_shared<AnswerSink>(index, clock_, inbox_);
  const auto ticket = backend.Generate(std::move(request), sink);
  if (!ticket.ok()) sink->OnError(ticket.status());
}

AnswerRun AnswerRuns::Take() {
  AIO_CHECK(in_flight_ > 0);
  std::unique_lock<std::mutex> lock(inbox_->mutex);
  inbox_->arrived.wait(lock, [&] { return !inbox_->runs.empty(); });
  AnswerRun run = std::move(inbox_->runs.front());
  inbox_->runs.pop_front();
  --in_flight_;
  return run;
}

}  // namespace aio
