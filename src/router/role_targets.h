// Where the two roles live, as the router has found them. Internal to router/.
#ifndef AIO_ROUTER_ROLE_TARGETS_H_
#define AIO_ROUTER_ROLE_TARGETS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.h"
#include "base/status.h"
#include "router/router.h"
#include "router/routing_policy.h"

namespace aio {

// Variants share their model's backend, context and vocabulary.
struct Target {
  std::string_view role;
  RoleTarget place;
  int context_length = 0;    // 0: unknown
  int64_t weight_bytes = 0;  // 0: unknown
  std::string fingerprint;   // empty: unknown
  uint64_t vocabulary = 0;   // a fingerprint; 0: unknown
  // See ModelInfo.
  bool tells_entropies = true;
  bool counts_exactly = true;

  Backend& backend() const { return *place.backend; }
  const std::string& model() const { return place.model; }
  // Null if they are not resident.
  const std::string* ModelWith(std::string_view weights) const {
    if (weights.empty()) return &place.model;
    const auto found = place.variants.find(weights);
    return found == place.variants.end() ? nullptr : &found->second;
  }
  std::vector<std::string> VariantNames() const {
    std::vector<std::string> names;
    for (const auto& [weights, model] : place.variants) names.push_back(weights);
    return names;
  }
};

// Fails when the model or a variant of it is not where `place` says.
Result<Target> FindTarget(std::string_view role, RoleTarget place);

// `what` names it in the fault.
Result<ModelInfo> FindModel(const Backend& backend, const std::string& name, std::string_view what);

// That both can do what every rule and arm of the policy says.
Status CheckArms(const RoutingPolicy& policy, const Target& small, const Target& large);

// That the policy was made with this model, as far as that is known.
Status CheckEvidence(const RoutingPolicy& policy, const Target& target);

// The refusal of weights that none of `targets` has.
Status NoSuchWeights(std::string_view weights, const std::vector<const Target*>& targets);

LoadSignals LoadOf(const std::vector<ModelLoad>& loads, std::string_view model);

}  // namespace aio

#endif  // AIO_ROUTER_ROLE_TARGETS_H_
