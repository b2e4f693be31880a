// A request on its way through the router. Internal to router/.
#ifndef AIO_ROUTER_ROUTED_REQUEST_H_
#define AIO_ROUTER_ROUTED_REQUEST_H_

#include <optional>
#include <string>

#include "backend/backend.h"
#include "base/status.h"
#include "router/policy_settings.h"
#include "router/probe.h"
#include "router/session_table.h"
#include "router/signals.h"

namespace aio {

// A request that the policy decides, and what is known of it before the probe.
struct RoutedRequest {
  Request request;          // as the probe takes it: `model` is the small model's name
  int prompt_tokens = 0;    // as the small model counts
  std::string count_fault;  // why it could not count; the large model's count is used then
  // The client's own choices.
  std::optional<Strategy> strategy;
  std::optional<std::string> weights;
  ContextNeed small;
  ContextNeed large;
  // When it came in: the probe's callback may not ask the backend that calls it.
  LoadSignals small_load;
  LoadSignals large_load;
  std::string prompt_hash;  // empty where nobody is told
  SessionKeys session_keys;
  SessionSignals session;
};

// A decision that no model has been told of.
struct RoutedDecision {
  Decision decision;
  std::optional<IntentDistribution> intent;
  double confidence = 1;
  std::optional<CascadeSettings> cascade;
};

// What an observer is told beside the decision.
struct Basis {
  std::optional<Signals> signals;  // absent: no policy decided
  std::string prompt_hash;
};

// What came of looking at it.
struct Look {
  std::optional<ProbeResult> probe;  // absent: not probed
  std::string fault;                 // why not, if something went wrong
};

// A fault in a few words that may stand in a header.
std::string Brief(const Status& status);

// A probe that failed is no reason to fail the request, unless the request itself is wrong or
// over. One that the template made too long for the small model simply was not probed.
Result<Look> ToLook(Result<ProbeResult> result);

Request ForModel(Request request, const std::string& model);

// As the backend of the decision's model is asked.
Request Decided(Request request, const Decision& decision);

}  // namespace aio

#endif  // AIO_ROUTER_ROUTED_REQUEST_H_
