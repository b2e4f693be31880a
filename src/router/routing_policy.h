// The policy: ordered rules over intent, entropy and context length, first match wins.
// Decide() is a pure function of its Signals; replay and simulation re-run it.
#ifndef AIO_ROUTER_ROUTING_POLICY_H_
#define AIO_ROUTER_ROUTING_POLICY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backend/events.h"
#include "backend/request.h"
#include "base/status.h"

namespace aio {

inline constexpr std::string_view kSmallRole = "small";
inline constexpr std::string_view kLargeRole = "large";

// Letters, digits, '.', '_' and '-', at most 32: what rules and labels may be called, since
// these names go into headers and metrics.
bool IsPlainName(std::string_view name);

// What the probe said about a request.
struct IntentDistribution {
  std::vector<std::string> labels;    // at least one
  std::vector<double> probabilities;  // [labels]; sum to 1
  double entropy = 0;                 // Shannon, nats (three labels: at most 1.0986)

  size_t top() const;  // index of the most probable label; the first of equals

  // Softmax of the label logits, in double; order of `labels` kept. kInternal if the
  // logits are not one finite number a label: they come from a backend, so that is a
  // fault of the world.
  static Result<IntentDistribution> FromLogits(std::vector<std::string> labels,
                                               const std::vector<float>& logits);
};

// Whether a prompt and the answer wanted fit into a model's context.
struct ContextNeed {
  int64_t prompt_tokens = 0;
  int64_t answer_tokens = 0;
  int context_length = 0;  // 0: unknown, counts as large enough

  bool fits() const {
    return context_length == 0 || prompt_tokens + answer_tokens <= context_length;
  }
};

// What a role can do for this request.
struct RoleSignals {
  ContextNeed context;
  std::vector<std::string> variants;  // weights that are resident beside the role's own

  bool HasWeights(std::string_view weights) const;
};

// Everything Decide() may look at.
struct Signals {
  // Absent: not probed, because the prompt is too long (alone, or in the probe's template)
  // or because of probe_fault.
  std::optional<IntentDistribution> intent;
  int prompt_tokens = 0;                    // as the small model counts them
  std::optional<double> entropy_threshold;  // the client's own tau, replaces every rule's
  std::optional<Strategy> strategy;         // the client's own strategy
  std::optional<std::string> weights;       // the client's own choice; see Request::weights
  RoleSignals small;
  RoleSignals large;
  // Why a probe that was wanted gave nothing, in a few words of ASCII; empty: nothing went
  // wrong. The small model then counts as gone: rules that choose it give the large one.
  std::string probe_fault;
};

// One rule of the policy; absent conditions always hold.
struct RoutingRule {
  std::string name;
  std::vector<std::string> intents;      // any of these; empty: any, also unprobed
  std::optional<int> prompt_tokens_max;  // prompt_tokens <= this
  std::optional<double> entropy_max;     // entropy <= this, nats; never holds unprobed
  std::string role;                      // "small" or "large"
  Strategy strategy;                     // not draft_model for "small"
  std::string weights;                   // "" (the role's own) or kW8A16
};

struct PolicyOutcome {
  std::string role;
  Strategy strategy;
  std::string weights;
  std::string rule;    // name of the rule that fired
  std::string reason;  // with the numbers compared: one ASCII sentence, under 200 characters
};

class RoutingPolicy {
 public:
  // The TOML text of a policy file (see policy/paper.toml); `source` names it in errors,
  // which also name the line and the key. Unknown keys are errors, and so are rules that
  // cannot be reached. The last rule must match anything.
  static Result<RoutingPolicy> FromToml(std::string_view text, const std::string& source);
  static Result<RoutingPolicy> FromFile(const std::string& path);
  // The paper's rules: policy/paper.toml as it was when the program was built.
  static RoutingPolicy Paper();

  const std::string& name() const { return name_; }
  // The policy file, byte for byte, and its SHA-256 in hexadecimal: what a decision log keeps, so
  // that what it was decided by can be decided anew.
  const std::string& text() const { return text_; }
  const std::string& hash() const { return hash_; }
  // Empty only in a default-constructed policy, which cannot decide.
  const std::vector<RoutingRule>& rules() const { return rules_; }
  // Requests longer than this skip the probe.
  int probe_prompt_tokens_max() const { return probe_prompt_tokens_max_; }

  // The first rule that matches, but: a role whose context does not do leaves the request to
  // one whose does; on the small model, which is the one that drafts, draft_model is plain; and
  // weights that are not resident are the role's own. The reason says which of these it was.
  PolicyOutcome Decide(const Signals& signals) const;

 private:
  std::string name_;
  std::string text_;
  std::string hash_;
  int probe_prompt_tokens_max_ = 2048;
  std::vector<RoutingRule> rules_;
};

}  // namespace aio

#endif  // AIO_ROUTER_ROUTING_POLICY_H_
