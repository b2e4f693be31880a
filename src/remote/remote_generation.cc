#include "remote/remote_generation.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "remote/answer_reader.h"

namespace aio {
namespace {

constexpr Duration kSweepInterval = std::chrono::milliseconds(20);
// In which those that a replica leaves behind come to the others, if they are many.
constexpr Duration kMoveTime = std::chrono::seconds(5);

// All that run are looked at together: none needs timers of its own.
void SweepLater(const std::shared_ptr<RemoteModel>& model) {
  if (std::exchange(model->sweeps, true)) return;
  HttpTransport& transport = model->transport;
  transport.RunAt(transport.Now() + kSweepInterval, [weak = std::weak_ptr(model)] {
    const auto model = weak.lock();
    if (model == nullptr) return;
    model->sweeps = false;
    const std::vector<std::shared_ptr<RemoteGeneration>> running(model->running.begin(),
                                                                 model->running.end());
    const TimePoint now = model->transport.Now();
    for (const auto& generation : running) generation->Sweep(now);
    if (!model->running.empty()) SweepLater(model);
  });
}

}  // namespace

// One try at one replica.
class RemoteGeneration::Attempt final : public HttpReceiver,
                                        public EventSink,
                                        public std::enable_shared_from_this<Attempt> {
 public:
  Attempt(RemoteGeneration& generation, std::unique_ptr<ReplicaLease> lease, TimePoint now)
      : generation_(&generation), lease_(std::move(lease)), begun_(now), last_bytes_(now) {}

  ReplicaLease& lease() { return *lease_; }
  TimePoint begun() const { return begun_; }
  TimePoint last_bytes() const { return last_bytes_; }
  int http_status() const { return http_status_; }
  // In an error object: perhaps at this request alone. (That a key is refused, or a model not
  // there, has nothing to do with the request.)
  bool says_that_it_failed() const {
    return reader_.has_error_object() && (http_status_ >= 500 || http_status_ < 400);
  }
  bool is_text_alone() const { return reader_.is_text_alone(); }
  const std::optional<Duration>& retry_after() const { return retry_after_; }
  void set_handle(std::shared_ptr<HttpCallHandle> handle) { handle_ = std::move(handle); }

  bool is_dropped() const { return generation_ == nullptr; }

  std::optional<TimePoint> begun_answering;  // if only with what is not shown
  std::optional<TimePoint> first_token;
  TimePoint last_token{};
  int events = 0;
  // Of a whole answer, until it has ended:
  std::optional<StartEvent> held_start;
  std::vector<TokenEvent> held_tokens;

  void SetPaused(bool paused) {
    Touch();  // the silence was wanted
    if (handle_ != nullptr) handle_->SetPaused(paused);
  }

  // The engine said that it is done, and someone on the way keeps the response open.
  bool WaitsForItsEndAlone(TimePoint now) const {
    constexpr Duration kGrace = std::chrono::seconds(1);
    return reader_.is_whole() && now - last_bytes_ >= kGrace;
  }
  void EndWell() {
    const auto self = shared_from_this();
    reader_.OnEnd(Status::Ok());
  }

  // To be dropped next.
  std::unique_ptr<ReplicaLease> TakeLease() {
    lease_->set_has_started();
    return std::move(lease_);
  }
  // Nothing of it reaches the generation any more.
  void Drop() {
    generation_ = nullptr;
    if (handle_ != nullptr) handle_->Cancel();
    lease_.reset();
  }

  // HttpReceiver; the shared_ptr keeps this while the generation lets go of it.
  void OnHead(const HttpHead& head) override {
    http_status_ = head.status;
    retry_after_ = head.retry_after;
    reader_.SetHttpStatus(head.status);
    Touch();
  }
  bool OnBytes(std::string_view bytes) override {
    const auto self = shared_from_this();
    Touch();
    const bool goes_on = reader_.OnBytes(bytes) && generation_ != nullptr;
    if (reader_.has_begun() && !begun_answering) {
      begun_answering = last_bytes_;
      if (generation_ != nullptr) lease_->set_has_started();
    }
    return goes_on;
  }
  void OnEnd(const Status& fault) override {
    const auto self = shared_from_this();
    handle_ = nullptr;
    if (generation_ != nullptr) reader_.OnEnd(fault);
  }

  // EventSink
  void OnStart(const StartEvent& event) override {
    if (generation_ != nullptr) generation_->OnStart(*this, event);
  }
  void OnToken(const TokenEvent& event) override {
    if (generation_ != nullptr) generation_->OnToken(*this, event);
  }
  void OnFinish(const FinishEvent& event) override {
    if (generation_ != nullptr) generation_->OnFinish(*this, event);
  }
  void OnError(const Status& status) override {
    if (generation_ != nullptr) generation_->OnError(*this, status);
  }
  void OnAway() {
    if (generation_ != nullptr) generation_->OnAway(*this);
  }

 private:
  void Touch() {
    if (generation_ != nullptr) last_bytes_ = generation_->model_->transport.Now();
  }

  RemoteGeneration* generation_;  // null: dropped
  std::unique_ptr<ReplicaLease> lease_;
  const TimePoint begun_;
  TimePoint last_bytes_;
  int http_status_ = 0;
  std::optional<Duration> retry_after_;
  std::shared_ptr<HttpCallHandle> handle_;
  AnswerReader reader_{*this};
};

RemoteGeneration::RemoteGeneration(std::shared_ptr<RemoteModel> model, RemoteWork work,
                                   std::shared_ptr<EventSink> sink)
    : model_(std::move(model)), work_(std::move(work)), sink_(std::move(sink)) {}

RemoteGeneration::~RemoteGeneration() = default;

void RemoteGeneration::Cancel() {
  model_->PostIfOpen([self = shared_from_this()] { self->OnCancelled(); });
}

void RemoteGeneration::SetPaused(bool paused) {
  model_->PostIfOpen([self = shared_from_this(), paused] {
    self->paused_ = paused;
    self->was_paused_ = self->was_paused_ || paused;
    if (self->winner_ != nullptr) self->winner_->SetPaused(paused);
  });
}

void RemoteGeneration::Begin() {
  begun_ = model_->transport.Now();
  if (sink_ == nullptr) return;
  model_->running.insert(shared_from_this());
  if (model_->closing) return Fail(Cancelled("the server is shutting down"));
  model_->retries.OnRequest();
  SweepLater(model_);
  Try();
}

void RemoteGeneration::Try() {
  if (sink_ == nullptr) return;
  ReplicaQuery query{.strategy = work_.strategy,
                     .only_plain = work_.only_plain,
                     .affinity = work_.affinity,
                     .tokens = work_.prompt_tokens + work_.answer_tokens,
                     .tried_urls = tried_urls_,
                     .url_with_prompt = work_.url_with_prompt};
  std::unique_ptr<ReplicaLease> lease = model_->replicas.Choose(query);
  if (lease == nullptr) {
    return Fail(
        Unavailable(fmt::format("no replica of '{}' is known at present", model_->options.name)));
  }
  ++attempts_made_;
  const auto attempt = std::make_shared<Attempt>(*this, std::move(lease), model_->transport.Now());
  attempts_.push_back(attempt);
  Start(attempt);
}

void RemoteGeneration::Start(const std::shared_ptr<Attempt>& attempt) {
  const RemoteOptions& options = model_->options;
  const ReplicaSpec& spec = attempt->lease().spec();
  tried_urls_.push_back(KeyOf(spec));
  attempt->lease().set_on_away([weak = std::weak_ptr(attempt)] {
    if (const auto held = weak.lock()) held->OnAway();
  });
  if (options.hedge_after > Duration::zero() && attempts_.size() == 1) {
    hedge_at_ = attempt->begun() + options.hedge_after;
  }
  attempt->set_handle(model_->transport.Start({.url = spec.url + std::string(work_.path),
                                               .address = spec.address,
                                               .port = spec.port,
                                               .headers = model_->headers,
                                               .body = work_.body,
                                               .connect_timeout = options.connect_timeout},
                                              attempt));
}

void RemoteGeneration::Sweep(TimePoint now) {
  if (sink_ == nullptr) return;
  const RemoteOptions& options = model_->options;
  if (now >= work_.deadline) {
    return Fail(DeadlineExceeded("the request's deadline passed before its answer was whole"));
  }
  if (now - begun_ >= work_.whole_timeout) {
    // Under load a probe waits for others. (A copy: attempts may leave.)
    for (const auto& attempt : std::vector(attempts_)) {
      if (!attempt->is_dropped()) attempt->lease().Overdue(attempt->begun());
    }
    return Fail(Unavailable(fmt::format("'{}' gave no answer within {:.0f} ms", options.name,
                                        ToMs(work_.whole_timeout))));
  }
  for (const auto& attempt : std::vector(attempts_)) {
    if (!attempt->is_dropped() && attempt->WaitsForItsEndAlone(now)) return attempt->EndWell();
  }
  if (winner_ != nullptr) {
    if (paused_) return;
    if (now - winner_->last_bytes() < options.silence_timeout) return;
    winner_->lease().Failed("it fell silent in the midst of an answer");
    return Fail(Unavailable(
        fmt::format("the engine of '{}' fell silent in the midst of its answer", options.name)));
  }
  if (now >= hedge_at_ && attempts_.size() == 1 && !attempts_[0]->begun_answering) {
    hedge_at_ = kNoDeadline;
    if (model_->replicas.HasReady(tried_urls_, work_.only_plain) && model_->retries.Take())
      return Try();
  }
  // A copy: attempts leave while they are looked at.
  for (const auto& attempt : std::vector(attempts_)) {
    if (std::find(attempts_.begin(), attempts_.end(), attempt) == attempts_.end()) continue;
    const bool has_begun = attempt->begun_answering.has_value();
    const Duration limit = has_begun ? options.silence_timeout : options.first_token_timeout;
    if (now - (has_begun ? attempt->last_bytes() : attempt->begun()) < limit) continue;
    attempt->lease().Failed("it said nothing for too long");
    if (sink_ == nullptr) return;
    TryAgain(*attempt, Unavailable(fmt::format("'{}' said nothing for {:.0f} s", options.name,
                                               ToMs(limit) / 1000)));
    if (sink_ == nullptr) return;
  }
}

void RemoteGeneration::Forget(const Attempt* attempt) {
  std::erase_if(attempts_, [attempt](const auto& held) { return held.get() == attempt; });
}

void RemoteGeneration::OnStart(Attempt& attempt, StartEvent event) {
  attempt.lease().set_has_started();
  attempt.lease().Progress(work_.prompt_tokens);
  for (const auto& [key, suspect] : std::exchange(suspects_, {})) {
    if (key != KeyOf(attempt.lease().spec())) suspect.lease->Failed(suspect.why);
  }
  if (!work_.whole) return Win(attempt, std::move(event));
  attempt.held_start = std::move(event);
  // A hedge is decided all the same.
  for (const auto& other : std::vector(attempts_)) {
    if (other.get() == &attempt) continue;
    Forget(other.get());
    other->Drop();
  }
}

// From now on its events are the sink's.
void RemoteGeneration::Win(Attempt& attempt, StartEvent event) {
  const std::vector<std::shared_ptr<Attempt>> all = std::exchange(attempts_, {});
  for (const auto& other : all) {
    if (other.get() != &attempt) {
      other->Drop();
      continue;
    }
    winner_ = other;
  }
  attempts_.push_back(winner_);
  work_.body = nullptr;  // a stream may be long
  if (paused_) winner_->SetPaused(true);
  event.model = model_->options.name;
  if (event.prompt_tokens == 0) event.prompt_tokens = static_cast<int>(work_.prompt_tokens);
  event.held_prompt = std::make_shared<RemoteHeldPrompt>(model_, KeyOf(attempt.lease().spec()));
  sink_->OnStart(event);
}

void RemoteGeneration::OnToken(Attempt& attempt, const TokenEvent& event) {
  if (sink_ == nullptr) return;
  attempt.last_token = model_->transport.Now();
  if (!attempt.first_token) attempt.first_token = attempt.last_token;
  ++attempt.events;
  attempt.lease().Progress(1);
  if (work_.whole) {
    attempt.held_tokens.push_back(event);
  } else {
    sink_->OnToken(event);
  }
}

void RemoteGeneration::OnFinish(Attempt& attempt, FinishEvent event) {
  if (sink_ == nullptr) return;

  // Only text that comes piece by piece tells how fast an engine is.
  std::optional<Duration> first_token;
  std::optional<Duration> per_token;
  if (attempt.begun_answering) first_token = *attempt.begun_answering - attempt.begun();
  constexpr int kFewEvents = 8;
  if (attempt.events >= kFewEvents && attempt.is_text_alone() && !was_paused_) {
    // An event may be several tokens, where the engine speculates, and thoughts are in none: the
    // usage counts them all.
    const int told = event.usage.completion_tokens;
    const bool is_by_events = told <= 1 || told == attempt.events;
    per_token = is_by_events ? (attempt.last_token - *attempt.first_token) / (attempt.events - 1)
                             : (attempt.last_token - *attempt.begun_answering) / (told - 1);
  }
  attempt.lease().Succeeded(first_token, per_token);
  if (per_token && *per_token > Duration::zero()) {
    model_->governor.Observe(work_.intent, attempt.lease().spec().strategy,
                             1000 / ToMs(*per_token));
  }
  model_->ratio.Observe(work_.prompt_bytes, event.usage.prompt_tokens);
  if (event.usage.prompt_tokens == 0) {
    event.usage.prompt_tokens = static_cast<int>(work_.prompt_tokens);
  }
  if (event.timings.predicted_ms == 0 && attempt.first_token) {
    event.timings.queue_ms = ToMs(attempt.begun() - begun_);
    event.timings.prompt_ms = ToMs(*attempt.first_token - attempt.begun());
    event.timings.predicted_ms = ToMs(attempt.last_token - *attempt.first_token);
  }
  if (attempt.held_start) Win(attempt, *std::move(attempt.held_start));
  for (const TokenEvent& token : attempt.held_tokens) sink_->OnToken(token);
  const auto sink = std::exchange(sink_, nullptr);
  End();
  sink->OnFinish(event);
}

void RemoteGeneration::OnError(Attempt& attempt, const Status& status) {
  if (sink_ == nullptr) return;
  const std::string& name = model_->options.name;
  const StatusCode code = status.code();
  // What the client sent is at fault, and would be anywhere; or the operator's account is empty.
  const bool is_invalid =
      code == StatusCode::kInvalidArgument || code == StatusCode::kUnimplemented;
  const bool is_quota = status.reason() == "insufficient_quota";
  // By its own word it is busy, not broken.
  const bool is_busy = code == StatusCode::kResourceExhausted || attempt.http_status() == 503;
  if (is_busy && !is_quota) {
    constexpr Duration kLongest = std::chrono::seconds(30);
    attempt.lease().RefusedFor(
        std::min(kLongest, attempt.retry_after().value_or(std::chrono::seconds(1))));
  } else if (!is_invalid && !is_quota) {
    Charge(attempt, status.message());
    if (sink_ == nullptr) return;
  }
  if (winner_ != nullptr) {
    return Fail(Unavailable(fmt::format("'{}' broke off in the midst of its answer", name)));
  }
  if (is_invalid) return Fail(status);
  // Addresses, and what engines say of keys and accounts, are not the client's.
  if (is_quota) {
    return Fail(
        Status(code, fmt::format("the engine of '{}' has no quota left for this server; tell who "
                                 "runs it, or ask another model",
                                 name))
            .WithReason(status.reason()));
  }
  if (is_busy) {
    return TryAgain(attempt,
                    Status(code, fmt::format("the engine of '{}' is busy; try again later", name)));
  }
  const int http = attempt.http_status();
  const std::string why =
      http == 0 ? fmt::format("'{}' cannot be reached", name)
                : fmt::format("the engine of '{}' {} (HTTP {})", name,
                              http == 401 || http == 403 ? "refuses this server" : "failed", http);
  TryAgain(attempt, Unavailable(why));
}

// For a failure.
void RemoteGeneration::Charge(Attempt& attempt, const std::string& why) {
  if (paused_) return;  // a client that does not read is no fault of the engine's
  if (winner_ != nullptr || !attempt.says_that_it_failed()) return attempt.lease().Failed(why);
  std::unique_ptr<ReplicaLease> lease = attempt.TakeLease();
  lease->NoMore();
  const std::string key = KeyOf(lease->spec());
  suspects_.try_emplace(key, Suspect{std::move(lease), why});
}

// Not charged: there is another that has had nothing of it, or it stays.
void RemoteGeneration::OnAway(Attempt& attempt) {
  if (sink_ == nullptr || winner_ != nullptr) return;
  if (!model_->replicas.HasReady(tried_urls_, work_.only_plain)) return;
  const auto held = attempt.shared_from_this();
  Forget(&attempt);
  attempt.Drop();
  --attempts_made_;
  if (!attempts_.empty()) return;
  // Not now, since another's bytes may be being received; nor all at once, which would be too much
  // for those that are left.
  TryLater(model_->retries.TakeSpare() ? Duration::zero() : ByChance(kMoveTime));
}

void RemoteGeneration::TryAgain(Attempt& failed, const Status& why) {
  const auto held = failed.shared_from_this();
  const Duration delay = RetryDelay(failed);
  Forget(&failed);
  failed.Drop();
  if (!attempts_.empty()) return;  // a hedge still runs
  if (attempts_made_ > model_->options.retries_max || !model_->retries.Take()) return Fail(why);
  if (delay == Duration::zero()) return Try();
  TryLater(delay);
}

void RemoteGeneration::TryLater(Duration delay) {
  HttpTransport& transport = model_->transport;
  transport.RunAt(transport.Now() + delay, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->Try();
  });
}

