// What the dashboard's page asks for, as JSON.
#ifndef AIO_DASHBOARD_DASHBOARD_JSON_H_
#define AIO_DASHBOARD_DASHBOARD_JSON_H_

#include <cstdint>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "dashboard/recent_decisions.h"
#include "router/routing_policy.h"

namespace aio {

struct LiveView {
  const Backend& backend;
  const RoutingPolicy& policy;
  const RecentDecisions& decisions;
  double read_bytes_per_second = 0;  // what the machine's memory gives; 0: not measured
  TimePoint now{};                   // by the clock of `decisions`
};

// Models with their load, the policy, and the decisions that changed after version `since`:
//   {"models": [...], "policy": {...}, "read_bytes_per_second": n, "version": n, "decisions":
//   [...]}
// `version` is what to ask for next. Times are milliseconds before now. Never a prompt or an
// answer.
std::string LiveJson(const LiveView& view, uint64_t since);

// The kept requests that the policy decided, decided again with the entropy threshold `entropy_max`
// (nats) in place of every rule's own and of the clients':
//   {"entropy_max": x, "requests": n, "on_small": {"now": n, "then": n},
//    "bytes": {"now": n, "then": n}, "changed": [{"number", "from", "to", "reason"}]}
// "bytes" are of weights, for the tokens that the answers had: what then is read of another model
// is its weights' bytes a token, as if decoded plainly.
std::string WhatIfJson(const LiveView& view, double entropy_max);

}  // namespace aio

#endif  // AIO_DASHBOARD_DASHBOARD_JSON_H_
