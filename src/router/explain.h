// One decision taken apart: what was compared, how far it is from falling otherwise, and what the
// other arms would have cost. Plain data for whoever shows it.
#ifndef AIO_ROUTER_EXPLAIN_H_
#define AIO_ROUTER_EXPLAIN_H_

#include <optional>
#include <string>
#include <vector>

#include "router/routing_policy.h"
#include "router/signals.h"

namespace aio {

// A condition of a rule, held against a request.
struct ConditionCheck {
  std::string what;  // "intent", "prompt_tokens", "entropy", "second label"
  std::string text;  // "entropy 0.03 <= 0.45"
  bool holds = false;
  // Of a bound: how much is to spare, or missing if < 0, in its own unit.
  std::optional<double> margin;
};

struct RuleCheck {
  std::string rule;
  std::string role;
  bool fired = false;  // later rules were not looked at, but are checked here all the same
  std::vector<ConditionCheck> conditions;
};

// The nearest request that another model answers: the same but for one number.
struct Turn {
  std::string what;    // a label, whose score changes, or "prompt_tokens"
  double change = 0;   // of the label's score in nats, before calibration; of tokens
  std::string role;    // that would answer
  std::string reason;  // that would be given
};

struct ArmCost {
  std::string role;
  Strategy strategy;
  std::string weights;
  bool chosen = false;
  std::optional<double> accuracy;   // percent, expected; absent: no table says
  std::optional<double> seconds;    // to the answer's end; absent: not known
  std::optional<double> gigabytes;  // read for it, 1e9 bytes; absent: not known
  std::optional<double> utility;    // of a utility policy
};

struct Explanation {
  PolicyOutcome outcome;
  std::vector<RuleCheck> rules;  // of a policy of rules
  std::vector<Turn> turns;       // the nearest for each label, then for the length
  int answer_tokens = 0;         // that the costs are of
  std::vector<ArmCost> costs;  // of the policy's arms; without any, of both models decoding plainly
};

Explanation Explain(const RoutingPolicy& policy, const Signals& signals);

}  // namespace aio

#endif  // AIO_ROUTER_EXPLAIN_H_
