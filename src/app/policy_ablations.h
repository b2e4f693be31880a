// What a routing policy would be without one of its parts: to measure what that part is worth.
#ifndef AIO_APP_POLICY_ABLATIONS_H_
#define AIO_APP_POLICY_ABLATIONS_H_

#include <optional>
#include <span>
#include <string_view>

#include "base/status.h"
#include "router/routing_policy.h"

namespace aio {

enum class Ablation {
  kModelRouting,     // the large model answers everything, still by the intent's strategy
  kStrategySwitch,   // everything is decoded plainly
  kEntropyFallback,  // the most probable intent counts, however improbable
  kContextRule,      // long prompts are probed and routed like short ones
};
std::span<const Ablation> AllAblations();
std::string_view AblationName(Ablation ablation);  // "no model routing"

// The policy without it, named "<policy>, <ablation>"; absent where the policy has nothing of the
// kind. Rules that can no longer be reached are left out. It keeps the policy's evidence. Of a
// utility policy, which has no threshold, the entropy fallback is none of its parts, and without
// model routing its arms of the small model are worth nothing.
Result<std::optional<RoutingPolicy>> Ablate(const RoutingPolicy& policy, Ablation ablation);

}  // namespace aio

#endif  // AIO_APP_POLICY_ABLATIONS_H_
