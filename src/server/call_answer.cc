#include "server/call_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/request_terms.h"
#include "server/headers.h"

namespace aio {
namespace {

// Held by another server, that is: what it has done of an answer, only the whole answer tells.
bool SomeModelIsElsewhere(const Backend& backend) {
  const std::vector<ModelInfo> models = backend.Models();
  return std::any_of(models.begin(), models.end(),
                     [](const ModelInfo& model) { return !model.counts_exactly; });
}

// What runs for one call. Thread-safe.
class Generations {
 public:
  void Add(const std::shared_ptr<Ticket>& ticket) {
    {
      std::lock_guard lock(mutex_);
      if (!cancelled_) {
        tickets_.push_back(ticket);
        return;
      }
    }
    ticket->Cancel();
  }

  bool cancelled() {
    std::lock_guard lock(mutex_);
    return cancelled_;
  }

  // What is added later begins with nothing to wait for.
  void SetAllPaused(bool paused) {
    std::lock_guard lock(mutex_);
    for (const auto& ticket : tickets_) ticket->SetPaused(paused);
  }

  void CancelAll() {
    std::vector<std::shared_ptr<Ticket>> tickets;
    {
      std::lock_guard lock(mutex_);
      cancelled_ = true;
      tickets.swap(tickets_);
    }
    for (const auto& ticket : tickets) ticket->Cancel();
  }

 private:
  std::mutex mutex_;
  std::vector<std::shared_ptr<Ticket>> tickets_;  // guarded by mutex_
  bool cancelled_ = false;                        // guarded by mutex_
};

// Of all choices together: the prompt counts once, what was done for each adds up.
void AddTo(FinishEvent& total, const FinishEvent& finish) {
  total.reason = finish.reason;
  total.stop_string = finish.stop_string;
  total.usage.completion_tokens += finish.usage.completion_tokens;
  total.timings.predicted_ms = std::max(total.timings.predicted_ms, finish.timings.predicted_ms);
  total.traffic += finish.traffic;
  total.speculation.draft_tokens += finish.speculation.draft_tokens;
  total.speculation.draft_accepted_tokens += finish.speculation.draft_accepted_tokens;
  for (size_t i = 0; i < total.speculation.steps_by_accepted.size(); ++i) {
    total.speculation.steps_by_accepted[i] += finish.speculation.steps_by_accepted[i];
  }
}

// Thread-safe: choices may have threads of their own.
class CallAnswer : public std::enable_shared_from_this<CallAnswer> {
 public:
  CallAnswer(std::shared_ptr<Call> call, const ApiRequest& request,
             std::unique_ptr<AnswerEncoder> encoder)
      : call_(std::move(call)),
        kind_(request.kind),
        is_stream_(request.stream),
        stop_(request.request.sampling.stop),
        encoder_(std::move(encoder)),
        choices_(request.choices),
        running_(request.choices) {}

  void Start(Request request);

  void OnStart(int choice, const StartEvent& event);
  void OnToken(int choice, const TokenEvent& event);
  void OnFinish(int choice, const FinishEvent& event);
  void OnError(const Status& status);

 private:
  struct Choice {
    StartEvent start;
    WholeAnswer whole;  // of a stream the reason alone
    std::optional<TimePoint> first_token;
    TimePoint last_token{};
  };

  ServerContext& context() const { return call_->context(); }
  void StartOthers();
  void ObserveFirstToken(const Choice& choice);
  void Observe(Choice& choice, const FinishEvent& event);
  void End(int index, const FinishEvent& event);  // mutex_ is held
  HttpHeaders Headers() const;                    // likewise

  const std::shared_ptr<Call> call_;
  const ApiKind kind_;
  const bool is_stream_;
  const std::vector<std::string> stop_;
  const std::shared_ptr<Generations> generations_ = std::make_shared<Generations>();

  std::mutex mutex_;
  // Guarded by mutex_, as is the use of call_:
  const std::unique_ptr<AnswerEncoder> encoder_;
  std::optional<Request> others_;  // what the other choices ask, until they start
  std::vector<Choice> choices_;
  int running_;
  std::optional<FinishEvent> total_;
  bool done_ = false;
};

// One choice's events.
class ChoiceSink final : public EventSink {
 public:
  ChoiceSink(std::shared_ptr<CallAnswer> answer, int choice)
      : answer_(std::move(answer)), choice_(choice) {}

