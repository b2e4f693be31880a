#include "telemetry/traced_backend.h"

#include <utility>

namespace aio {
namespace {

// From a model to whoever asked it, told to the trace on the way.
class TracedSink final : public EventSink {
 public:
  TracedSink(std::shared_ptr<EventSink> sink, std::shared_ptr<RequestTrace> trace,
             size_t generation, const Clock& clock)
      : sink_(std::move(sink)), trace_(std::move(trace)), generation_(generation), clock_(clock) {}

  void OnStart(const StartEvent& event) override {
    trace_->GenerationStarted(generation_);
    sink_->OnStart(event);
  }
  void OnToken(const TokenEvent& event) override {
    if (!std::exchange(has_token_, true)) trace_->FirstToken(generation_, clock_.Now());
    sink_->OnToken(event);
  }
  // Told first: with the client's answer the trace ends.
  void OnFinish(const FinishEvent& event) override {
    trace_->GenerationEnded(generation_, clock_.Now(), event);
    sink_->OnFinish(event);
  }
  void OnError(const Status& status) override {
    trace_->GenerationFailed(generation_, clock_.Now(), status);
    sink_->OnError(status);
  }

 private:
  const std::shared_ptr<EventSink> sink_;
  const std::shared_ptr<RequestTrace> trace_;
  const size_t generation_;
  const Clock& clock_;
  bool has_token_ = false;
};

}  // namespace

Result<std::shared_ptr<Ticket>> TracedBackend::ScoreLabels(const Request& request,
                                                           const LabelQuery& labels,
                                                           LabelScoresCallback done) {
  RunningTrace running;
  if (place_ == TracedPlace::kModels) running = tracer_.Find(request.id);
  if (running.trace == nullptr) return backend().ScoreLabels(request, labels, std::move(done));
  const Clock& clock = tracer_.clock();
  const size_t probe = running.trace->ProbeBegan(request.model, clock.Now());
  auto scored = [trace = running.trace, probe, &clock,
                 done = std::move(done)](Result<LabelScores> scores) {
    trace->ProbeEnded(probe, clock.Now(), scores);
    done(std::move(scores));
  };
  auto ticket = backend().ScoreLabels(request, labels, std::move(scored));
  if (!ticket.ok()) running.trace->ProbeEnded(probe, clock.Now(), ticket.status());
  return ticket;
}

Status TracedBackend::Decide(const Request& request, DecisionCallback done) {
  if (place_ == TracedPlace::kRouter) {
    const RunningTrace running = tracer_.Find(request.id);
    if (running.trace != nullptr) running.trace->Admitted(tracer_.clock().Now());
  }
  return backend().Decide(request, std::move(done));
}

Result<std::shared_ptr<Ticket>> TracedBackend::Generate(Request request,
                                                        std::shared_ptr<EventSink> sink) {
  const RunningTrace running = tracer_.Find(request.id);
  if (running.trace == nullptr) return backend().Generate(std::move(request), std::move(sink));
  const Clock& clock = tracer_.clock();
  if (place_ == TracedPlace::kRouter) {
    running.trace->Admitted(clock.Now());
    return backend().Generate(std::move(request), std::move(sink));
  }
  const size_t generation =
      running.trace->GenerationBegan(request.model, running.choice, clock.Now());
  auto ticket = backend().Generate(
      std::move(request),
      std::make_shared<TracedSink>(std::move(sink), running.trace, generation, clock));
  if (!ticket.ok()) running.trace->GenerationFailed(generation, clock.Now(), ticket.status());
  return ticket;
}

}  // namespace aio
