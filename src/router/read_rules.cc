#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/toml_table.h"
#include "router/read_policy.h"
#include "router/signals.h"

namespace aio {
namespace {

constexpr int kTokensMax = std::numeric_limits<int>::max();
constexpr std::string_view kOverrideRule = "override";

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
  rule.second_max = table.Number("second_max", 0, 0.5);
  ArmName arm = ReadArmName(table);
  rule.role = std::move(arm.role);
  rule.strategy = arm.strategy;
  rule.weights = std::move(arm.weights);
  // Who looks twice does so for the small model's rules; but one without any condition is meant.
  const bool unconditional =
      rule.intents.empty() && !rule.prompt_tokens_max && !rule.entropy_max && !rule.second_max;
  rule.doubts_allowed =
      table.Bool("doubts_allowed").value_or(rule.role != kSmallRole || unconditional);
  return rule;
}

bool MatchesAnything(const RoutingRule& rule) {
  return rule.intents.empty() && !rule.prompt_tokens_max && !rule.entropy_max && !rule.second_max &&
         rule.doubts_allowed;
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
         no_stricter(earlier.entropy_max, later.entropy_max) &&
         no_stricter(earlier.second_max, later.second_max) &&
         (earlier.doubts_allowed || !later.doubts_allowed);
}

}  // namespace

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
                     "prompt_tokens_max, entropy_max and second_max");
    }
    rules.push_back(std::move(rule));
  }
  if (rules.empty()) root.Fail("rule", "a policy needs at least one [[rule]]");
  return rules;
}

}  // namespace aio
