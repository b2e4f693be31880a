// A generation whose model may turn out to be gone: another one answers then. Internal to router/.
#ifndef AIO_ROUTER_FALLBACK_GENERATION_H_
#define AIO_ROUTER_FALLBACK_GENERATION_H_

#include <functional>
#include <memory>

#include "backend/backend.h"
#include "backend/ticket_relay.h"
#include "base/status.h"

namespace aio {

// Whether a fault is that of a model's being gone: no other request would fare better there, but
// another model may be well.
bool ModelIsGone(const Status& fault);

// Its own ticket, and the sink of the first model. Once that has begun it is passed through.
class FallbackGeneration final : public Ticket,
                                 public EventSink,
                                 public std::enable_shared_from_this<FallbackGeneration> {
 public:
  using Start = std::function<Result<std::shared_ptr<Ticket>>(std::shared_ptr<EventSink> sink)>;
  // `fault` says why the first model does not answer.
  using StartOther = std::function<Result<std::shared_ptr<Ticket>>(
      const Status& fault, std::shared_ptr<EventSink> sink)>;

  // The first model's events go to `sink`, the other's to `other_sink` as made by `start_other`.
  FallbackGeneration(StartOther start_other, std::shared_ptr<EventSink> first_sink,
                     std::shared_ptr<EventSink> client)
      : start_other_(std::move(start_other)),
        sink_(std::move(first_sink)),
        client_(std::move(client)) {}

  // Once.
  Result<std::shared_ptr<Ticket>> Begin(const Start& start);

  // After Begin(): whether the first model refused at once, and the other was asked.
  bool has_begun_other() const { return has_begun_other_; }

  void Cancel() override { relay_.Cancel(); }
  void SetPaused(bool paused) override { relay_.SetPaused(paused); }

  void OnStart(const StartEvent& event) override;
  void OnToken(const TokenEvent& event) override { sink_->OnToken(event); }
  void OnFinish(const FinishEvent& event) override { sink_->OnFinish(event); }
  void OnError(const Status& status) override;

 private:
  StartOther start_other_;  // empty once it has been used or is of no use
  const std::shared_ptr<EventSink> sink_;
  std::shared_ptr<EventSink> client_;
  bool has_begun_other_ = false;  // Begin()'s own

  TicketRelay relay_;  // to the first model, then to the other
};

}  // namespace aio

#endif  // AIO_ROUTER_FALLBACK_GENERATION_H_
