// The policy: ordered rules over intent, entropy and context length, first match wins.
// Decide() is a pure function of its Signals; replay and simulation re-run it.
#ifndef AIO_ROUTER_ROUTING_POLICY_H_
#define AIO_ROUTER_ROUTING_POLICY_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backend/events.h"
#include "backend/request.h"
#include "base/status.h"

namespace aio {

// What the probe said about a request.
struct IntentDistribution {
  std::vector<std::string> labels;
  std::vector<double> probabilities;  // [labels]; sum to 1
  double entropy = 0;                 // Shannon, nats (three labels: at most 1.0986)

  size_t top() const;  // index of the most probable label

  // Softmax of the label logits, in double; order of `labels` kept.
  static IntentDistribution FromLogits(std::vector<std::string> labels,
                                       const std::vector<float>& logits);
};

// Everything Decide() may look at.
struct Signals {
  std::optional<IntentDistribution> intent;  // absent: not probed (too long)
  int prompt_tokens = 0;                     // as the small model counts them
  std::optional<double> entropy_threshold;   // the client's own tau, replaces every rule's
  std::optional<Strategy> strategy;          // the client's own strategy
};

// One rule of the policy; absent conditions always hold.
struct RoutingRule {
  std::string name;
  std::vector<std::string> intents;      // any of these; empty: any, also unprobed
  std::optional<int> prompt_tokens_max;  // prompt_tokens <= this
  std::optional<double> entropy_max;     // entropy <= this, nats
  std::string role;                      // "small" or "large"
  Strategy strategy;
};

struct PolicyOutcome {
  std::string role;
  Strategy strategy;
  std::string rule;    // name of the rule that fired
  std::string reason;  // with the numbers compared
};

class RoutingPolicy {
 public:
  // The TOML text of a policy file (see policy/paper.toml); `source` names it in errors,
  // which also name the key. Unknown keys are errors. The last rule must match anything.
  static Result<RoutingPolicy> FromToml(std::string_view text, const std::string& source);
  static Result<RoutingPolicy> FromFile(const std::string& path);
  // The paper's rules, as policy/paper.toml has them.
  static RoutingPolicy Paper();

  const std::string& name() const { return name_; }
  const std::vector<RoutingRule>& rules() const { return rules_; }
  // Requests longer than this skip the probe.
  int probe_prompt_tokens_max() const { return probe_prompt_tokens_max_; }

  PolicyOutcome Decide(const Signals& signals) const;

 private:
  std::string name_;
  int probe_prompt_tokens_max_ = 2048;
  std::vector<RoutingRule> rules_;
};

}  // namespace aio

#endif  // AIO_ROUTER_ROUTING_POLICY_H_
