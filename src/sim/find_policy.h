#ifndef AIO_SIM_FIND_POLICY_H_
#define AIO_SIM_FIND_POLICY_H_

#include <string>

#include "base/status.h"
#include "router/routing_policy.h"

namespace aio {

// A policy that is built in ("paper", "static-small", "static-large", "random"), or a file.
Result<RoutingPolicy> FindPolicy(const std::string& name_or_path);
// With another weight on time.
Result<RoutingPolicy> PolicyWithLambda(const RoutingPolicy& policy, double lambda);

}  // namespace aio

#endif  // AIO_SIM_FIND_POLICY_H_
