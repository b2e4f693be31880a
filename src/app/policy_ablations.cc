#include "app/policy_ablations.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <limits>
#include <sstream>
#include <utility>
#include <vector>

#include "base/check.h"

namespace aio {

namespace {

constexpr std::array kAblations = {Ablation::kModelRouting, Ablation::kStrategySwitch,
                                   Ablation::kEntropyFallback, Ablation::kContextRule};

// Calls `edit` for each table of an array of tables, which may be missing.
template <typename Edit>
void ForEachTable(toml::table& root, std::string_view key, const Edit& edit) {
  toml::array* tables = root[key].as_array();
  if (tables == nullptr) return;
  for (toml::node& node : *tables) {
    if (toml::table* table = node.as_table()) edit(*table);
  }
}

// A strategy's parameters go with it.
void MakePlain(toml::table& arm) {
  for (const char* key :
       {"prompt_lookup_max", "prompt_lookup_min", "num_speculative_tokens", "tokens_per_step"}) {
    arm.erase(key);
  }
  arm.insert_or_assign("strategy", std::string(StrategyName(StrategyKind::kPlain)));
}

void MakeWorthless(toml::table& arm) {
  if (arm["role"].value_or(std::string()) != "small") return;
  for (const char* key : {"accuracy", "accuracy_long"}) {
    toml::table* accuracy = arm[key].as_table();
    if (accuracy == nullptr) continue;
    for (auto&& [label, percent] : *accuracy) accuracy->insert_or_assign(label.str(), 0.0);
  }
}

// Of several that were told apart by what was taken out the first stays.
void DropSameArms(toml::table& root) {
  toml::array* arms = root["arm"].as_array();
  if (arms == nullptr) return;
  std::vector<std::string> known;
  for (auto arm = arms->begin(); arm != arms->end();) {
    toml::table& table = *arm->as_table();
    std::string name = fmt::format("{}/{}", table["role"].value_or(std::string()),
                                   table["weights"].value_or(std::string()));
    if (std::find(known.begin(), known.end(), name) != known.end()) {
      arm = arms->erase(arm);
      continue;
    }
    known.push_back(std::move(name));
    ++arm;
  }
}

void Edit(toml::table& root, Ablation ablation) {
  switch (ablation) {
    case Ablation::kModelRouting:
      ForEachTable(root, "rule",
                   [](toml::table& rule) { rule.insert_or_assign("role", std::string("large")); });
      return ForEachTable(root, "arm", MakeWorthless);
    case Ablation::kStrategySwitch:
      ForEachTable(root, "rule", MakePlain);
      ForEachTable(root, "arm", MakePlain);
      return DropSameArms(root);
    case Ablation::kEntropyFallback:
      return ForEachTable(root, "rule", [](toml::table& rule) {
        rule.erase("entropy_max");
        rule.erase("second_max");
      });
    case Ablation::kContextRule:
      ForEachTable(root, "rule", [](toml::table& rule) { rule.erase("prompt_tokens_max"); });
      ForEachTable(root, "arm", [](toml::table& arm) { arm.erase("accuracy_long"); });
      // Prompts that are not probed have no intent to be routed by.
      root.insert_or_assign("probe_prompt_tokens_max", int64_t{std::numeric_limits<int>::max()});
      return;
  }
}

std::string TextOf(const toml::table& root) {
  std::ostringstream text;
  text << root << '\n';
  return text.str();
}

// Whether the reader takes these rules, with one after them that matches anything. It refuses only
// those that a rule before them covers: nothing else about them has changed.
bool CanBeReached(const toml::table& root, const toml::array& rules) {
  toml::table probe = root;
  toml::array with_last = rules;
  with_last.push_back(
      toml::table{{"name", "reached-last"}, {"role", "large"}, {"strategy", "plain"}});
  probe.insert_or_assign("rule", std::move(with_last));
  return RoutingPolicy::FromToml(TextOf(probe), "ablation").ok();
}

void DropUnreachableRules(toml::table& root) {
  const toml::array* rules = root["rule"].as_array();
  if (rules == nullptr || rules->empty()) return;
  toml::array kept;
  for (size_t i = 0; i + 1 < rules->size(); ++i) {
    toml::array with = kept;
    with.push_back(*(*rules)[i].as_table());
    if (CanBeReached(root, with)) kept = std::move(with);
  }
  // The last matches anything. Where one before it does, that one ends the policy.
  toml::table whole = root;
  toml::array all = kept;
  all.push_back(*rules->back().as_table());
  whole.insert_or_assign("rule", all);
  const bool last_is_reached = RoutingPolicy::FromToml(TextOf(whole), "ablation").ok();
  root.insert_or_assign("rule", last_is_reached ? std::move(all) : std::move(kept));
}

bool SameRule(const RoutingRule& a, const RoutingRule& b) {
  return a.name == b.name && a.role == b.role && a.strategy == b.strategy &&
         a.entropy_max == b.entropy_max && a.second_max == b.second_max &&
         a.prompt_tokens_max == b.prompt_tokens_max;
}

bool SameArm(const PolicyArm& a, const PolicyArm& b) {
  return a.role == b.role && a.strategy == b.strategy && a.accuracy == b.accuracy &&
         a.accuracy_long == b.accuracy_long;
}

// As far as ablations change anything that kinds of policies decide by.
bool DecidesAlike(const PolicySettings& a, const PolicySettings& b) {
  const bool same_arms =
      std::equal(a.arms.begin(), a.arms.end(), b.arms.begin(), b.arms.end(), SameArm);
  if (a.kind != PolicyKind::kRules) return same_arms;
  return std::equal(a.rules.begin(), a.rules.end(), b.rules.begin(), b.rules.end(), SameRule);
}

}  // namespace

std::span<const Ablation> AllAblations() { return kAblations; }

std::string_view AblationName(Ablation ablation) {
  switch (ablation) {
    case Ablation::kModelRouting:
      return "no model routing";
    case Ablation::kStrategySwitch:
      return "no strategy switch";
    case Ablation::kEntropyFallback:
      return "no entropy fallback";
    case Ablation::kContextRule:
      return "no context rule";
  }
  AIO_CHECK(false, "unknown ablation");
}

Result<std::optional<RoutingPolicy>> Ablate(const RoutingPolicy& policy, Ablation ablation) {
  toml::table root;
  try {
    root = toml::parse(policy.text());
  } catch (const toml::parse_error& error) {
    return Internal(fmt::format("policy '{}' is no TOML: {}", policy.name(), error.description()));
  }
  Edit(root, ablation);
  DropUnreachableRules(root);
  const std::string name = fmt::format("{}, {}", policy.name(), AblationName(ablation));
  root.insert_or_assign("name", name);
  Result<RoutingPolicy> ablated = RoutingPolicy::FromToml(TextOf(root), name);
  if (!ablated.ok()) return ablated.status();
  if (DecidesAlike(ablated->settings(), policy.settings())) return std::optional<RoutingPolicy>();
  return std::optional<RoutingPolicy>(*std::move(ablated));
}

}  // namespace aio
