// From the chosen model to the client. Internal to router/.
#ifndef AIO_ROUTER_DECIDED_SINK_H_
#define AIO_ROUTER_DECIDED_SINK_H_

#include <memory>
#include <utility>

#include "backend/backend.h"
#include "router/told_decision.h"

namespace aio {

// Passes events on: with the decision added to the first, and what the probe took to the last.
class DecidedSink final : public EventSink {
 public:
  // `told` is null where nobody is.
  DecidedSink(std::shared_ptr<EventSink> sink, Decision decision, const Traffic& probe_traffic,
              std::shared_ptr<ToldDecision> told)
      : sink_(std::move(sink)),
        decision_(std::move(decision)),
        probe_ms_(decision_.probe_ms),
        probe_traffic_(probe_traffic),
        told_(std::move(told)) {}

  void OnStart(const StartEvent& event) override {
    StartEvent decided = event;
    // An override was decided without counting; the model knows.
    if (decision_.prompt_tokens == 0) decision_.prompt_tokens = event.prompt_tokens;
    decided.decision = std::move(decision_);
    if (told_ != nullptr) told_->Started(event.model);
    sink_->OnStart(decided);
  }
  void OnToken(const TokenEvent& event) override { sink_->OnToken(event); }
  void OnFinish(const FinishEvent& event) override {
    FinishEvent whole = event;
    whole.timings.probe_ms += probe_ms_;
    whole.traffic += probe_traffic_;
    if (told_ != nullptr) told_->Finished(whole);
    sink_->OnFinish(whole);
  }
  void OnError(const Status& status) override {
    if (told_ != nullptr) told_->Failed(status);
    sink_->OnError(status);
  }

 private:
  const std::shared_ptr<EventSink> sink_;
  Decision decision_;
  const double probe_ms_;
  const Traffic probe_traffic_;
  const std::shared_ptr<ToldDecision> told_;
};

}  // namespace aio

#endif  // AIO_ROUTER_DECIDED_SINK_H_
