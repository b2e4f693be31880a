// The policy: which arm (model, decoding strategy, weights) answers a request. Decide() is a
// pure function of its Signals; replay and simulation re-run it.
#ifndef AIO_ROUTER_ROUTING_POLICY_H_
#define AIO_ROUTER_ROUTING_POLICY_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/events.h"
#include "backend/request.h"
#include "base/status.h"
#include "router/intent_distribution.h"
#include "router/policy_settings.h"
#include "router/signals.h"

namespace aio {

struct PolicyOutcome {
  std::string role;
  Strategy strategy;
  std::string weights;
  std::string rule;    // name of the rule that fired; of other kinds of policy, the kind's
  std::string reason;  // with the numbers compared: one ASCII sentence, under 200 characters
  // What the probe said, as the policy's calibration reads it; absent if not probed.
  std::optional<IntentDistribution> intent;
  // That the role is right as far as the intent says: the probability of the labels that would
  // lead to it if they were certain; 1 where the intent had no part in it.
  double confidence = 1;
  // The small model answers, but only if its first tokens are certain enough.
  std::optional<CascadeSettings> cascade;
};

// Immutable, hence thread-safe. Default-constructed it cannot decide.
class RoutingPolicy {
 public:
  // See ReadPolicySettings().
  static Result<RoutingPolicy> FromToml(std::string_view text, const std::string& source);
  static Result<RoutingPolicy> FromFile(const std::string& path);
  // The paper's rules: policy/paper.toml as it was when the program was built.
  static RoutingPolicy Paper();

  const PolicySettings& settings() const { return settings_; }
  const std::string& name() const { return settings_.name; }
  const std::vector<RoutingRule>& rules() const { return settings_.rules; }
  // SHA-256 of the file's text, in hexadecimal.
  const std::string& hash() const { return hash_; }
  // Whether Decide() looks at what the probe says; if so, of requests up to so many tokens.
  bool wants_probe() const;
  int probe_prompt_tokens_max() const { return settings_.probe_prompt_tokens_max; }

  // kInvalidArgument if the policy names a label that is not among the probe's, or needs to know
  // one that it does not.
  Status CheckLabels(const std::vector<std::string>& labels) const;

  // By the policy's kind, but: a role whose context does not do leaves the request to one whose
  // does; on the small model, which is the one that drafts, draft_model is plain; and weights
  // that are not resident are the role's own. The reason says which of these it was.
  PolicyOutcome Decide(const Signals& signals) const;

 private:
  std::optional<IntentDistribution> Calibrated(const Signals& signals) const;

  PolicySettings settings_;
  std::string hash_;
};

}  // namespace aio

#endif  // AIO_ROUTER_ROUTING_POLICY_H_
