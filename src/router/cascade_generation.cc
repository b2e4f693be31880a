#include "router/cascade_generation.h"

#include <algorithm>
#include <mutex>
#include <utility>

namespace aio {

// What the small model did in vain. It may still be at it when the large one begins.
struct CascadeGeneration::Spent {
  std::mutex mutex;
  Traffic traffic;        // guarded by mutex
  double elapsed_ms = 0;  // until the large model was asked; written before that
};

// The large model's events, with what the beginning took added to the last.
class CascadeGeneration::TakenOverSink final : public EventSink {
 public:
  TakenOverSink(std::shared_ptr<EventSink> sink, std::shared_ptr<Spent> spent)
      : sink_(std::move(sink)), spent_(std::move(spent)) {}

  void OnStart(const StartEvent& event) override { sink_->OnStart(event); }
  void OnToken(const TokenEvent& event) override { sink_->OnToken(event); }
  void OnFinish(const FinishEvent& event) override {
    FinishEvent whole = event;
    whole.timings.queue_ms += spent_->elapsed_ms;
    {
      std::lock_guard lock(spent_->mutex);
      whole.traffic += spent_->traffic;
    }
    sink_->OnFinish(whole);
  }
  void OnError(const Status& status) override { sink_->OnError(status); }

 private:
  const std::shared_ptr<EventSink> sink_;
  const std::shared_ptr<Spent> spent_;
};

bool IsFaultOfModel(const Status& status) {
  switch (status.code()) {
    case StatusCode::kInvalidArgument:
    case StatusCode::kCancelled:
    case StatusCode::kDeadlineExceeded:
      return false;
    default:
      return true;
  }
}

CascadeGeneration::CascadeGeneration(int tokens, CascadeSteps steps,
                                     std::shared_ptr<EventSink> client, const Clock& clock)
    : tokens_wanted_(tokens),
      clock_(clock),
      begin_(clock.Now()),
      spent_(std::make_shared<Spent>()),
      steps_(std::move(steps)),
      client_(std::move(client)) {}

Result<std::shared_ptr<Ticket>> CascadeGeneration::Start() {
  // From here on steps_ belongs to the events, which may come before this returns.
  const auto start_small = std::move(steps_.start_small);
  Result<std::shared_ptr<Ticket>> small = start_small(shared_from_this());
  if (!small.ok()) {
    if (!IsFaultOfModel(small.status())) return small.status();
    return StartLarge(steps_.settle(std::nullopt, small.status()));
  }
  if (!relay_.SetFirst(*small)) (*small)->Cancel();  // it is settled already
  return std::shared_ptr<Ticket>(shared_from_this());
}

void CascadeGeneration::OnStart(const StartEvent& event) { start_ = event; }

void CascadeGeneration::OnToken(const TokenEvent& event) {
  if (released_ != nullptr) return released_->OnToken(event);
  if (dropped_) return;
  held_.push_back(event);
  for (const float entropy : event.entropies) {
    ++first_.tokens;
    first_.entropy_mean += static_cast<double>(entropy);
  }
  // Of a model that tells none, no more tokens would make one sure.
  const bool tells_nothing = first_.tokens == 0 && !event.tokens.empty();
  // Once cancelled its end is near, and goes to the client.
  if ((first_.tokens >= tokens_wanted_ || tells_nothing) && !relay_.cancelled()) Settle();
}

void CascadeGeneration::OnFinish(const FinishEvent& event) {
  if (released_ == nullptr) {
    std::lock_guard lock(spent_->mutex);
    spent_->traffic += event.traffic;
  }
  if (released_ == nullptr && !dropped_) {
    if (event.reason == FinishReason::kCancelled) {
      Release(client_);
    } else {
      Settle();
    }
  }
  if (released_ != nullptr) std::exchange(released_, nullptr)->OnFinish(event);
}

void CascadeGeneration::OnError(const Status& status) {
  if (released_ != nullptr) return std::exchange(released_, nullptr)->OnError(status);
  if (dropped_) return;
  if (IsFaultOfModel(status)) return TakeOver(steps_.settle(std::nullopt, status));
  steps_ = {};
  std::exchange(client_, nullptr)->OnError(status);
}

void CascadeGeneration::Settle() {
  const bool tells_nothing =
      first_.tokens == 0 && std::any_of(held_.begin(), held_.end(), [](const TokenEvent& event) {
        return !event.tokens.empty();
      });
  if (tells_nothing) {
    return TakeOver(steps_.settle(std::nullopt, Internal("the model tells no entropies")));
  }
  if (first_.tokens > 0) first_.entropy_mean /= first_.tokens;
  CascadeSettled settled = steps_.settle(first_, Status::Ok());
  if (!settled.start_large) return Release(std::move(settled.sink));
  TakeOver(std::move(settled));
}

void CascadeGeneration::Release(std::shared_ptr<EventSink> sink) {
  released_ = std::move(sink);
  client_.reset();
  steps_ = {};
  if (start_) released_->OnStart(*start_);
  for (const TokenEvent& event : held_) released_->OnToken(event);
  held_.clear();
}

void CascadeGeneration::TakeOver(CascadeSettled settled) {
  dropped_ = true;
  held_.clear();
  if (const std::shared_ptr<Ticket> small = relay_.TakeAway()) small->Cancel();
  const std::shared_ptr<EventSink> client = client_;
  const Result<std::shared_ptr<Ticket>> large = StartLarge(std::move(settled));
  if (!large.ok()) client->OnError(large.status());
}

// Returns this, to which the large model's ticket now belongs.
Result<std::shared_ptr<Ticket>> CascadeGeneration::StartLarge(CascadeSettled settled) {
  client_.reset();
  steps_ = {};
  spent_->elapsed_ms = ToMs(clock_.Now() - begin_);
  Result<std::shared_ptr<Ticket>> large =
      settled.start_large(std::make_shared<TakenOverSink>(std::move(settled.sink), spent_));
  if (!large.ok()) return large.status();
  relay_.Set(*std::move(large));
  return std::shared_ptr<Ticket>(shared_from_this());
}

}  // namespace aio
