// What `aio bench mixed` compares: fixed models and strategies, and policies.
#ifndef AIO_APP_MIXED_CONFIGURATIONS_H_
#define AIO_APP_MIXED_CONFIGURATIONS_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/config.h"
#include "app/keep_signals.h"
#include "app/runtime.h"
#include "backend/backend.h"
#include "base/status.h"
#include "router/router.h"
#include "router/routing_policy.h"

namespace aio {

enum class ConfigurationGroup { kStatic, kPolicy, kAblation };
std::string_view ConfigurationGroupName(ConfigurationGroup group);  // "static", ...

// What every ratio is over.
inline constexpr std::string_view kReferenceConfiguration = "large";

// One of them: how a request is put, and to whom. Owns its router, if it has one of its own.
struct MixedConfiguration {
  std::string name;  // "large+prompt_lookup", "small-w8a16", or a policy's
  ConfigurationGroup group = ConfigurationGroup::kStatic;
  std::string ablated;         // of an ablation: the name of the policy that it lacks a part of
  Backend* backend = nullptr;  // `router`, or the runtime's
  std::unique_ptr<Router> router;
  std::unique_ptr<KeepSignals> signals;  // what `router` decided from; null without one
  std::string model;                     // what a request's `model` says
  std::optional<Strategy> strategy;
  std::optional<std::string> weights;
  // Requests say what they are about: an oracle must know, and a probe whose answer is given.
  bool told_intent = false;

  // The request as this configuration puts it.
  Request Put(Request request) const;
};

struct ConfigurationChoice {
  std::vector<std::string> names;         // only these (and the reference); empty: all
  std::vector<std::string> policy_paths;  // further policies
  // The names of policies whose parts are taken out one by one; empty: the configured one.
  std::vector<std::string> ablated;
  bool labels_given = false;  // policies are told intents
};

// All that the runtime's models allow, in the order in which they are shown, the reference among
// them: each role with its weights, plain and with prompt lookup; draft_model; random; oracle; the
// configured policy; paper, auto and utility; further policies; ablations. Policies probe and
// answer by `backend`, which stands for the runtime's engine. kInvalidArgument for a name that is
// none, with those that there are.
Result<std::vector<MixedConfiguration>> MakeConfigurations(const Runtime& runtime, Backend& backend,
                                                           const ConfigurationChoice& choice);

}  // namespace aio

#endif  // AIO_APP_MIXED_CONFIGURATIONS_H_