// None the first time: another replica may be well. Then ever longer, at random, so that those who
// failed together do not come back together.
Duration RemoteGeneration::RetryDelay(const Attempt& failed) {
  if (attempts_made_ <= 1 && model_->replicas.HasReady(tried_urls_, work_.only_plain))
    return Duration::zero();
  constexpr double kFirstMs = 25;
  constexpr double kLongestMs = 1000;
  const auto in_ms = [](double ms) {
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double, std::milli>(ms));
  };
  const Duration delay = ByChance(in_ms(std::min(
      kLongestMs, kFirstMs * static_cast<double>(1 << std::clamp(attempts_made_ - 1, 0, 8)))));
  if (!failed.retry_after()) return delay;
  return delay + std::min(in_ms(kLongestMs), *failed.retry_after());
}

Duration RemoteGeneration::ByChance(Duration most) {
  return std::chrono::duration_cast<Duration>(
      most * std::uniform_real_distribution<double>(0, 1)(model_->random));
}

void RemoteGeneration::OnCancelled() {
  if (sink_ == nullptr) return;
  const bool has_started = winner_ != nullptr;
  const auto sink = std::exchange(sink_, nullptr);
  FinishEvent event;
  event.reason = FinishReason::kCancelled;
  if (has_started) event.usage.completion_tokens = winner_->events;
  End();
  if (has_started) return sink->OnFinish(event);
  sink->OnError(Cancelled("was cancelled before its answer began"));
}

void RemoteGeneration::Fail(const Status& status) {
  if (sink_ == nullptr) return;
  const auto sink = std::exchange(sink_, nullptr);
  End();
  sink->OnError(status);
}

void RemoteGeneration::End() {
  const auto self = shared_from_this();
  for (const auto& attempt : std::exchange(attempts_, {})) attempt->Drop();
  winner_ = nullptr;
  suspects_.clear();
  model_->running.erase(self);
}

}  // namespace aio
