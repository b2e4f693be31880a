#include "router/routing_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/sha256.h"
#include "base/toml_table.h"
#include "router/arm_choice.h"
#include "router/paper_policy.h"

namespace aio {
namespace {

const RoleSignals& Of(const Signals& signals, std::string_view role) {
  return role == kSmallRole ? signals.small : signals.large;
}

std::string_view OtherRole(std::string_view role) {
  return role == kSmallRole ? kLargeRole : kSmallRole;
}

ArmChoice Choose(const PolicySettings& settings, const Signals& signals,
                 const IntentDistribution* intent) {
  switch (settings.kind) {
    case PolicyKind::kRules:
      break;
    case PolicyKind::kUtility:
      return ChooseByUtility(settings, signals, intent);
    case PolicyKind::kStaticSmall:
      return ChooseStatic(settings, kSmallRole);
    case PolicyKind::kStaticLarge:
      return ChooseStatic(settings, kLargeRole);
    case PolicyKind::kRandom:
      return ChooseAtRandom(settings, signals);
    case PolicyKind::kOracle:
      return ChooseByTruth(settings, signals);
    case PolicyKind::kCascade:
      return ChooseToCascade(settings, signals);
  }
  return ChooseByRules(settings, signals, intent);
}

// --- what the choice gives way to ------------------------------------------------------

// Each returns a word for the reason if it changed the role.

std::string_view FollowDrift(const PolicySettings& settings, const Signals& signals,
                             ArmChoice& choice) {
  const bool falls_back = settings.drift && settings.drift->fall_back && signals.drift.drifted;
  if (!falls_back || choice.role == kLargeRole) return "";
  choice.why += fmt::format(", but drift ({})", signals.drift.what);
  choice.role = kLargeRole;
  return ", drift";
}

// Rules say for themselves what they allow.
std::string_view FollowDoubts(const PolicySettings& settings, const Signals& signals,
                              ArmChoice& choice) {
  const bool looks = settings.kind == PolicyKind::kUtility;
  if (!looks || signals.doubts.empty() || choice.role == kLargeRole) return "";
  choice.why += fmt::format(", but doubted ({})", signals.doubts.front());
  choice.role = kLargeRole;
  return ", doubted";
}

std::string_view FollowSession(const PolicySettings& settings, const Signals& signals,
                               ArmChoice& choice) {
  const SessionSignals& session = signals.session;
  if (session.role.empty() || session.role == choice.role) return "";
  const double needed = settings.session.value_or(SessionSettings{}).change_confidence;
  const auto [shown, bound] = DistinctNumbers(choice.confidence, needed);
  if (choice.confidence >= needed) {
    choice.why += fmt::format(", session moves ({} sure >= {})", shown, bound);
    return "";
  }
  choice.why += fmt::format(", session stays ({} sure of {} < {})", shown, choice.role, bound);
  choice.role = session.role;
  choice.weights = session.weights;
  return ", session";
}

// --- giving the reason -----------------------------------------------------------------

std::string ContextTooShort(std::string_view role, const ContextNeed& need) {
  return fmt::format("{} + {} tokens > {} context {}", need.prompt_tokens, need.answer_tokens, role,
                     need.context_length);
}

constexpr std::string_view kAsAsked = " as the client asked";

// ..., unless the small model answers, which is the one that drafts.
std::string WithStrategy(const PolicyOutcome& outcome, const Strategy& wanted, bool clients) {
  const std::string_view name = StrategyName(outcome.strategy.kind);
  if (outcome.strategy.kind != wanted.kind) {
    return fmt::format(" with {} ({} is for the large model)", name, StrategyName(wanted.kind));
  }
  if (!clients && outcome.strategy.kind == StrategyKind::kPlain) return "";
  return fmt::format(" with {}{}", name, clients ? kAsAsked : "");
}

std::string OnWeights(const PolicyOutcome& outcome, const std::string& wanted, bool clients) {
  if (outcome.weights != wanted) return fmt::format(" on its own weights (it has no {})", wanted);
  if (!wanted.empty()) return fmt::format(" on {}{}", wanted, clients ? kAsAsked : "");
  return clients ? fmt::format(" on its own weights{}", kAsAsked) : "";
}

// Every part is bounded, but all at their longest would be too much for a header.
std::string Clip(std::string text) {
  constexpr size_t kReasonBytesMax = 199;
  if (text.size() > kReasonBytesMax) text.replace(kReasonBytesMax - 3, std::string::npos, "...");
  return text;
}

}  // namespace

std::pair<std::string, std::string> DistinctNumbers(double a, double b) {
  constexpr int kDecimalsMax = 17;
  constexpr double kDecimalsUpTo = 1000;  // a client's threshold may be any number
  if (b >= kDecimalsUpTo) return {fmt::format("{:.2f}", a), fmt::format("{:.4g}", b)};
  std::string first, second;
  for (int decimals = 2; decimals <= kDecimalsMax; ++decimals) {
    first = fmt::format("{:.{}f}", a, decimals);
    second = fmt::format("{:.{}f}", b, decimals);
    if (first != second || a == b) break;
  }
  return {first, second};
}

std::string Subject(const Signals& signals, const IntentDistribution* intent,
                    int probe_prompt_tokens_max) {
  if (intent != nullptr) return intent->labels[intent->top()];
  if (!signals.probe_fault.empty()) return fmt::format("probe failed ({})", signals.probe_fault);
  if (signals.prompt_tokens > probe_prompt_tokens_max) {
    return fmt::format("not probed, {} tokens > {}", signals.prompt_tokens,
                       probe_prompt_tokens_max);
  }
  return "not probed, too long with the probe's template";
}

// --- RoutingPolicy ---------------------------------------------------------------------

Result<RoutingPolicy> RoutingPolicy::FromToml(std::string_view text, const std::string& source) {
  RoutingPolicy policy;
  AIO_ASSIGN_OR_RETURN(policy.settings_, ReadPolicySettings(text, source));
  policy.text_ = text;
  policy.hash_ = Sha256Hex(text);
  return policy;
}

Result<RoutingPolicy> RoutingPolicy::FromFile(const std::string& path) {
  AIO_ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(path));
  return FromToml(text, path);
}

