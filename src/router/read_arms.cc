#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/toml_table.h"
#include "router/read_policy.h"
#include "router/signals.h"

namespace aio {
namespace {

constexpr double kRateMax = 1e9;    // tokens per second
constexpr double kBytesMax = 1e15;  // a token
constexpr double kPercentMax = 100;

LabelAccuracies ReadAccuracies(TomlTable& table, std::string_view key) {
  LabelAccuracies accuracies = table.NamedNumbers(key, 0, kPercentMax).value_or(LabelAccuracies{});
  for (const auto& [label, percent] : accuracies) {
    if (IsPlainName(label)) continue;
    table.Fail(key, "a label's name is 1 to 32 of letters, digits, '.', '_' and '-'");
  }
  if (table.Has(key) && accuracies.empty()) {
    table.Fail(key, "names no label; write { code = 67.7, ... }, or remove the key");
  }
  return accuracies;
}

PolicyArm ReadArm(TomlTable& table) {
  PolicyArm arm;
  ArmName name = ReadArmName(table);
  arm.role = std::move(name.role);
  arm.strategy = name.strategy;
  arm.weights = std::move(name.weights);
  arm.accuracy = ReadAccuracies(table, "accuracy");
  arm.accuracy_long = ReadAccuracies(table, "accuracy_long");
  arm.long_tokens =
      table.Int("long_tokens", 1, std::numeric_limits<int>::max()).value_or(arm.long_tokens);
  arm.tokens_per_second = table.Number("tokens_per_second", 0, kRateMax).value_or(0);
  arm.tokens_per_step =
      table.Number("tokens_per_step", 1, 1 + kSpeculativeTokensMax).value_or(arm.tokens_per_step);
  arm.prompt_tokens_per_second = table.Number("prompt_tokens_per_second", 0, kRateMax).value_or(0);
  arm.bytes_per_token = table.Number("bytes_per_token", 0, kBytesMax).value_or(0);
  return arm;
}

bool SameArm(const PolicyArm& a, const PolicyArm& b) {
  return a.role == b.role && a.strategy == b.strategy && a.weights == b.weights;
}

// The labels, which NamedNumbers() gives in alphabetical order.
bool SameLabels(const LabelAccuracies& a, const LabelAccuracies& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return x.first == y.first; });
}

void CheckRates(TomlTable& root, const PolicySettings& settings) {
  for (const PolicyArm& arm : settings.arms) {
    if (settings.utility.lambda > 0 && arm.tokens_per_second <= 0) {
      root.Fail("arm", "with utility.lambda every arm needs its tokens_per_second");
    }
    if (settings.utility.lambda_per_gb > 0 && arm.bytes_per_token <= 0) {
      root.Fail("arm", "with utility.lambda_per_gb every arm needs its bytes_per_token");
    }
  }
}

}  // namespace

std::vector<PolicyArm> ReadArms(TomlTable& root) {
  std::vector<PolicyArm> arms;
  for (TomlTable& table : root.Tables("arm")) {
    PolicyArm arm = ReadArm(table);
    const bool known = std::any_of(arms.begin(), arms.end(),
                                   [&](const PolicyArm& earlier) { return SameArm(earlier, arm); });
    if (known) table.Fail("role", "a second arm of this role, strategy and weights; remove one");
    if (!arm.accuracy_long.empty() && !SameLabels(arm.accuracy, arm.accuracy_long)) {
      table.Fail("accuracy_long", "must have the labels that 'accuracy' has");
    }
    arms.push_back(std::move(arm));
  }
  return arms;
}

void CheckArmsSuffice(TomlTable& root, const PolicySettings& settings) {
  if (settings.kind != PolicyKind::kUtility && settings.kind != PolicyKind::kOracle) return;
  const std::string_view kind = PolicyKindName(settings.kind);
  const std::vector<PolicyArm>& arms = settings.arms;
  for (const std::string_view role : {kSmallRole, kLargeRole}) {
    const bool there = std::any_of(arms.begin(), arms.end(),
                                   [&](const PolicyArm& arm) { return arm.role == role; });
    if (there) continue;
    root.Fail("arm", fmt::format("kind \"{}\" chooses between arms; add an [[arm]] with role = "
                                 "\"{}\"",
                                 kind, role));
  }
  for (const PolicyArm& arm : arms) {
    if (arm.accuracy.empty() || !SameLabels(arm.accuracy, arms[0].accuracy)) {
      root.Fail("arm", fmt::format("kind \"{}\" needs the accuracy of every arm, for the same "
                                   "labels",
                                   kind));
    }
  }
  if (settings.kind == PolicyKind::kUtility) CheckRates(root, settings);
}

}  // namespace aio
