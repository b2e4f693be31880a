#include "router/routing_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <utility>

#include "base/check.h"
#include "base/sha256.h"
#include "base/toml_table.h"
#include "router/paper_policy.h"

namespace aio {
namespace {

constexpr int kTokensMax = std::numeric_limits<int>::max();
constexpr double kEntropyMax = 100;  // beyond ln of any number of labels
constexpr std::string_view kOverrideRule = "override";

// --- deciding --------------------------------------------------------------------------

enum class Match { kYes, kOtherIntent, kTooLong, kTooUncertain };

double EntropyBound(const RoutingRule& rule, const Signals& signals) {
  return signals.entropy_threshold.value_or(*rule.entropy_max);
}

Match MatchRule(const RoutingRule& rule, const Signals& signals) {
  const bool needs_intent = !rule.intents.empty() || rule.entropy_max.has_value();
  if (needs_intent && !signals.intent) return Match::kOtherIntent;
  if (!rule.intents.empty()) {
    const std::string& top = signals.intent->labels[signals.intent->top()];
    if (std::find(rule.intents.begin(), rule.intents.end(), top) == rule.intents.end()) {
      return Match::kOtherIntent;
    }
  }
  if (rule.prompt_tokens_max && signals.prompt_tokens > *rule.prompt_tokens_max) {
    return Match::kTooLong;
  }
  if (rule.entropy_max && !(signals.intent->entropy <= EntropyBound(rule, signals))) {
    return Match::kTooUncertain;
  }
  return Match::kYes;
}

const RoleSignals& Of(const Signals& signals, std::string_view role) {
  return role == kSmallRole ? signals.small : signals.large;
}

// --- giving the reason -----------------------------------------------------------------

// Two numbers with as few decimals as tell them apart: "0.03" and "0.45", but "0.4502" and
// "0.4500".
std::pair<std::string, std::string> Distinct(double a, double b) {
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

std::string CompareTokens(const RoutingRule& rule, const Signals& signals) {
  const bool holds = signals.prompt_tokens <= *rule.prompt_tokens_max;
  return fmt::format("{} tokens {} {}", signals.prompt_tokens, holds ? "<=" : ">",
                     *rule.prompt_tokens_max);
}

std::string CompareEntropy(const RoutingRule& rule, const Signals& signals) {
  const double entropy = signals.intent->entropy;
  const double bound = EntropyBound(rule, signals);
  const auto [shown, shown_bound] = Distinct(entropy, bound);
  return fmt::format("entropy {} {} {}{}", shown, entropy <= bound ? "<=" : ">",
                     signals.entropy_threshold ? "the client's " : "", shown_bound);
}

std::string Subject(const Signals& signals, int probe_prompt_tokens_max) {
  if (signals.intent) return signals.intent->labels[signals.intent->top()];
  if (!signals.probe_fault.empty()) return fmt::format("probe failed ({})", signals.probe_fault);
  if (signals.prompt_tokens > probe_prompt_tokens_max) {
    return fmt::format("not probed, {} tokens > {}", signals.prompt_tokens,
                       probe_prompt_tokens_max);
  }
  return "not probed, too long with the probe's template";
}

// How the rule `fired` came to fire: what the first rule for the same intent missed by, and
// the bounds of its own that hold.
std::string Comparisons(const std::vector<RoutingRule>& rules, const RoutingRule& fired,
                        const Signals& signals) {
  std::string text;
  for (const RoutingRule& rule : rules) {
    if (&rule == &fired) break;
    const Match match = MatchRule(rule, signals);
    if (match == Match::kOtherIntent) continue;
    text += ", ";
    text += match == Match::kTooLong ? CompareTokens(rule, signals) : CompareEntropy(rule, signals);
    break;
  }
  if (fired.prompt_tokens_max) text += ", " + CompareTokens(fired, signals);
  if (fired.entropy_max) text += ", " + CompareEntropy(fired, signals);
  return text;
}

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

// --- reading ---------------------------------------------------------------------------

void RefuseKeys(TomlTable& table, std::initializer_list<std::string_view> keys,
                std::string_view fault) {
  for (const std::string_view key : keys) {
    if (table.Has(key)) table.Fail(key, fault);
  }
}

void ReadStrategyParameters(TomlTable& table, Strategy& strategy) {
  strategy.prompt_lookup_max =
      table.Int("prompt_lookup_max", 1, kPromptLookupMax).value_or(strategy.prompt_lookup_max);
  strategy.prompt_lookup_min =
      table.Int("prompt_lookup_min", 1, kPromptLookupMax).value_or(strategy.prompt_lookup_min);
  strategy.num_speculative_tokens = table.Int("num_speculative_tokens", 1, kSpeculativeTokensMax)
                                        .value_or(strategy.num_speculative_tokens);
  if (strategy.prompt_lookup_min > strategy.prompt_lookup_max) {
    table.Fail("prompt_lookup_min",
               fmt::format("{} is more than prompt_lookup_max, {}", strategy.prompt_lookup_min,
                           strategy.prompt_lookup_max));
  }
  const bool looks_up =
      strategy.kind == StrategyKind::kPromptLookup || strategy.kind == StrategyKind::kAuto;
  if (!looks_up) {
    RefuseKeys(table, {"prompt_lookup_max", "prompt_lookup_min"},
               "belongs to the strategies prompt_lookup and auto; remove it");
  }
  if (strategy.kind == StrategyKind::kPlain) {
    RefuseKeys(table, {"num_speculative_tokens"},
               "belongs to the strategies prompt_lookup, draft_model and auto; remove it");
  }
}

// After the role.
void ReadStrategy(TomlTable& table, RoutingRule& rule) {
  table.Require("strategy");
  const std::string name = table.String("strategy").value_or("plain");
  const std::optional<Strategy> named = StrategyFromName(name);
  if (!named) {
    table.Fail("strategy", fmt::format("no strategy '{}'; there are {}", name, StrategyNames()));
    return;
  }
  rule.strategy = *named;
  ReadStrategyParameters(table, rule.strategy);
  if (rule.role == kSmallRole && rule.strategy.kind == StrategyKind::kDraftModel) {
    table.Fail("strategy",
               "the small model is the one that drafts; give draft_model to rules with role = "
               "\"large\"");
  }
}

std::string ReadWeights(TomlTable& table) {
  const std::optional<std::string> weights = table.String("weights");
  if (weights && *weights != kW8A16) {
    table.Fail("weights", fmt::format("no weights '{}'; there is '{}', and without the key the "
                                      "role's own",
                                      *weights, kW8A16));
  }
  return weights.value_or("");
}

void ReadIntents(TomlTable& table, std::vector<std::string>& intents) {
  intents = table.Strings("intents").value_or(std::vector<std::string>{});
  if (table.Has("intents") && intents.empty()) {
    table.Fail("intents", "names no label; remove the key to match any intent");
  }
  for (size_t i = 0; i < intents.size(); ++i) {
    if (!IsPlainName(intents[i])) {
      table.Fail("intents", "a label's name is 1 to 32 of letters, digits, '.', '_' and '-'");
    }
    if (std::find(intents.begin(), intents.begin() + static_cast<ptrdiff_t>(i), intents[i]) !=
        intents.begin() + static_cast<ptrdiff_t>(i)) {
      table.Fail("intents", fmt::format("names '{}' twice", intents[i]));
    }
  }
}

RoutingRule ReadRule(TomlTable& table) {
  RoutingRule rule;
  table.Require("name");
  rule.name = table.String("name").value_or("");
  if (!IsPlainName(rule.name)) {
    table.Fail("name", "a rule's name is 1 to 32 of letters, digits, '.', '_' and '-'");
  }
  if (rule.name == kOverrideRule) {
    table.Fail("name", "'override' stands for requests that bypass the policy; choose another");
  }
  ReadIntents(table, rule.intents);
  rule.prompt_tokens_max = table.Int("prompt_tokens_max", 1, kTokensMax);
  rule.entropy_max = table.Number("entropy_max", 0, kEntropyMax);
  table.Require("role");
  rule.role = table.String("role").value_or("");
  if (rule.role != kSmallRole && rule.role != kLargeRole) {
    table.Fail("role", fmt::format("no role '{}'; there are 'small' and 'large'", rule.role));
  }
  ReadStrategy(table, rule);
  rule.weights = ReadWeights(table);
  return rule;
}

bool MatchesAnything(const RoutingRule& rule) {
  return rule.intents.empty() && !rule.prompt_tokens_max && !rule.entropy_max;
}

// Whether `earlier` holds wherever `later` does: no condition of it is stricter. (A client's
// entropy threshold stands in for both bounds alike.)
bool Covers(const RoutingRule& earlier, const RoutingRule& later) {
  const auto no_stricter = [](const auto& bound, const auto& later_bound) {
    return !bound || (later_bound && *bound >= *later_bound);
  };
  const auto names = [&](const std::string& intent) {
    return std::find(earlier.intents.begin(), earlier.intents.end(), intent) !=
           earlier.intents.end();
  };
  const bool intents =
      earlier.intents.empty() ||
      (!later.intents.empty() && std::all_of(later.intents.begin(), later.intents.end(), names));
  return intents && no_stricter(earlier.prompt_tokens_max, later.prompt_tokens_max) &&
         no_stricter(earlier.entropy_max, later.entropy_max);
}

std::vector<RoutingRule> ReadRules(TomlTable& root) {
  std::vector<RoutingRule> rules;
  std::vector<TomlTable> tables = root.Tables("rule");
  for (size_t i = 0; i < tables.size(); ++i) {
    RoutingRule rule = ReadRule(tables[i]);
    const bool known = std::any_of(rules.begin(), rules.end(), [&](const RoutingRule& earlier) {
      return earlier.name == rule.name;
    });
    if (known) tables[i].Fail("name", fmt::format("a second rule called '{}'", rule.name));
    const auto covering = std::find_if(rules.begin(), rules.end(), [&](const RoutingRule& earlier) {
      return Covers(earlier, rule);
    });
    if (covering != rules.end()) {
      tables[i].Fail("name", fmt::format("'{}' can never be reached: '{}' before it is no stricter "
                                         "in any condition",
                                         rule.name, covering->name));
    }
    const bool last = i + 1 == tables.size();
    if (last && !MatchesAnything(rule)) {
      tables[i].Fail("name",
                     "the last rule must match anything: add one without intents, "
                     "prompt_tokens_max and entropy_max");
    }
    rules.push_back(std::move(rule));
  }
  if (rules.empty()) root.Fail("rule", "a policy needs at least one [[rule]]");
  return rules;
}

bool IsTitle(std::string_view text) {
  return !text.empty() && text.size() <= 64 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

bool IsPlainName(std::string_view name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= 32 && std::all_of(name.begin(), name.end(), plain);
}

bool RoleSignals::HasWeights(std::string_view weights) const {
  return weights.empty() || std::find(variants.begin(), variants.end(), weights) != variants.end();
}

size_t IntentDistribution::top() const {
  AIO_CHECK(!labels.empty() && labels.size() == probabilities.size());
  return static_cast<size_t>(std::max_element(probabilities.begin(), probabilities.end()) -
                             probabilities.begin());
}

Result<IntentDistribution> IntentDistribution::FromLogits(std::vector<std::string> labels,
                                                          const std::vector<float>& logits) {
  if (labels.empty() || logits.size() != labels.size()) {
    return Internal(fmt::format("{} scores for {} labels", logits.size(), labels.size()));
  }
  for (size_t i = 0; i < logits.size(); ++i) {
    if (!std::isfinite(logits[i])) {
      return Internal(fmt::format("score of label '{}' is {}", labels[i], logits[i]));
    }
  }
  const double max = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (float logit : logits) sum += std::exp(logit - max);

  IntentDistribution intent;
  intent.labels = std::move(labels);
  // H = -sum p ln p with ln p = logit - max - ln sum: no logarithm of a p that underflowed.
  for (float logit : logits) {
    const double log_probability = logit - max - std::log(sum);
    const double probability = std::exp(log_probability);
    intent.probabilities.push_back(probability);
    intent.entropy -= probability * log_probability;
  }
  intent.entropy = std::max(0.0, intent.entropy);
  return intent;
}

Result<RoutingPolicy> RoutingPolicy::FromToml(std::string_view text, const std::string& source) {
  AIO_ASSIGN_OR_RETURN(TomlTable root, TomlTable::Parse(text, source));
  RoutingPolicy policy;
  policy.text_ = text;
  policy.hash_ = Sha256Hex(text);
  root.Require("version");
  root.Int("version", 1, 1);
  root.Require("name");
  policy.name_ = root.String("name").value_or("");
  if (!IsTitle(policy.name_)) root.Fail("name", "must be 1 to 64 printable ASCII characters");
  root.Require("probe_prompt_tokens_max");
  policy.probe_prompt_tokens_max_ =
      root.Int("probe_prompt_tokens_max", 0, kTokensMax).value_or(policy.probe_prompt_tokens_max_);
  policy.rules_ = ReadRules(root);
  AIO_RETURN_IF_ERROR(root.Finish());
  return policy;
}

Result<RoutingPolicy> RoutingPolicy::FromFile(const std::string& path) {
  AIO_ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(path));
  return FromToml(text, path);
}

RoutingPolicy RoutingPolicy::Paper() {
  return FromToml(PaperPolicyToml(), "policy/paper.toml").value();
}

PolicyOutcome RoutingPolicy::Decide(const Signals& signals) const {
  const auto fired = std::find_if(rules_.begin(), rules_.end(), [&](const RoutingRule& rule) {
    return MatchRule(rule, signals) == Match::kYes;
  });
  AIO_CHECK(fired != rules_.end(), "the last rule of a policy matches anything");
  PolicyOutcome outcome;
  outcome.rule = fired->name;
  outcome.role = signals.probe_fault.empty() ? fired->role : std::string(kLargeRole);
  const std::string first_choice = outcome.role;
  if (!Of(signals, outcome.role).context.fits()) {
    const std::string_view other = outcome.role == kSmallRole ? kLargeRole : kSmallRole;
    if (Of(signals, other).context.fits()) outcome.role = other;
  }
  const bool moved = outcome.role != first_choice;

  const Strategy& strategy = signals.strategy ? *signals.strategy : fired->strategy;
  const bool drafts = strategy.kind == StrategyKind::kDraftModel;
  outcome.strategy = drafts && outcome.role == kSmallRole ? Strategy{} : strategy;
  const std::string& weights = signals.weights ? *signals.weights : fired->weights;
  if (Of(signals, outcome.role).HasWeights(weights)) outcome.weights = weights;

  outcome.reason = Clip(fmt::format(
      "{}: {} model answers{}{} (rule {}{})",
      moved ? ContextTooShort(first_choice, Of(signals, first_choice).context)
            : Subject(signals, probe_prompt_tokens_max_) + Comparisons(rules_, *fired, signals),
      outcome.role, WithStrategy(outcome, strategy, signals.strategy.has_value()),
      OnWeights(outcome, weights, signals.weights.has_value()), fired->name,
      moved ? ", context fit" : ""));
  return outcome;
}

}  // namespace aio