RoutingPolicy RoutingPolicy::Paper() {
  return FromToml(PaperPolicyToml(), "policy/paper.toml").value();
}

bool RoutingPolicy::wants_probe() const {
  return settings_.kind == PolicyKind::kRules || settings_.kind == PolicyKind::kUtility;
}

Status RoutingPolicy::CheckLabels(const std::vector<std::string>& labels) const {
  const auto check = [&](std::string_view where, const std::string& label) {
    if (std::find(labels.begin(), labels.end(), label) != labels.end()) return Status::Ok();
    return InvalidArgument(fmt::format("policy '{}', {}: no label '{}' in the probe; it has: {}",
                                       name(), where, label, fmt::join(labels, ", ")));
  };
  for (const RoutingRule& rule : rules()) {
    for (const std::string& intent : rule.intents) {
      AIO_RETURN_IF_ERROR(check(fmt::format("rule '{}'", rule.name), intent));
    }
  }
  for (const PolicyArm& arm : settings_.arms) {
    for (const auto& [label, percent] : arm.accuracy) AIO_RETURN_IF_ERROR(check("arm", label));
  }
  if (settings_.kind == PolicyKind::kUtility) {
    for (const std::string& label : labels) {
      if (settings_.arms[0].AccuracyOf(label, 0)) continue;
      return InvalidArgument(
          fmt::format("policy '{}': no arm says its accuracy for '{}', a label "
                      "of the probe",
                      name(), label));
    }
  }
  if (!settings_.calibration) return Status::Ok();
  for (const std::string& label : settings_.calibration->labels) {
    AIO_RETURN_IF_ERROR(check("calibration", label));
  }
  if (settings_.calibration->labels.size() == labels.size()) return Status::Ok();
  return InvalidArgument(fmt::format("policy '{}', calibration: has {} labels, the probe {}: {}",
                                     name(), settings_.calibration->labels.size(), labels.size(),
                                     fmt::join(labels, ", ")));
}

// A calibration that cannot be applied (of other labels: CheckLabels() says so) leaves the
// distribution as it is.
std::optional<IntentDistribution> RoutingPolicy::Calibrated(const Signals& signals) const {
  if (!signals.intent || !settings_.calibration || signals.label_logits.empty()) {
    return signals.intent;
  }
  Result<IntentDistribution> calibrated = IntentDistribution::FromLogits(
      signals.intent->labels, signals.label_logits, *settings_.calibration);
  if (!calibrated.ok()) return signals.intent;
  return *std::move(calibrated);
}

PolicyOutcome RoutingPolicy::Decide(const Signals& signals) const {
  PolicyOutcome outcome;
  outcome.intent = Calibrated(signals);
  ArmChoice choice = Choose(settings_, signals, outcome.intent ? &*outcome.intent : nullptr);
  outcome.rule = choice.rule;
  outcome.confidence = choice.confidence;
  std::string_view changed = FollowDrift(settings_, signals, choice);
  if (changed.empty()) changed = FollowDoubts(settings_, signals, choice);
  if (changed.empty()) changed = FollowSession(settings_, signals, choice);

  outcome.role = signals.probe_fault.empty() ? choice.role : std::string(kLargeRole);
  const std::string first_choice = outcome.role;
  if (!Of(signals, outcome.role).context.fits() &&
      Of(signals, OtherRole(outcome.role)).context.fits()) {
    outcome.role = OtherRole(outcome.role);
    choice.why = ContextTooShort(first_choice, Of(signals, first_choice).context);
    changed = ", context fit";
  }

  const Strategy& strategy = signals.strategy ? *signals.strategy : choice.strategy;
  const bool drafts = strategy.kind == StrategyKind::kDraftModel;
  outcome.strategy = drafts && outcome.role == kSmallRole ? Strategy{} : strategy;
  const std::string& weights = signals.weights ? *signals.weights : choice.weights;
  if (Of(signals, outcome.role).HasWeights(weights)) outcome.weights = weights;
  if (settings_.kind == PolicyKind::kCascade && outcome.role == kSmallRole &&
      !signals.first_tokens && signals.large.context.fits()) {
    outcome.cascade = settings_.cascade;
  }

  outcome.reason = Clip(
      fmt::format("{}: {} model answers{}{} (rule {}{})", choice.why, outcome.role,
                  WithStrategy(outcome, strategy, signals.strategy.has_value()),
                  OnWeights(outcome, weights, signals.weights.has_value()), choice.rule, changed));
  return outcome;
}

}  // namespace aio
