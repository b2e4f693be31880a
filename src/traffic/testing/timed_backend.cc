#include "traffic/testing/timed_backend.h"

#include <algorithm>

#include "backend/testing/fake_backend.h"
#include "base/check.h"

namespace aio {
namespace {

class NoTicket final : public Ticket {
 public:
  void Cancel() override {}
};

}  // namespace

void TimedBackend::Wait(std::unique_lock<std::mutex>& lock, std::condition_variable&,
                        TimePoint until) {
  AIO_CHECK(!events_.empty() || until != kNoDeadline, "waits for what cannot come");
  if (events_.empty() || until < events_.begin()->first) {
    clock_.Advance(std::max(Duration{}, until - clock_.Now()));
    return;
  }
  // Late, if a sender was blocked meanwhile.
  clock_.Advance(std::max(Duration{}, events_.begin()->first - clock_.Now()));
  const auto event = std::move(events_.begin()->second);
  events_.erase(events_.begin());
  lock.unlock();
  event();
  lock.lock();
}

Result<int> TimedBackend::CountPromptTokens(const Request& request) const {
  return FakeTokenCount(request.prompt);
}

Result<std::shared_ptr<Ticket>> TimedBackend::Generate(Request request,
                                                       std::shared_ptr<EventSink> sink) {
  const int n = static_cast<int>(requests_.size());
  const TimedAnswer answer = script ? script(request, n) : TimedAnswer{};
  requests_.push_back(request);
  clock_.Advance(answer.blocks_sender);
  if (answer.refused) return answer.error;
  most_at_once_ = std::max(most_at_once_, ++in_progress_);
  Schedule(answer, request, sink);
  return std::shared_ptr<Ticket>(std::make_shared<NoTicket>());
}

void TimedBackend::Schedule(const TimedAnswer& answer, const Request& request,
                            const std::shared_ptr<EventSink>& sink) {
  TimePoint at = std::max(free_at_, clock_.Now()) + answer.to_first_token;
  events_.emplace(at, [sink, model = request.model] {
    StartEvent start;
    start.model = model;
    sink->OnStart(start);
  });
  for (int token = 0; token < answer.tokens; ++token) {
    if (token > 0) at += answer.between_tokens;
    events_.emplace(at, [sink] { sink->OnToken({.text = "x", .tokens = {1}, .logprobs = {}}); });
  }
  free_at_ = at;
  FinishEvent finish;
  finish.usage.completion_tokens = answer.tokens;
  finish.usage.prompt_tokens = FakeTokenCount(request.prompt);
  events_.emplace(at, [this, sink, finish, error = answer.error] {
    --in_progress_;
    if (error.ok()) {
      sink->OnFinish(finish);
    } else {
      sink->OnError(error);
    }
  });
}

}  // namespace aio
