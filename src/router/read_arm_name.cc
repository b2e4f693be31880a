#include <fmt/format.h>

#include <initializer_list>

#include "base/toml_table.h"
#include "router/read_policy.h"
#include "router/signals.h"

namespace aio {
namespace {

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
void ReadStrategy(TomlTable& table, ArmName& arm) {
  table.Require("strategy");
  const std::string name = table.String("strategy").value_or("plain");
  const std::optional<Strategy> named = StrategyFromName(name);
  if (!named) {
    table.Fail("strategy", fmt::format("no strategy '{}'; there are {}", name, StrategyNames()));
    return;
  }
  arm.strategy = *named;
  ReadStrategyParameters(table, arm.strategy);
  if (arm.role == kSmallRole && arm.strategy.kind == StrategyKind::kDraftModel) {
    table.Fail("strategy",
               "the small model is the one that drafts; give draft_model to one with role = "
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

}  // namespace

ArmName ReadArmName(TomlTable& table) {
  ArmName arm;
  table.Require("role");
  arm.role = table.String("role").value_or("");
  if (arm.role != kSmallRole && arm.role != kLargeRole) {
    table.Fail("role", fmt::format("no role '{}'; there are 'small' and 'large'", arm.role));
  }
  ReadStrategy(table, arm);
  arm.weights = ReadWeights(table);
  return arm;
}

}  // namespace aio
