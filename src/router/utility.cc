// Arms by what they are worth.
//
// What a step costs is measured: a step that computes one token of the role's model, live if
// known. Decoding is bound by memory, so the requests of one model share its steps at little
// cost; the two models take turns, each getting half of the bandwidth while both are busy.
// Requests that wait are served before this one, as many at a time as run now.
#include <fmt/format.h>

#include <algorithm>

#include "router/arm_choice.h"

namespace aio {
namespace {

double AccuracyFor(const PolicyArm& arm, std::string_view label, int prompt_tokens) {
  const bool is_long = !arm.accuracy_long.empty() && prompt_tokens > arm.long_tokens;
  for (const auto& [name, percent] : is_long ? arm.accuracy_long : arm.accuracy) {
    if (name == label) return percent;
  }
  return 0;
}

double ExpectedAccuracy(const PolicyArm& arm, const Signals& signals,
                        const IntentDistribution* intent) {
  double accuracy = 0;
  if (intent == nullptr) {
    for (const auto& [label, percent] : arm.accuracy) {
      accuracy += AccuracyFor(arm, label, signals.prompt_tokens);
    }
    return arm.accuracy.empty() ? 0 : accuracy / static_cast<double>(arm.accuracy.size());
  }
  for (size_t i = 0; i < intent->labels.size(); ++i) {
    accuracy +=
        intent->probabilities[i] * AccuracyFor(arm, intent->labels[i], signals.prompt_tokens);
  }
  return accuracy;
}

// Of one answer alone on the machine; 0: not known.
double TokensPerSecond(const PolicyArm& arm, const LoadSignals& load) {
  constexpr double kMsPerSecond = 1000;
  if (load.step_ms > 0) return arm.tokens_per_step * kMsPerSecond / load.step_ms;
  return arm.tokens_per_second;
}

double ExpectedSeconds(const PolicyArm& arm, const Signals& signals, double answer_tokens) {
  const bool is_small = arm.role == kSmallRole;
  const LoadSignals& own = (is_small ? signals.small : signals.large).load;
  const LoadSignals& other = (is_small ? signals.large : signals.small).load;
  double rate = TokensPerSecond(arm, own);
  if (rate <= 0) return 0;
  constexpr double kTakingTurns = 2;
  if (other.running > 0) rate /= kTakingTurns;
  double seconds = answer_tokens / rate;
  if (own.waiting > 0) {
    seconds += seconds * own.waiting / std::max(1, own.running);
  }
  // The probe has computed the prompt for the small model.
  const bool prompt_is_known = is_small && signals.intent.has_value();
  if (arm.prompt_tokens_per_second > 0 && !prompt_is_known) {
    seconds += signals.prompt_tokens / arm.prompt_tokens_per_second;
  }
  return seconds;
}

const ArmEstimate& Best(const std::vector<ArmEstimate>& estimates) {
  return *std::max_element(
      estimates.begin(), estimates.end(),
      [](const ArmEstimate& a, const ArmEstimate& b) { return a.utility < b.utility; });
}

std::string Describe(const ArmEstimate& estimate, const UtilitySettings& utility) {
  std::string text = fmt::format("{} {:.1f} %", estimate.arm->role, estimate.accuracy);
  if (utility.lambda > 0) text += fmt::format(" in {:.2f} s", estimate.seconds);
  constexpr double kGigabyte = 1e9;
  if (utility.lambda_per_gb > 0) text += fmt::format(" for {:.2f} GB", estimate.bytes / kGigabyte);
  return text;
}

// The best arm of another role than `best`; null if there is none.
const ArmEstimate* RunnerUp(const std::vector<ArmEstimate>& estimates, const ArmEstimate& best) {
  const ArmEstimate* found = nullptr;
  for (const ArmEstimate& estimate : estimates) {
    if (estimate.arm->role == best.arm->role) continue;
    if (found == nullptr || estimate.utility > found->utility) found = &estimate;
  }
  return found;
}

double ConfidenceIn(std::string_view role, const PolicySettings& settings, const Signals& signals,
                    const IntentDistribution* intent) {
  if (intent == nullptr) return 1;
  double confidence = 0;
  IntentDistribution certain = *intent;
  for (size_t i = 0; i < intent->labels.size(); ++i) {
    std::fill(certain.probabilities.begin(), certain.probabilities.end(), 0.0);
    certain.probabilities[i] = 1;
    if (Best(EstimateArms(settings, signals, &certain)).arm->role == role) {
      confidence += intent->probabilities[i];
    }
  }
  return confidence;
}

}  // namespace

std::vector<ArmEstimate> EstimateArms(const PolicySettings& settings, const Signals& signals,
                                      const IntentDistribution* intent) {
  constexpr double kGigabyte = 1e9;
  const UtilitySettings& utility = settings.utility;
  const double answer_tokens =
      std::min(utility.answer_tokens, signals.answer_tokens_max.value_or(utility.answer_tokens));
  std::vector<ArmEstimate> estimates;
  estimates.reserve(settings.arms.size());
  for (const PolicyArm& arm : settings.arms) {
    ArmEstimate estimate;
    estimate.arm = &arm;
    estimate.accuracy = ExpectedAccuracy(arm, signals, intent);
    estimate.seconds = ExpectedSeconds(arm, signals, answer_tokens);
    estimate.bytes = answer_tokens * arm.bytes_per_token;
    estimate.utility = estimate.accuracy - utility.lambda * estimate.seconds -
                       utility.lambda_per_gb * estimate.bytes / kGigabyte;
    estimates.push_back(estimate);
  }
  return estimates;
}

ArmChoice ChooseByUtility(const PolicySettings& settings, const Signals& signals,
                          const IntentDistribution* intent) {
  const std::vector<ArmEstimate> estimates = EstimateArms(settings, signals, intent);
  const ArmEstimate& best = Best(estimates);
  std::string why = Subject(signals, intent, settings.probe_prompt_tokens_max) + ", " +
                    Describe(best, settings.utility);
  if (const ArmEstimate* other = RunnerUp(estimates, best)) {
    const auto [worth, other_worth] = DistinctNumbers(best.utility, other->utility);
    why += fmt::format(" (worth {}) beats {} ({})", worth, Describe(*other, settings.utility),
                       other_worth);
  }
  return {.role = best.arm->role,
          .strategy = best.arm->strategy,
          .weights = best.arm->weights,
          .rule = std::string(PolicyKindName(settings.kind)),
          .why = std::move(why),
          .confidence = ConfidenceIn(best.arm->role, settings, signals, intent)};
}

}  // namespace aio
