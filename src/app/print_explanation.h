// A decision as a person would ask for it.
#ifndef AIO_APP_PRINT_EXPLANATION_H_
#define AIO_APP_PRINT_EXPLANATION_H_

#include <string>

#include "api/json_text.h"
#include "backend/events.h"
#include "router/explain.h"
#include "router/routing_policy.h"
#include "router/signals.h"

namespace aio {

// What was seen, which rule fired, how far from the other side, what the other arms would have
// cost. Several lines, the last one ended.
std::string ExplanationText(const Decision& decision, const RoutingPolicy& policy,
                            const Signals& signals);

// The same for machines.
OrderedJson ExplanationJson(const Explanation& explanation, const RoutingPolicy& policy);

}  // namespace aio

#endif  // AIO_APP_PRINT_EXPLANATION_H_
