#include "server/answer_sink.h"

#include <optional>
#include <string>
#include <utility>

#include "api/openai_response.h"
#include "server/headers.h"

namespace aio {
namespace {

// What both kinds of answer do: times, counts and the facts for the log.
class AnswerSink : public EventSink {
 public:
  AnswerSink(std::shared_ptr<Call> call, const ApiRequest& request)
      : call_(std::move(call)), with_logprobs_(request.request.sampling.top_logprobs >= 0) {
    info_.kind = request.kind;
    info_.id = (request.kind == ApiKind::kChat ? "chatcmpl-" : "cmpl-") + NewRequestId();
    info_.created = call_->context().clock.UnixSeconds();
    info_.include_usage = request.include_usage;
  }

  void OnStart(const StartEvent& event) final {
    info_.start = event;
    call_->facts().model = event.model;
    call_->facts().prompt_tokens = event.prompt_tokens;
    if (event.decision) call_->context().metrics.CountDecision(*event.decision);
    Begin();
  }

  void OnToken(const TokenEvent& event) final {
    last_token_ = call_->context().clock.Now();
    // Counted as they come: a budget pays for an answer that is cut off, too.
    call_->facts().completion_tokens += static_cast<int>(event.tokens.size());
    if (!first_token_) {
      first_token_ = last_token_;
      call_->context().metrics.ObserveFirstToken(info_.start.model, last_token_ - call_->arrival());
    }
    Token(event);
  }

  void OnFinish(const FinishEvent& event) final {
    call_->facts().completion_tokens = event.usage.completion_tokens;
    if (event.reason == FinishReason::kCancelled) return OnError(Cancelled("cancelled"));
    call_->context().metrics.ObserveAnswer(
        info_.start, event, call_->context().clock.Now() - call_->arrival(),
        first_token_ ? last_token_ - *first_token_ : Duration::zero());
    End(event);
  }

  void OnError(const Status& status) final {
    // Either the client left, and an error does not reach it, or server or backend is stopping.
    const bool was_cancelled = status.code() == StatusCode::kCancelled;
    call_->Fail(was_cancelled ? Unavailable("The generation was cancelled; try again.") : status);
  }

 protected:
  virtual void Begin() = 0;
  virtual void Token(const TokenEvent& event) = 0;
  virtual void End(const FinishEvent& event) = 0;

  HttpHeaders Headers() const {
    const std::optional<Decision>& decision = info_.start.decision;
    return DecisionHeaders(info_.start.model, decision ? &*decision : nullptr);
  }

  const std::shared_ptr<Call> call_;
  const bool with_logprobs_;
  AnswerInfo info_;

 private:
  std::optional<TimePoint> first_token_;
  TimePoint last_token_{};
};

class WholeSink final : public AnswerSink {
 public:
  using AnswerSink::AnswerSink;

 private:
  void Begin() override {}

  void Token(const TokenEvent& event) override {
    answer_.text += event.text;
    answer_.logprobs.insert(answer_.logprobs.end(), event.logprobs.begin(), event.logprobs.end());
  }

  void End(const FinishEvent& event) override {
    call_->RespondJson(200, EncodeAnswer(info_, answer_, with_logprobs_, event), Headers());
  }

  WholeAnswer answer_;
};

class StreamSink final : public AnswerSink {
 public:
  using AnswerSink::AnswerSink;

 private:
  void Begin() override {
    encoder_.emplace(info_);
    call_->StartStream(Headers(), SseEvent(encoder_->First()));
  }

  void Token(const TokenEvent& event) override {
    const std::string chunk = encoder_->Delta(event);
    if (!chunk.empty()) call_->WriteStream(SseEvent(chunk));
  }

  void End(const FinishEvent& event) override {
    std::string bytes;
    for (const std::string& chunk : encoder_->Last(event)) bytes += SseEvent(chunk);
    bytes += kSseDone;
    call_->WriteStream(std::move(bytes));
    call_->FinishStream();
  }

  std::optional<StreamEncoder> encoder_;  // from OnStart
};

}  // namespace

std::shared_ptr<EventSink> MakeAnswerSink(std::shared_ptr<Call> call, const ApiRequest& request) {
  if (request.stream) return std::make_shared<StreamSink>(std::move(call), request);
  return std::make_shared<WholeSink>(std::move(call), request);
}

}  // namespace aio
