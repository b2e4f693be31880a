#ifndef AIO_ROUTER_AS_SEEN_BY_H_
#define AIO_ROUTER_AS_SEEN_BY_H_

#include "router/routing_policy.h"

namespace aio {

// What the router would have seen of a request under `policy`, of what was seen under another: the
// probe's part is gone if it would not have asked, and so is an answer's beginning unless it is a
// cascade that looks at as many tokens. If it would have probed and nobody did, nothing can be
// done: see LacksProbe().
Signals AsSeenBy(const RoutingPolicy& policy, Signals signals);

// Whether the probe's part is absent although `policy` would have asked; perhaps in vain, if the
// prompt does not fit into its template.
bool LacksProbe(const RoutingPolicy& policy, const Signals& signals);

}  // namespace aio

#endif  // AIO_ROUTER_AS_SEEN_BY_H_
