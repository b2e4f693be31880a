// What is compared: models and strategies as they are named on the command line, and policies.
#ifndef AIO_TASKS_CONFIGURATION_H_
#define AIO_TASKS_CONFIGURATION_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.h"
#include "backend/request.h"
#include "base/status.h"

namespace aio {

// A fixed choice of model, weights and strategy.
struct FixedArm {
  std::string role;     // "small" or "large"
  std::string weights;  // "" (the role's own) or kW8A16
  std::string strategy_name = "plain";
  Strategy strategy;
};

// "small", "large+prompt_lookup", "large-w8a16+prompt_lookup"; "f16" for the role's own weights
// may be said ("small-f16"). kInvalidArgument says what there is.
Result<FixedArm> ParseFixedArm(std::string_view name);
// The shortest name.
std::string FixedArmName(const FixedArm& arm);

// How requests are put, and to whom.
struct EvalConfiguration {
  std::string name;             // "large+prompt_lookup", or that of a policy
  std::optional<FixedArm> arm;  // absent: a policy decides
  Backend* backend = nullptr;   // not owned
  std::string model;            // what a request's `model` says
  bool told_intent = false;     // requests say what they are about, as an oracle must know
  std::string policy_hash;      // of a policy
  std::string models;           // fingerprints of those that may take part
};

// Asked by the arm's role, strategy and weights. kInvalidArgument naming the mend if a weight
// variant or a draft model that it needs is not among the backend's models.
Result<EvalConfiguration> StaticConfiguration(const FixedArm& arm, Backend& backend);

// Asked by a name that routes; `name` and `policy_hash` are the caller's to set.
EvalConfiguration RoutedConfiguration(const std::string& routing_name, Backend& router);

}  // namespace aio

#endif  // AIO_TASKS_CONFIGURATION_H_
