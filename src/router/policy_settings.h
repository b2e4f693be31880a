// What a policy file says (docs/policies.md), as plain data.
#ifndef AIO_ROUTER_POLICY_SETTINGS_H_
#define AIO_ROUTER_POLICY_SETTINGS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backend/request.h"
#include "base/status.h"
#include "router/intent_distribution.h"

namespace aio {

inline constexpr double kEntropyMax = 100;  // beyond ln of any number of labels

// How a policy decides.
enum class PolicyKind {
  kRules,        // the first [[rule]] that matches
  kUtility,      // the [[arm]] worth most: expected accuracy less expected time and bytes
  kStaticSmall,  // always that model
  kStaticLarge,
  kRandom,   // the small model with probability p_small
  kOracle,   // the best arm for the true label; evaluation only
  kCascade,  // the small model, unless its first tokens are uncertain
};
std::string_view PolicyKindName(PolicyKind kind);  // "rules", "static-small", ...
std::optional<PolicyKind> PolicyKindFromName(std::string_view name);

// One rule of the policy; absent conditions always hold.
struct RoutingRule {
  std::string name;
  std::vector<std::string> intents;      // any of these; empty: any, also unprobed
  std::optional<int> prompt_tokens_max;  // prompt_tokens <= this
  std::optional<double> entropy_max;     // entropy <= this, nats; never holds unprobed
  // The second most probable label's probability <= this; never holds unprobed. A request with
  // two intents has two probable labels.
  std::optional<double> second_max;
  bool doubts_allowed = true;  // false: Signals::doubts is empty
  std::string role;            // "small" or "large"
  Strategy strategy;           // not draft_model for "small"
  std::string weights;         // "" (the role's own) or kW8A16
};

// What an arm is worth, by label.
using LabelAccuracies = std::vector<std::pair<std::string, double>>;  // percent

// What is known of a model, a strategy and weights, measured or taken from a table.
struct PolicyArm {
  // Of prompts of that length; absent for a label that the table does not have.
  std::optional<double> AccuracyOf(std::string_view label, int prompt_tokens) const;

  std::string role;     // "small" or "large"
  Strategy strategy;    // not draft_model for "small"
  std::string weights;  // "" (the role's own) or kW8A16
  LabelAccuracies accuracy;
  LabelAccuracies accuracy_long;  // of prompts over long_tokens; empty: as the others
  int long_tokens = 2048;
  double tokens_per_second = 0;         // of one answer alone; 0: not known
  double tokens_per_step = 1;           // >= 1: what the strategy makes of a step
  double prompt_tokens_per_second = 0;  // 0: prompts count as free
  double bytes_per_token = 0;           // read for a token of an answer; 0: not known
};

struct UtilitySettings {
  double lambda = 0;         // accuracy points given up for a second of expected time ...
  double lambda_per_gb = 0;  // ... and for 1e9 bytes read
  int answer_tokens = 256;   // expected of a request that does not ask for fewer
};

struct RandomSettings {
  double p_small = 0.5;
  uint64_t seed = 1;
};

struct CascadeSettings {
  int tokens = 16;         // looked at before anything is sent
  double entropy_max = 0;  // mean over these, nats; above it the large model answers
};

// A conversation stays where it is unless a turn's decision for another role is this certain.
struct SessionSettings {
  double change_confidence = 0.8;
};

// What the drift guard holds live requests against (drift_guard.h).
struct DriftSettings {
  std::vector<std::pair<std::string, double>> label_shares;  // sum to 1; empty: not checked
  std::optional<double> entropy_mean;                        // nats; absent: not checked
  double entropy_sd = 0;                                     // of single requests
  int window = 500;                                          // requests looked back on
  double confidence = 0.999;  // that it is no chance, each time a window is full
  bool fall_back = false;     // to the large model while it lasts
};

// Where the figures of a policy come from; nothing is decided by it, but that the policy is for
// these models.
struct PolicyEvidence {
  struct Data {
    std::string name;
    int64_t rows = 0;
    int64_t used = 0;    // of these, to measure `accuracy` and the bound
    std::string sha256;  // of the file
  };
  std::string date;   // "2026-11-29"
  std::string probe;  // "template" or "head"
  std::string small;  // ModelInfo::fingerprint; empty: any
  std::string large;
  std::vector<Data> data;
  std::optional<double> accuracy;          // of intents, held out, 0..1
  std::optional<double> ece;               // expected calibration error, 0..1
  std::optional<double> loss_upper_bound;  // accuracy points lost against the oracle ...
  std::optional<double> loss_confidence;   // ... with this confidence, 0..1
};

struct PolicySettings {
  std::string name;
  PolicyKind kind = PolicyKind::kRules;
  int probe_prompt_tokens_max = 0;  // requests longer than this skip the probe
  std::vector<RoutingRule> rules;   // of kRules: at least one, and the last matches anything
  std::vector<PolicyArm> arms;
  UtilitySettings utility;
  RandomSettings random;
  CascadeSettings cascade;
  std::optional<ProbeCalibration> calibration;
  std::optional<PolicyEvidence> evidence;
  std::optional<SessionSettings> session;
  std::optional<DriftSettings> drift;
};

// The TOML text of a policy file; `source` names it in errors, which also name the line and the
// key. Unknown keys are errors, and so are rules that cannot be reached.
Result<PolicySettings> ReadPolicySettings(std::string_view text, const std::string& source);

}  // namespace aio

#endif  // AIO_ROUTER_POLICY_SETTINGS_H_
