#include "router/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "router/arm_choice.h"

namespace aio {
namespace {

constexpr double kShiftMax = 20;  // nats: odds of half a billion

// --- rules -----------------------------------------------------------------------------

ConditionCheck CheckIntent(const RoutingRule& rule, const IntentDistribution* intent) {
  ConditionCheck check{.what = "intent", .text = "", .holds = false, .margin = std::nullopt};
  const std::string wanted = fmt::format("{}", fmt::join(rule.intents, " or "));
  if (intent == nullptr) {
    check.text = fmt::format("no intent; must be {}", wanted);
    return check;
  }
  const std::string& top = intent->labels[intent->top()];
  check.holds = std::find(rule.intents.begin(), rule.intents.end(), top) != rule.intents.end();
  check.text = fmt::format("{} is {}{}", top, check.holds ? "" : "not ", wanted);
  return check;
}

ConditionCheck CheckBound(std::string what, std::optional<double> value, double bound,
                          std::string_view unit) {
  ConditionCheck check{.what = std::move(what), .text = "", .holds = false, .margin = std::nullopt};
  if (!value) {
    check.text = fmt::format("{} not known; must be <= {}", check.what, bound);
    return check;
  }
  check.holds = *value <= bound;
  check.margin = bound - *value;
  const auto [shown, shown_bound] = DistinctNumbers(*value, bound);
  check.text =
      fmt::format("{} {} {} {}{}", check.what, shown, check.holds ? "<=" : ">", shown_bound, unit);
  return check;
}

ConditionCheck CheckTokens(int tokens, int bound) {
  return {.what = "prompt_tokens",
          .text = fmt::format("{} tokens {} {}", tokens, tokens <= bound ? "<=" : ">", bound),
          .holds = tokens <= bound,
          .margin = static_cast<double>(bound) - tokens};
}

RuleCheck CheckRule(const RoutingRule& rule, const Signals& signals,
                    const IntentDistribution* intent) {
  RuleCheck check{.rule = rule.name, .role = rule.role, .fired = false, .conditions = {}};
  if (!rule.intents.empty()) check.conditions.push_back(CheckIntent(rule, intent));
  if (rule.prompt_tokens_max) {
    check.conditions.push_back(CheckTokens(signals.prompt_tokens, *rule.prompt_tokens_max));
  }
  const auto seen = [&](auto read) {
    return intent == nullptr ? std::nullopt : std::optional<double>(read(*intent));
  };
  if (rule.entropy_max) {
    check.conditions.push_back(
        CheckBound("entropy", seen([](const IntentDistribution& i) { return i.entropy; }),
                   signals.entropy_threshold.value_or(*rule.entropy_max),
                   signals.entropy_threshold ? " (the client's)" : ""));
  }
  if (rule.second_max) {
    check.conditions.push_back(CheckBound(
        "second label", seen([](const IntentDistribution& i) { return i.second_probability(); }),
        *rule.second_max, ""));
  }
  return check;
}

std::vector<RuleCheck> CheckRules(const RoutingPolicy& policy, const Signals& signals,
                                  const PolicyOutcome& outcome) {
  const IntentDistribution* intent = outcome.intent ? &*outcome.intent : nullptr;
  std::vector<RuleCheck> checks;
  for (const RoutingRule& rule : policy.rules()) {
    checks.push_back(CheckRule(rule, signals, intent));
    checks.back().fired = rule.name == outcome.rule;
  }
  return checks;
}

// --- how far it is ---------------------------------------------------------------------

// The same request with `shift` added to the score of one label.
Signals Shifted(const Signals& signals, size_t label, double shift) {
  Signals shifted = signals;
  shifted.label_logits[label] += static_cast<float>(shift);
  const auto intent = IntentDistribution::FromLogits(signals.intent->labels, shifted.label_logits);
  if (intent.ok()) shifted.intent = *intent;
  return shifted;
}

// The smallest shift of one sign that changes the role, in steps fine enough for people.
std::optional<double> ShiftThatTurns(const RoutingPolicy& policy, const Signals& signals,
                                     size_t label, const std::string& role, double sign) {
  constexpr double kStep = 0.25;
  constexpr int kHalvings = 12;
  const auto turns = [&](double shift) {
    return policy.Decide(Shifted(signals, label, sign * shift)).role != role;
  };
  for (double shift = kStep; shift <= kShiftMax; shift += kStep) {
    if (!turns(shift)) continue;
    double without = shift - kStep, with = shift;
    for (int i = 0; i < kHalvings; ++i) {
      const double middle = (without + with) / 2;
      (turns(middle) ? with : without) = middle;
    }
    return sign * with;
  }
  return std::nullopt;
}

std::optional<Turn> NearestTurn(const RoutingPolicy& policy, const Signals& signals, size_t label,
                                const std::string& role) {
  std::optional<double> nearest;
  for (const double sign : {-1.0, 1.0}) {
    const std::optional<double> shift = ShiftThatTurns(policy, signals, label, role, sign);
    if (shift && (!nearest || std::abs(*shift) < std::abs(*nearest))) nearest = shift;
  }
  if (!nearest) return std::nullopt;
  PolicyOutcome outcome = policy.Decide(Shifted(signals, label, *nearest));
  return Turn{.what = signals.intent->labels[label],
              .change = *nearest,
              .role = std::move(outcome.role),
              .reason = std::move(outcome.reason)};
}

// Lengths on either side of every bound that the policy has.
std::set<int> LengthsToTry(const RoutingPolicy& policy) {
  std::set<int> bounds = {policy.probe_prompt_tokens_max()};
  for (const RoutingRule& rule : policy.rules()) {
    if (rule.prompt_tokens_max) bounds.insert(*rule.prompt_tokens_max);
  }
  for (const PolicyArm& arm : policy.settings().arms) bounds.insert(arm.long_tokens);
  std::set<int> lengths;
  for (const int bound : bounds) {
    lengths.insert(bound);
    if (bound < std::numeric_limits<int>::max()) lengths.insert(bound + 1);
  }
  return lengths;
}

std::optional<Turn> NearestLength(const RoutingPolicy& policy, const Signals& signals,
                                  const std::string& role) {
  std::optional<Turn> nearest;
  for (const int length : LengthsToTry(policy)) {
    const double change = static_cast<double>(length) - signals.prompt_tokens;
    // What a shorter prompt's probe would have said is not known.
    const bool is_known = signals.intent.has_value() || change > 0;
    if (length < 1 || change == 0 || !is_known) continue;
    if (nearest && std::abs(nearest->change) <= std::abs(change)) continue;
    Signals changed = signals;
    changed.prompt_tokens = length;
    if (length > policy.probe_prompt_tokens_max()) changed.intent.reset();
    PolicyOutcome outcome = policy.Decide(changed);
    if (outcome.role == role) continue;
    nearest = Turn{.what = "prompt_tokens",
                   .change = change,
                   .role = std::move(outcome.role),
                   .reason = std::move(outcome.reason)};
  }
  return nearest;
}

std::vector<Turn> FindTurns(const RoutingPolicy& policy, const Signals& signals,
                            const std::string& role) {
  std::vector<Turn> turns;
  if (!policy.wants_probe()) return turns;
  if (signals.intent && signals.label_logits.size() == signals.intent->labels.size()) {
    for (size_t label = 0; label < signals.label_logits.size(); ++label) {
      if (auto turn = NearestTurn(policy, signals, label, role)) turns.push_back(*std::move(turn));
    }
  }
  if (auto turn = NearestLength(policy, signals, role)) turns.push_back(*std::move(turn));
  return turns;
}

// --- what the arms cost ----------------------------------------------------------------

// Both models, decoding plainly on their own weights.
std::vector<PolicyArm> PlainArms(const Signals& signals) {
  std::vector<PolicyArm> arms(2);
  arms[0].role = kSmallRole;
  arms[0].bytes_per_token = static_cast<double>(signals.small.weight_bytes);
  arms[1].role = kLargeRole;
  arms[1].bytes_per_token = static_cast<double>(signals.large.weight_bytes);
  return arms;
}

std::optional<double> IfPositive(double value) {
  return value > 0 ? std::optional<double>(value) : std::nullopt;
}

void AddCosts(const RoutingPolicy& policy, const Signals& signals, Explanation& explanation) {
  constexpr double kGigabyte = 1e9;
  PolicySettings settings = policy.settings();
  if (settings.arms.empty()) settings.arms = PlainArms(signals);
  const PolicyOutcome& outcome = explanation.outcome;
  const IntentDistribution* intent = outcome.intent ? &*outcome.intent : nullptr;
  explanation.answer_tokens =
      std::min(settings.utility.answer_tokens,
               signals.answer_tokens_max.value_or(settings.utility.answer_tokens));
  const bool by_utility = settings.kind == PolicyKind::kUtility;
  for (const ArmEstimate& estimate : EstimateArms(settings, signals, intent)) {
    const PolicyArm& arm = *estimate.arm;
    ArmCost cost;
    cost.role = arm.role;
    cost.strategy = arm.strategy;
    cost.weights = arm.weights;
    cost.chosen = arm.role == outcome.role && arm.strategy == outcome.strategy &&
                  arm.weights == outcome.weights;
    if (!arm.accuracy.empty()) cost.accuracy = estimate.accuracy;
    cost.seconds = IfPositive(estimate.seconds);
    cost.gigabytes = IfPositive(estimate.bytes / kGigabyte);
    if (by_utility) cost.utility = estimate.utility;
    explanation.costs.push_back(std::move(cost));
  }
}

}  // namespace

Explanation Explain(const RoutingPolicy& policy, const Signals& signals) {
  Explanation explanation;
  explanation.outcome = policy.Decide(signals);
  explanation.rules = CheckRules(policy, signals, explanation.outcome);
  explanation.turns = FindTurns(policy, signals, explanation.outcome.role);
  AddCosts(policy, signals, explanation);
  return explanation;
}

}  // namespace aio
