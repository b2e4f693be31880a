// Who is told of every request that the router answers: what it was decided from when it was
// decided, and how it ended.
#ifndef AIO_ROUTER_DECISION_OBSERVER_H_
#define AIO_ROUTER_DECISION_OBSERVER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "backend/events.h"
#include "backend/request.h"
#include "base/status.h"
#include "router/routing_policy.h"

namespace aio {

struct DecisionRecord {
  std::string request_id;        // Request::id; clients choose it, so it need not be unique
  int64_t unix_seconds = 0;      // when it was decided
  std::string prompt_hash;       // PromptHash()
  std::optional<Prompt> prompt;  // if DecisionObserver::wants_prompts()
  std::string small_model;       // their names
  std::string large_model;
  std::string small_fingerprint;  // ModelInfo::fingerprint; empty: unknown
  std::string large_fingerprint;
  std::string policy_hash;  // RoutingPolicy::hash()
  // All that RoutingPolicy::Decide() looked at: deciding anew gives the same. Absent: the model
  // was asked for by name, and no policy decided.
  std::optional<Signals> signals;
  Decision decision;
};

struct RequestOutcome {
  std::string model;                  // that began to answer; empty: none
  std::optional<FinishEvent> finish;  // as the client's sink got it; absent: it failed
  Status error;                       // why
};

// Thread-safe. Called on the way of requests: must neither block nor fail.
class DecisionObserver {
 public:
  virtual ~DecisionObserver() = default;

  // Whether records carry the prompt itself. Constant.
  virtual bool wants_prompts() const = 0;

  // A request was decided and is about to be started. The number returned names it to Ended().
  virtual uint64_t Decided(DecisionRecord record) = 0;

  // Once for each number: the answer ended, or was refused by the backend that was chosen.
  virtual void Ended(uint64_t number, const RequestOutcome& outcome) = 0;
};

}  // namespace aio

#endif  // AIO_ROUTER_DECISION_OBSERVER_H_
