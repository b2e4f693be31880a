#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "router/arm_choice.h"

namespace aio {
namespace {

enum class Match { kYes, kOtherIntent, kTooLong, kTooUncertain, kTwoIntents, kDoubtful };

double EntropyBound(const RoutingRule& rule, const Signals& signals) {
  return signals.entropy_threshold.value_or(*rule.entropy_max);
}

// What rules are matched against. `certain` is a label to take for certain.
struct Matched {
  const Signals& signals;
  const IntentDistribution* intent;  // null: not probed
  const std::string* certain;        // null: as `intent` says

  const std::string& top() const {
    return certain != nullptr ? *certain : intent->labels[intent->top()];
  }
  double entropy() const { return certain != nullptr ? 0 : intent->entropy; }
  double second() const { return certain != nullptr ? 0 : intent->second_probability(); }
};

Match MatchRule(const RoutingRule& rule, const Matched& matched) {
  const bool needs_intent = !rule.intents.empty() || rule.entropy_max || rule.second_max;
  if (needs_intent && matched.intent == nullptr) return Match::kOtherIntent;
  if (!rule.intents.empty() &&
      std::find(rule.intents.begin(), rule.intents.end(), matched.top()) == rule.intents.end()) {
    return Match::kOtherIntent;
  }
  if (rule.prompt_tokens_max && matched.signals.prompt_tokens > *rule.prompt_tokens_max) {
    return Match::kTooLong;
  }
  if (rule.entropy_max && !(matched.entropy() <= EntropyBound(rule, matched.signals))) {
    return Match::kTooUncertain;
  }
  if (rule.second_max && !(matched.second() <= *rule.second_max)) return Match::kTwoIntents;
  if (!rule.doubts_allowed && !matched.signals.doubts.empty()) return Match::kDoubtful;
  return Match::kYes;
}

const RoutingRule& FirstMatch(const std::vector<RoutingRule>& rules, const Matched& matched) {
  const auto fired = std::find_if(rules.begin(), rules.end(), [&](const RoutingRule& rule) {
    return MatchRule(rule, matched) == Match::kYes;
  });
  AIO_CHECK(fired != rules.end(), "the last rule of a policy matches anything");
  return *fired;
}

double ConfidenceIn(std::string_view role, const std::vector<RoutingRule>& rules,
                    const Matched& matched) {
  if (matched.intent == nullptr) return 1;
  double confidence = 0;
  for (size_t i = 0; i < matched.intent->labels.size(); ++i) {
    Matched certain = matched;
    certain.certain = &matched.intent->labels[i];
    if (FirstMatch(rules, certain).role == role) confidence += matched.intent->probabilities[i];
  }
  return confidence;
}

// --- giving the reason -----------------------------------------------------------------

std::string CompareTokens(const RoutingRule& rule, const Signals& signals) {
  const bool holds = signals.prompt_tokens <= *rule.prompt_tokens_max;
  return fmt::format("{} tokens {} {}", signals.prompt_tokens, holds ? "<=" : ">",
                     *rule.prompt_tokens_max);
}

std::string CompareEntropy(const RoutingRule& rule, const Matched& matched) {
  const double entropy = matched.intent->entropy;
  const double bound = EntropyBound(rule, matched.signals);
  const auto [shown, shown_bound] = DistinctNumbers(entropy, bound);
  return fmt::format("entropy {} {} {}{}", shown, entropy <= bound ? "<=" : ">",
                     matched.signals.entropy_threshold ? "the client's " : "", shown_bound);
}

std::string CompareSecond(const RoutingRule& rule, const Matched& matched) {
  const double second = matched.second();
  const auto [shown, shown_bound] = DistinctNumbers(second, *rule.second_max);
  return fmt::format("second label {} {} {}", shown, second <= *rule.second_max ? "<=" : ">",
                     shown_bound);
}

// "doubted: prose is math 1.00, and 2 more".
std::string Doubts(const Signals& signals) {
  const size_t more = signals.doubts.size() - 1;
  return fmt::format("doubted: {}{}", signals.doubts.front(),
                     more == 0 ? "" : fmt::format(", and {} more", more));
}

std::string Missed(const RoutingRule& rule, Match match, const Matched& matched) {
  if (match == Match::kDoubtful) return Doubts(matched.signals);
  if (match == Match::kTooLong) return CompareTokens(rule, matched.signals);
  return match == Match::kTwoIntents ? CompareSecond(rule, matched) : CompareEntropy(rule, matched);
}

// How the rule `fired` came to fire: what the first rule for the same intent missed by, and
// the bounds of its own that hold.
std::string Comparisons(const std::vector<RoutingRule>& rules, const RoutingRule& fired,
                        const Matched& matched) {
  std::string text;
  for (const RoutingRule& rule : rules) {
    if (&rule == &fired) break;
    const Match match = MatchRule(rule, matched);
    if (match == Match::kOtherIntent) continue;
    text += ", " + Missed(rule, match, matched);
    break;
  }
  if (fired.prompt_tokens_max) text += ", " + CompareTokens(fired, matched.signals);
  if (fired.entropy_max) text += ", " + CompareEntropy(fired, matched);
  if (fired.second_max) text += ", " + CompareSecond(fired, matched);
  return text;
}

}  // namespace

ArmChoice ChooseByRules(const PolicySettings& settings, const Signals& signals,
                        const IntentDistribution* intent) {
  const Matched matched{signals, intent, /*certain=*/nullptr};
  const RoutingRule& fired = FirstMatch(settings.rules, matched);
  return {.role = fired.role,
          .strategy = fired.strategy,
          .weights = fired.weights,
          .rule = fired.name,
          .why = Subject(signals, intent, settings.probe_prompt_tokens_max) +
                 Comparisons(settings.rules, fired, matched),
          .confidence = ConfidenceIn(fired.role, settings.rules, matched)};
}

}  // namespace aio
