#include "app/run_to_end.h"

#include <csignal>
#include <exception>
#include <future>
#include <memory>
#include <utility>

namespace aio {

namespace {

volatile std::sig_atomic_t g_interrupted = 0;

// SIGINT sets a flag for as long as this lives.
class InterruptGuard {
 public:
  InterruptGuard() {
    g_interrupted = 0;
    struct sigaction action {};
    action.sa_handler = [](int) { g_interrupted = 1; };
    sigaction(SIGINT, &action, &previous_);
  }
  ~InterruptGuard() { sigaction(SIGINT, &previous_, nullptr); }
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  bool interrupted() const { return g_interrupted != 0; }

 private:
  struct sigaction previous_ {};
};

class CollectingSink final : public EventSink {
 public:
  explicit CollectingSink(AnswerObserver observer) : observer_(std::move(observer)) {}

  std::future<Result<CompletedAnswer>> future() { return promise_.get_future(); }

  void OnStart(const StartEvent& event) override {
    answer_.start = event;
    if (observer_.on_start) Observe([&] { observer_.on_start(event); });
  }
  void OnToken(const TokenEvent& event) override {
    answer_.text += event.text;
    answer_.logprobs.insert(answer_.logprobs.end(), event.logprobs.begin(), event.logprobs.end());
    if (observer_.on_text && !event.text.empty()) Observe([&] { observer_.on_text(event.text); });
  }
  void OnFinish(const FinishEvent& event) override {
    answer_.finish = event;
    promise_.set_value(std::move(answer_));
  }
  void OnError(const Status& status) override { promise_.set_value(status); }

 private:
  // What an observer throws ends the wait, and thrown on the generation: no more events come.
  template <typename Call>
  void Observe(const Call& call) {
    try {
      call();
    } catch (const std::exception& e) {
      promise_.set_value(Internal(e.what()));
      throw;
    }
  }

  AnswerObserver observer_;
  CompletedAnswer answer_;
  std::promise<Result<CompletedAnswer>> promise_;
};

}  // namespace

Result<CompletedAnswer> RunToEnd(Backend& backend, Request request,
                                 const AnswerObserver& observer) {
  const InterruptGuard guard;
  auto sink = std::make_shared<CollectingSink>(observer);
  std::future<Result<CompletedAnswer>> future = sink->future();
  AIO_ASSIGN_OR_RETURN(const std::shared_ptr<Ticket> ticket,
                       backend.Generate(std::move(request), sink));
  bool cancelled = false;
  while (future.wait_for(std::chrono::milliseconds(50)) != std::future_status::ready) {
    if (guard.interrupted() && !std::exchange(cancelled, true)) ticket->Cancel();
  }
  return future.get();
}

Result<Decision> DecideAndWait(Backend& backend, const Request& request) {
  auto promise = std::make_shared<std::promise<Result<Decision>>>();
  std::future<Result<Decision>> future = promise->get_future();
  AIO_RETURN_IF_ERROR(backend.Decide(
      request, [promise](Result<Decision> decision) { promise->set_value(std::move(decision)); }));
  return future.get();
}

}  // namespace aio
