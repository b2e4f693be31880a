#include "router/policy_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "base/toml_table.h"
#include "router/read_policy.h"

namespace aio {
namespace {

struct NamedKind {
  PolicyKind kind;
  std::string_view name;
};
constexpr std::array<NamedKind, 7> kKinds = {{{PolicyKind::kRules, "rules"},
                                              {PolicyKind::kUtility, "utility"},
                                              {PolicyKind::kStaticSmall, "static-small"},
                                              {PolicyKind::kStaticLarge, "static-large"},
                                              {PolicyKind::kRandom, "random"},
                                              {PolicyKind::kOracle, "oracle"},
                                              {PolicyKind::kCascade, "cascade"}}};

bool IsTitle(std::string_view text) {
  return !text.empty() && text.size() <= 64 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

PolicyKind ReadKind(TomlTable& root) {
  const std::optional<std::string> name = root.String("kind");
  if (!name) return PolicyKind::kRules;
  const std::optional<PolicyKind> kind = PolicyKindFromName(*name);
  if (kind) return *kind;
  std::string names;
  for (const NamedKind& known : kKinds) {
    names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", known.name);
  }
  root.Fail("kind", fmt::format("no kind \"{}\"; there are {}", *name, names));
  return PolicyKind::kRules;
}

// The table `key`, which only policies of `kind` have, and need.
std::optional<TomlTable> OwnTable(TomlTable& root, std::string_view key, bool is_of_kind) {
  if (is_of_kind) {
    root.Require(key);
  } else if (root.Has(key)) {
    root.Fail(key, fmt::format("belongs to kind = \"{}\"; remove it", key));
  }
  return root.Table(key);
}

void ReadUtility(TomlTable& root, PolicySettings& settings) {
  constexpr double kLambdaMax = 1e6;
  std::optional<TomlTable> table = OwnTable(root, "utility", settings.kind == PolicyKind::kUtility);
  if (!table) return;
  UtilitySettings& utility = settings.utility;
  table->Require("lambda");
  utility.lambda = table->Number("lambda", 0, kLambdaMax).value_or(utility.lambda);
  utility.lambda_per_gb =
      table->Number("lambda_per_gb", 0, kLambdaMax).value_or(utility.lambda_per_gb);
  utility.answer_tokens = table->Int("answer_tokens", 1, 1'000'000).value_or(utility.answer_tokens);
}

void ReadRandom(TomlTable& root, PolicySettings& settings) {
  std::optional<TomlTable> table = OwnTable(root, "random", settings.kind == PolicyKind::kRandom);
  if (!table) return;
  RandomSettings& random = settings.random;
  table->Require("p_small");
  random.p_small = table->Number("p_small", 0, 1).value_or(random.p_small);
  const int seed = table->Int("seed", 0, std::numeric_limits<int>::max()).value_or(1);
  random.seed = static_cast<uint64_t>(seed);
}

void ReadCascade(TomlTable& root, PolicySettings& settings) {
  constexpr int kCascadeTokensMax = 1024;
  std::optional<TomlTable> table = OwnTable(root, "cascade", settings.kind == PolicyKind::kCascade);
  if (!table) return;
  CascadeSettings& cascade = settings.cascade;
  cascade.tokens = table->Int("tokens", 1, kCascadeTokensMax).value_or(cascade.tokens);
  table->Require("entropy_max");
  cascade.entropy_max = table->Number("entropy_max", 0, kEntropyMax).value_or(cascade.entropy_max);
}

void ReadRulesOfKind(TomlTable& root, PolicySettings& settings) {
  if (settings.kind == PolicyKind::kRules) {
    settings.rules = ReadRules(root);
  } else if (root.Has("rule")) {
    root.Fail("rule", fmt::format("a policy of kind \"{}\" has no rules; remove them, or the kind",
                                  PolicyKindName(settings.kind)));
  }
}

}  // namespace

std::string_view PolicyKindName(PolicyKind kind) {
  return std::find_if(kKinds.begin(), kKinds.end(),
                      [&](const NamedKind& known) { return known.kind == kind; })
      ->name;
}

std::optional<PolicyKind> PolicyKindFromName(std::string_view name) {
  for (const NamedKind& known : kKinds) {
    if (known.name == name) return known.kind;
  }
  return std::nullopt;
}

Result<PolicySettings> ReadPolicySettings(std::string_view text, const std::string& source) {
  constexpr int kTokensMax = std::numeric_limits<int>::max();
  AIO_ASSIGN_OR_RETURN(TomlTable root, TomlTable::Parse(text, source));
  PolicySettings settings;
  root.Require("version");
  root.Int("version", 1, 1);
  root.Require("name");
  settings.name = root.String("name").value_or("");
  if (!IsTitle(settings.name)) root.Fail("name", "must be 1 to 64 printable ASCII characters");
  settings.kind = ReadKind(root);
  const bool looks = settings.kind == PolicyKind::kRules || settings.kind == PolicyKind::kUtility;
  if (looks) root.Require("probe_prompt_tokens_max");
  settings.probe_prompt_tokens_max = root.Int("probe_prompt_tokens_max", 0, kTokensMax).value_or(0);
  if (!looks && settings.probe_prompt_tokens_max > 0) {
    root.Fail("probe_prompt_tokens_max",
              fmt::format("a policy of kind \"{}\" does not probe; remove the key",
                          PolicyKindName(settings.kind)));
  }
  ReadRulesOfKind(root, settings);
  ReadUtility(root, settings);
  ReadRandom(root, settings);
  ReadCascade(root, settings);
  settings.arms = ReadArms(root);
  CheckArmsSuffice(root, settings);
  settings.calibration = ReadCalibration(root);
  settings.evidence = ReadEvidence(root);
  settings.session = ReadSession(root);
  settings.drift = ReadDrift(root);
  AIO_RETURN_IF_ERROR(root.Finish());
  return settings;
}

}  // namespace aio
