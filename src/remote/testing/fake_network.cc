#include "remote/testing/fake_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace aio {
namespace {

thread_local bool receives_bytes = false;

}  // namespace

class FakeHttpHandle final : public HttpCallHandle {
 public:
  explicit FakeHttpHandle(std::weak_ptr<FakeHttpCall> call) : call_(std::move(call)) {}
  void Cancel() override {
    if (const auto call = call_.lock()) call->TakeReceiver();
  }
  void SetPaused(bool) override {}

 private:
  const std::weak_ptr<FakeHttpCall> call_;
};

std::shared_ptr<HttpReceiver> FakeHttpCall::TakeReceiver() {
  network_->open_.erase(shared_from_this());
  return std::exchange(receiver_, nullptr);
}

void FakeHttpCall::Deliver(std::function<void(HttpReceiver&)> what, bool last) {
  on_its_way_.push_back({network_->Now() + server_->latency, std::move(what), last});
  if (on_its_way_.size() == 1) Arrive();
}

// As TCP has it: in order, and what a partition holds up is sent again until it arrives.
void FakeHttpCall::Arrive() {
  constexpr Duration kSentAgain = std::chrono::milliseconds(100);
  if (on_its_way_.empty() || receiver_ == nullptr) return;
  const TimePoint now = network_->Now();
  const bool is_held_up = server_->partitioned;
  if (is_held_up || on_its_way_.front().at > now) {
    network_->RunAt(is_held_up ? now + kSentAgain : on_its_way_.front().at,
                    [self = shared_from_this()] { self->Arrive(); });
    return;
  }
  const Piece piece = std::move(on_its_way_.front());
  on_its_way_.pop_front();
  const auto receiver = receiver_;
  if (piece.last) TakeReceiver();
  piece.what(*receiver);
  Arrive();
}

void FakeHttpCall::Head(int status, std::optional<Duration> retry_after) {
  Deliver([=](HttpReceiver& r) { r.OnHead({.status = status, .retry_after = retry_after}); },
          false);
}

void FakeHttpCall::Bytes(std::string bytes) {
  Deliver(
      [bytes = std::move(bytes), self = weak_from_this()](HttpReceiver& r) {
        receives_bytes = true;
        const bool goes_on = r.OnBytes(bytes);
        receives_bytes = false;
        if (goes_on) return;
        const auto call = self.lock();
        if (call == nullptr || call->TakeReceiver() == nullptr) return;
        r.OnEnd(Unavailable("nobody wants more of it"));
      },
      false);
}

void FakeHttpCall::End() {
  Deliver([](HttpReceiver& r) { r.OnEnd(Status::Ok()); }, true);
}

void FakeHttpCall::Reset() {
  Deliver([](HttpReceiver& r) { r.OnEnd(Unavailable("connection reset")); }, true);
}

std::shared_ptr<HttpCallHandle> FakeNetwork::Start(HttpCall spec,
                                                   std::shared_ptr<HttpReceiver> receiver) {
  AIO_CHECK(!receives_bytes, "a call is begun while another's bytes are received");
  const std::string url = spec.url.substr(0, spec.url.find('/', spec.url.find("://") + 3));
  FakeServer& server = servers_[url];
  const auto call = std::make_shared<FakeHttpCall>();
  call->network_ = this;
  call->server_ = &server;
  call->call_ = std::move(spec);
  call->receiver_ = std::move(receiver);
  open_.insert(call);
  // Nothing arrives in a partition: the connection times out.
  RunAt(Now() + call->call_.connect_timeout, [call] {
    if (call->served_ || call->receiver_ == nullptr) return;
    call->TakeReceiver()->OnEnd(Unavailable("connection timed out"));
  });
  RunAt(Now() + server.latency, [this, call, &server, url] {
    if (server.partitioned || call->receiver_ == nullptr) return;
    if (server.refuses) {
      call->served_ = true;
      call->TakeReceiver()->OnEnd(Unavailable("connection refused"));
      return;
    }
    call->served_ = true;
    if (!call->is_health_check()) ++calls_[url];
    if (call->is_health_check() || !server.serve) {
      call->Head(200);
      call->End();
    } else {
      server.serve(call);
    }
  });
  return std::make_shared<FakeHttpHandle>(call);
}

std::optional<std::function<void()>> FakeNetwork::Take(TimePoint until) {
  const std::lock_guard lock(mutex_);
  if (timers_.empty() || timers_.next() > until) return std::nullopt;
  clock_.Advance(std::max(Duration::zero(), timers_.next() - Now()));
  return timers_.TakeDue(Now());
}

void FakeNetwork::RunFor(Duration duration) {
  const TimePoint end = Now() + duration;
  while (const auto task = Take(end)) (*task)();
  clock_.Advance(end - Now());
}

int FakeNetwork::calls_to(const std::string& url) const {
  const auto found = calls_.find(url);
  return found == calls_.end() ? 0 : found->second;
}

std::string ChatEvent(const std::string& text) {
  return fmt::format(
      "data: {{\"model\": \"served\", \"choices\": [{{\"index\": 0, \"delta\": {{\"content\": "
      "\"{}\"}}, \"finish_reason\": null}}]}}\n\n",
      text);
}

std::string ChatEnd(int prompt_tokens, int completion_tokens) {
  return fmt::format(
      "data: {{\"choices\": [{{\"index\": 0, \"delta\": {{}}, \"finish_reason\": \"stop\"}}]}}\n\n"
      "data: {{\"choices\": [], \"usage\": {{\"prompt_tokens\": {}, \"completion_tokens\": "
      "{}}}}}\n\ndata: [DONE]\n\n",
      prompt_tokens, completion_tokens);
}

namespace {

void SendToken(FakeNetwork& network, const std::shared_ptr<FakeHttpCall>& call, int token,
               int tokens, Duration token_time) {
  if (!call->is_open()) return;
  if (token == tokens) {
    call->Bytes(ChatEnd(10, tokens));
    call->End();
    return;
  }
  call->Bytes(ChatEvent(fmt::format("t{} ", token)));
  network.RunAt(network.Now() + token_time, [&network, call, token, tokens, token_time] {
    SendToken(network, call, token + 1, tokens, token_time);
  });
}

}  // namespace

std::function<void(const std::shared_ptr<FakeHttpCall>&)> ServeChats(FakeNetwork& network,
                                                                     int tokens,
                                                                     Duration token_time) {
  return [&network, tokens, token_time](const std::shared_ptr<FakeHttpCall>& call) {
    call->Head(200);
    network.RunAt(network.Now() + token_time, [&network, call, tokens, token_time] {
      SendToken(network, call, 0, tokens, token_time);
    });
  };
}

}  // namespace aio
