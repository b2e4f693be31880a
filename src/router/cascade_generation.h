// An answer that the small model begins and the large one takes over if the beginning is
// uncertain. Nothing is sent before that is settled.
#ifndef AIO_ROUTER_CASCADE_GENERATION_H_
#define AIO_ROUTER_CASCADE_GENERATION_H_

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "backend/backend.h"
#include "backend/ticket_relay.h"
#include "base/clock.h"
#include "base/status.h"
#include "router/signals.h"

namespace aio {

// Who answers.
struct CascadeSettled {
  std::shared_ptr<EventSink> sink;  // gets the answer's events
  // Starts the large model; empty: the small one goes on.
  std::function<Result<std::shared_ptr<Ticket>>(std::shared_ptr<EventSink>)> start_large;
};

// What the router does for a cascade. Each is called once at most, without a lock held, from the
// small model's backend or from inside Start().
struct CascadeSteps {
  // Starts the small model; its events go to the sink given.
  std::function<Result<std::shared_ptr<Ticket>>(std::shared_ptr<EventSink>)> start_small;
  // The beginning is there, or (`fault` is not ok) will never be.
  std::function<CascadeSettled(const std::optional<FirstTokens>& first, const Status& fault)>
      settle;
};

// Its ticket: first the small model's, then that of the one that answers.
class CascadeGeneration final : public Ticket,
                                public EventSink,
                                public std::enable_shared_from_this<CascadeGeneration> {
 public:
  // Settles after `tokens` tokens, or fewer if the answer is shorter. `clock` outlives the last
  // event.
  CascadeGeneration(int tokens, CascadeSteps steps, std::shared_ptr<EventSink> client,
                    const Clock& clock);

  // Once. A small model that is gone or full leaves the answer to the large one.
  Result<std::shared_ptr<Ticket>> Start();

  void Cancel() override { relay_.Cancel(); }
  void SetPaused(bool paused) override { relay_.SetPaused(paused); }

  // Of the small model.
  void OnStart(const StartEvent& event) override;
  void OnToken(const TokenEvent& event) override;
  void OnFinish(const FinishEvent& event) override;
  void OnError(const Status& status) override;

 private:
  struct Spent;
  class TakenOverSink;

  void Settle();
  void Release(std::shared_ptr<EventSink> sink);
  void TakeOver(CascadeSettled settled);
  Result<std::shared_ptr<Ticket>> StartLarge(CascadeSettled settled);

  const int tokens_wanted_;
  const Clock& clock_;
  const TimePoint begin_;
  const std::shared_ptr<Spent> spent_;

  // Used by Start() and the small model's events only, one at a time; steps and client are let go
  // once it is settled who answers.
  CascadeSteps steps_;
  std::shared_ptr<EventSink> client_;
  std::shared_ptr<EventSink> released_;  // where they go; null: they are held, or dropped
  bool dropped_ = false;
  std::optional<StartEvent> start_;
  std::vector<TokenEvent> held_;
  FirstTokens first_;  // entropy_mean is the sum until Settle()

  TicketRelay relay_;  // to the small model, then perhaps to the large one
};

// A model's own trouble, which another model need not have; not the request's.
bool IsFaultOfModel(const Status& status);

}  // namespace aio

#endif  // AIO_ROUTER_CASCADE_GENERATION_H_
