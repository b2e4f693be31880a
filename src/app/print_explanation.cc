#include "app/print_explanation.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <vector>

namespace aio {
namespace {

constexpr int kHead = 9;  // characters before each paragraph's text

std::string Line(std::string_view head, const std::string& text) {
  return fmt::format("{:<{}}{}\n", head, kHead, text);
}

// --- what was seen ---------------------------------------------------------------------

std::string DescribeIntent(const IntentDistribution& intent) {
  std::string text;
  for (size_t i = 0; i < intent.labels.size(); ++i) {
    text +=
        fmt::format("{}{} {:.3f}", i == 0 ? "" : ", ", intent.labels[i], intent.probabilities[i]);
  }
  return text;
}

std::string DescribeLoad(std::string_view role, const LoadSignals& load) {
  std::string text =
      load.running + load.waiting == 0
          ? fmt::format("{} idle", role)
          : fmt::format("{} {} running, {} waiting", role, load.running, load.waiting);
  if (load.step_ms > 0) text += fmt::format(", {:.2f} ms a step", load.step_ms);
  return text;
}

std::string Seen(const Decision& decision, const Explanation& explanation,
                 const RoutingPolicy& policy, const Signals& signals) {
  std::string text = Line("seen", fmt::format("{} tokens", signals.prompt_tokens));
  if (const auto& intent = explanation.outcome.intent) {
    const bool calibrated = policy.settings().calibration.has_value();
    text += Line("", fmt::format("{}{}; probe {:.2f} ms", DescribeIntent(*intent),
                                 calibrated ? " (calibrated)" : " (as the probe scores them)",
                                 decision.probe_ms));
    text +=
        Line("", fmt::format("entropy {:.4f} of at most {:.4f} nats, second label {:.3f}",
                             intent->entropy, std::log(static_cast<double>(intent->labels.size())),
                             intent->second_probability()));
  } else {
    text += Line("", policy.wants_probe() ? "not probed" : "not probed: this policy does not ask");
  }
  text += Line("", DescribeLoad("small", signals.small.load) + "; " +
                       DescribeLoad("large", signals.large.load));
  if (!signals.session.role.empty()) {
    text += Line("", fmt::format("a conversation that the {} model answered for {} turns",
                                 signals.session.role, signals.session.turns));
  }
  if (signals.drift.drifted) text += Line("", "drift: " + signals.drift.what);
  return text;
}

// --- rules -----------------------------------------------------------------------------

std::string DescribeMargin(const ConditionCheck& condition) {
  if (!condition.margin) return "";
  const double off = std::abs(*condition.margin);
  const std::string amount =
      condition.what == "prompt_tokens" ? fmt::format("{:.0f}", off) : fmt::format("{:.4f}", off);
  return fmt::format(" ({} {})", amount, condition.holds ? "to spare" : "too much");
}

std::string Rules(const Explanation& explanation) {
  std::string text;
  bool earlier = true;
  for (const RuleCheck& rule : explanation.rules) {
    std::vector<std::string> conditions;
    for (const ConditionCheck& condition : rule.conditions) {
      conditions.push_back(fmt::format("{} {}{}", condition.holds ? "+" : "-", condition.text,
                                       DescribeMargin(condition)));
    }
    const std::string state = rule.fired ? "fired" : earlier ? "missed" : "not asked";
    text += Line(text.empty() ? "rules" : "",
                 fmt::format("{:<14} {:<9} -> {:<5}  {}", rule.rule, state, rule.role,
                             conditions.empty() ? "+ anything"
                                                : fmt::format("{}", fmt::join(conditions, "; "))));
    if (rule.fired) earlier = false;
  }
  return text;
}

// --- how far ---------------------------------------------------------------------------

std::string DescribeTurn(const Turn& turn) {
  const std::string_view way = turn.change > 0 ? "more" : "less";
  const std::string change =
      turn.what == "prompt_tokens"
          ? fmt::format("with {:.0f} tokens {}", std::abs(turn.change), way)
          : fmt::format("with {:.2f} nats {} for {}", std::abs(turn.change), way, turn.what);
  return fmt::format("{}: {}", change, turn.reason);
}

std::string HowFar(const Explanation& explanation) {
  if (explanation.turns.empty()) {
    return Line("far", "no other score and no other length would have changed the model");
  }
  std::string text;
  for (const Turn& turn : explanation.turns) {
    text += Line(text.empty() ? "far" : "", DescribeTurn(turn));
  }
  return text;
}

// --- costs -----------------------------------------------------------------------------

std::string Costs(const Explanation& explanation) {
  std::string text;
  for (const ArmCost& cost : explanation.costs) {
    std::vector<std::string> parts;
    if (cost.accuracy) parts.push_back(fmt::format("{:.1f} % right", *cost.accuracy));
    if (cost.seconds) parts.push_back(fmt::format("{:.2f} s", *cost.seconds));
    if (cost.gigabytes) parts.push_back(fmt::format("{:.3g} GB read", *cost.gigabytes));
    if (cost.utility) parts.push_back(fmt::format("worth {:.2f}", *cost.utility));
    const std::string arm = fmt::format("{} {}{}", cost.role, StrategyName(cost.strategy.kind),
                                        cost.weights.empty() ? "" : " " + cost.weights);
    text +=
        Line(text.empty() ? "cost" : "",
             fmt::format("{} {:<22} {}", cost.chosen ? "*" : " ", arm,
                         parts.empty() ? "not known" : fmt::format("{}", fmt::join(parts, ", "))));
  }
  return text + Line("", fmt::format("expected for {} tokens of answer; * is what was chosen",
                                     explanation.answer_tokens));
}

std::string Evidence(const RoutingPolicy& policy) {
  const std::optional<PolicyEvidence>& evidence = policy.settings().evidence;
  if (!evidence) return "";
  std::vector<std::string> parts;
  if (!evidence->date.empty()) parts.push_back("calibrated " + evidence->date);
  if (evidence->accuracy) {
    parts.push_back(fmt::format("{:.1f} % of intents right", *evidence->accuracy * 100));
  }
  if (evidence->ece) parts.push_back(fmt::format("calibration error {:.3f}", *evidence->ece));
  if (evidence->loss_upper_bound && evidence->loss_confidence) {
    parts.push_back(fmt::format("at most {:.2f} points lost ({:.0f} % sure)",
                                *evidence->loss_upper_bound, *evidence->loss_confidence * 100));
  }
  for (const PolicyEvidence::Data& data : evidence->data) {
    parts.push_back(fmt::format("{} of {} rows of {}", data.used, data.rows, data.name));
  }
  return Line("trust", fmt::format("{}", fmt::join(parts, ", ")));
}

OrderedJson OrNull(const std::optional<double>& value) {
  return value ? OrderedJson(*value) : OrderedJson();
}

}  // namespace

std::string ExplanationText(const Decision& decision, const RoutingPolicy& policy,
                            const Signals& signals) {
  const Explanation explanation = Explain(policy, signals);
  return Line("to", fmt::format("{} ({}), {}{}", decision.model, decision.role,
                                StrategyName(decision.strategy.kind),
                                decision.weights.empty() ? "" : " on " + decision.weights)) +
         Line("why", fmt::format("{}", decision.reason)) +
         Line("policy", fmt::format("{} ({}), {:.2f} sure of the {} model", policy.name(),
                                    PolicyKindName(policy.settings().kind),
                                    explanation.outcome.confidence, explanation.outcome.role)) +
         Evidence(policy) + Seen(decision, explanation, policy, signals) + Rules(explanation) +
         HowFar(explanation) + Costs(explanation);
}

OrderedJson ExplanationJson(const Explanation& explanation, const RoutingPolicy& policy) {
  OrderedJson out = {{"policy", policy.name()},
                     {"policy_hash", policy.hash()},
                     {"kind", PolicyKindName(policy.settings().kind)},
                     {"confidence", explanation.outcome.confidence},
                     {"rules", OrderedJson::array()},
                     {"turns", OrderedJson::array()},
                     {"answer_tokens", explanation.answer_tokens},
                     {"costs", OrderedJson::array()}};
  for (const RuleCheck& rule : explanation.rules) {
    OrderedJson conditions = OrderedJson::array();
    for (const ConditionCheck& condition : rule.conditions) {
      conditions.push_back({{"what", condition.what},
                            {"text", condition.text},
                            {"holds", condition.holds},
                            {"margin", OrNull(condition.margin)}});
    }
    out["rules"].push_back({{"name", rule.rule},
                            {"role", rule.role},
                            {"fired", rule.fired},
                            {"conditions", std::move(conditions)}});
  }
  for (const Turn& turn : explanation.turns) {
    out["turns"].push_back({{"what", turn.what},
                            {"change", turn.change},
                            {"role", turn.role},
                            {"reason", turn.reason}});
  }
  for (const ArmCost& cost : explanation.costs) {
    out["costs"].push_back({{"role", cost.role},
                            {"strategy", StrategyName(cost.strategy.kind)},
                            {"weights", cost.weights},
                            {"chosen", cost.chosen},
                            {"accuracy", OrNull(cost.accuracy)},
                            {"seconds", OrNull(cost.seconds)},
                            {"gigabytes", OrNull(cost.gigabytes)},
                            {"utility", OrNull(cost.utility)}});
  }
  return out;
}

}  // namespace aio
