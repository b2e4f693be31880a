// The kinds of policy that do not look at what the probe says.
#include <fmt/format.h>

#include "router/arm_choice.h"

namespace aio {
namespace {

// The first arm of the role; without one its own weights, plainly.
ArmChoice ArmOf(const PolicySettings& settings, std::string_view role) {
  ArmChoice choice;
  choice.role = role;
  choice.rule = PolicyKindName(settings.kind);
  for (const PolicyArm& arm : settings.arms) {
    if (arm.role != role) continue;
    choice.strategy = arm.strategy;
    choice.weights = arm.weights;
    break;
  }
  return choice;
}

// SplitMix64's finaliser (Steele, Lea and Flood 2014): neighbouring numbers give unrelated ones.
uint64_t Mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

double Uniform(uint64_t bits) {
  constexpr int kMantissaBits = 53;
  return static_cast<double>(bits >> (64 - kMantissaBits)) /
         static_cast<double>(uint64_t{1} << kMantissaBits);
}

std::optional<double> AccuracyOf(const PolicyArm& arm, std::string_view label, int prompt_tokens) {
  const bool is_long = !arm.accuracy_long.empty() && prompt_tokens > arm.long_tokens;
  for (const auto& [name, percent] : is_long ? arm.accuracy_long : arm.accuracy) {
    if (name == label) return percent;
  }
  return std::nullopt;
}

}  // namespace

ArmChoice ChooseStatic(const PolicySettings& settings, std::string_view role) {
  ArmChoice choice = ArmOf(settings, role);
  choice.why = "always";
  return choice;
}

ArmChoice ChooseAtRandom(const PolicySettings& settings, const Signals& signals) {
  const RandomSettings& random = settings.random;
  const double drawn = Uniform(Mix(signals.request_hash ^ Mix(random.seed)));
  const bool is_small = drawn < random.p_small;
  ArmChoice choice = ArmOf(settings, is_small ? kSmallRole : kLargeRole);
  const auto [shown, bound] = DistinctNumbers(drawn, random.p_small);
  choice.why = fmt::format("drew {} {} {}", shown, is_small ? "<" : ">=", bound);
  return choice;
}

ArmChoice ChooseByTruth(const PolicySettings& settings, const Signals& signals) {
  const PolicyArm* best = nullptr;
  double best_accuracy = 0;
  for (const PolicyArm& arm : settings.arms) {
    const std::optional<double> accuracy =
        AccuracyOf(arm, signals.true_label, signals.prompt_tokens);
    if (!accuracy) continue;
    const bool better =
        best == nullptr || *accuracy > best_accuracy ||
        (*accuracy == best_accuracy && arm.tokens_per_second > best->tokens_per_second);
    if (!better) continue;
    best = &arm;
    best_accuracy = *accuracy;
  }
  if (best == nullptr) {
    ArmChoice choice = ArmOf(settings, kLargeRole);
    choice.why =
        signals.true_label.empty() ? "the true label is not known" : "no arm knows the true label";
    return choice;
  }
  return {.role = best->role,
          .strategy = best->strategy,
          .weights = best->weights,
          .rule = std::string(PolicyKindName(settings.kind)),
          .why = fmt::format("truly {}, {:.2f} % right", signals.true_label, best_accuracy),
          .confidence = 1};
}

ArmChoice ChooseToCascade(const PolicySettings& settings) {
  ArmChoice choice = ArmOf(settings, kSmallRole);
  choice.why = fmt::format("the first {} tokens will tell", settings.cascade.tokens);
  return choice;
}

}  // namespace aio