  void OnStart(const StartEvent& event) override { answer_->OnStart(choice_, event); }
  void OnToken(const TokenEvent& event) override { answer_->OnToken(choice_, event); }
  void OnFinish(const FinishEvent& event) override { answer_->OnFinish(choice_, event); }
  void OnError(const Status& status) override { answer_->OnError(status); }

 private:
  const std::shared_ptr<CallAnswer> answer_;
  const int choice_;
};

void CallAnswer::Start(Request request) {
  // Other choices begin with the first one's events, which for a whole answer are its last.
  request.whole = !is_stream_ && running_ == 1;
  if (request.whole && call_->account() != nullptr) {
    call_->set_shows_use(!SomeModelIsElsewhere(context().backend));
  }
  if (running_ > 1) {
    others_ = request;
    request.hold_prompt = true;
  }
  call_->FollowTrace(request.id, 0);
  auto first = context().backend.Generate(std::move(request),
                                          std::make_shared<ChoiceSink>(shared_from_this(), 0));
  if (!first.ok()) return call_->Fail(InTermsOf(kind_, first.status()));
  generations_->Add(*first);
  // Do not refer to this, which refers to the call.
  call_->OnClose([running = generations_] { running->CancelAll(); });
  if (is_stream_) {
    call_->OnFull([running = generations_](bool full) { running->SetAllPaused(full); });
  }
}

void CallAnswer::OnStart(int choice, const StartEvent& event) {
  std::lock_guard lock(mutex_);
  if (done_) return;
  choices_[choice].start = event;
  if (choice > 0) return;
  call_->facts().model = event.model;
  call_->facts().decision = event.decision;
  call_->facts().prompt_tokens = event.prompt_tokens;
  if (event.decision) context().metrics.CountDecision(*event.decision);
  if (is_stream_) call_->StartStream(Headers(), encoder_->Start(event));
}

void CallAnswer::OnToken(int index, const TokenEvent& event) {
  {
    std::lock_guard lock(mutex_);
    if (done_) return;
    Choice& choice = choices_[index];
    choice.last_token = context().clock.Now();
    // Counted as they come: a budget pays for an answer that is cut off, too.
    call_->facts().completion_tokens += static_cast<int>(event.tokens.size());
    if (!choice.first_token) {
      choice.first_token = choice.last_token;
      if (index == 0) call_->facts().first_token = choice.last_token - call_->arrival();
      if (index == 0 && is_stream_) ObserveFirstToken(choice);
    }
    if (is_stream_) {
      std::string bytes = encoder_->Delta(index, event);
      if (!bytes.empty()) call_->WriteStream(std::move(bytes));
    } else {
      WholeAnswer& whole = choice.whole;
      whole.text += event.text;
      whole.reasoning += event.reasoning;
      whole.tool_calls.insert(whole.tool_calls.end(), event.tool_calls.begin(),
                              event.tool_calls.end());
      whole.logprobs.insert(whole.logprobs.end(), event.logprobs.begin(), event.logprobs.end());
    }
  }
  StartOthers();
}

void CallAnswer::OnFinish(int choice, const FinishEvent& event) {
  if (event.reason == FinishReason::kCancelled) return OnError(Cancelled("cancelled"));
  {
    std::lock_guard lock(mutex_);
    if (done_) return;
    // Some engines tell those of their template, too, of which the client knows nothing.
    FinishEvent told = event;
    if (std::find(stop_.begin(), stop_.end(), told.stop_string) == stop_.end()) {
      told.stop_string.clear();
    }
    End(choice, told);
  }
  StartOthers();  // of an answer without a token
}

void CallAnswer::OnError(const Status& status) {
  {
    std::lock_guard lock(mutex_);
    if (std::exchange(done_, true)) return;
  }
  generations_->CancelAll();
  // Either the client left, and an error does not reach it, or server or backend is stopping.
  const bool was_cancelled = status.code() == StatusCode::kCancelled;
  const Status told = was_cancelled ? Unavailable("The generation was cancelled; try again.")
                                    : InTermsOf(kind_, status);
  if (!call_->streaming()) return call_->Fail(told);
  call_->FailStream(told, encoder_->Fail(told));
}

void CallAnswer::StartOthers() {
  Request request;
  {
    std::lock_guard lock(mutex_);
    if (done_ || !others_) return;
    request = *std::move(others_);
    others_.reset();
    StartEvent& start = choices_[0].start;
    request.held_prompt = std::move(start.held_prompt);
    if (const std::optional<Decision>& decision = start.decision) {
      request.model = decision->model;  // which stands for its weights too
      request.weights.reset();
      request.strategy = decision->strategy;
    }
  }
  const int count = static_cast<int>(choices_.size());
  for (int choice = 1; choice < count; ++choice) {
    // By then nobody may be there any more to ask.
    if (generations_->cancelled()) return;
    Request own = request;
    own.id = fmt::format("{}/{}", request.id, choice);
    own.sampling.seed += static_cast<uint64_t>(choice);
    {
      std::lock_guard lock(mutex_);
      if (done_) return;
      call_->FollowTrace(own.id, choice);
    }
    auto generation = context().backend.Generate(
        std::move(own), std::make_shared<ChoiceSink>(shared_from_this(), choice));
    if (!generation.ok()) return OnError(generation.status());
    generations_->Add(*generation);
  }
}

// A request has one.
void CallAnswer::ObserveFirstToken(const Choice& choice) {
  const Duration waited = *choice.first_token - call_->arrival();
  call_->facts().first_token = waited;
  context().metrics.ObserveFirstToken(choice.start.model, waited);
}

void CallAnswer::Observe(Choice& choice, const FinishEvent& event) {
  if (choice.first_token && !is_stream_) {
    // All of it may have come at one instant: the backend knows when it was made.
    const auto told = std::chrono::duration_cast<Duration>(
        std::chrono::duration<double, std::milli>(event.timings.predicted_ms));
    const TimePoint made = std::max(call_->arrival(), choice.last_token - told);
    choice.first_token = std::min(*choice.first_token, made);
    if (&choice == choices_.data()) ObserveFirstToken(choice);
  }
  const Duration decode =
      choice.first_token ? choice.last_token - *choice.first_token : Duration::zero();
  context().metrics.ObserveAnswer(choice.start, event, context().clock.Now() - call_->arrival(),
                                  decode);
}

void CallAnswer::End(int index, const FinishEvent& event) {
  Choice& choice = choices_[index];
  Observe(choice, event);
  choice.whole.reason = event.reason;
  choice.whole.stop_string = event.stop_string;
  if (total_) {
    AddTo(*total_, event);
  } else {
    total_ = event;
  }
  const bool is_last = --running_ == 0;
  RequestFacts& facts = call_->facts();
  facts.finish_reasons.push_back(event.reason);
  facts.finish = total_;
  if (is_last) {
    facts.completion_tokens = total_->usage.completion_tokens;
    // Before the end it may have been an estimate.
    if (total_->usage.prompt_tokens > 0) facts.prompt_tokens = total_->usage.prompt_tokens;
  }
  if (is_stream_) {
    std::string bytes = encoder_->End(index, event);
    if (is_last) bytes += encoder_->Finish(*total_);
    if (!bytes.empty()) call_->WriteStream(std::move(bytes));
    if (is_last) call_->FinishStream();
  } else if (is_last) {
    std::vector<WholeAnswer> wholes;
    wholes.reserve(choices_.size());
    for (Choice& ended : choices_) wholes.push_back(std::move(ended.whole));
    call_->RespondJson(200, encoder_->Whole(choices_[0].start, wholes, *total_), Headers());
  }
  done_ = is_last;
}

HttpHeaders CallAnswer::Headers() const {
  const StartEvent& start = choices_[0].start;
  return DecisionHeaders(start.model, start.decision ? &*start.decision : nullptr);
}

}  // namespace

void StartAnswer(const std::shared_ptr<Call>& call, ApiRequest request,
                 std::unique_ptr<AnswerEncoder> encoder) {
  const auto answer = std::make_shared<CallAnswer>(call, request, std::move(encoder));
  answer->Start(std::move(request.request));
}

}  // namespace aio
