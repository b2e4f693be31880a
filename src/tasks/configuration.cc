#include "tasks/configuration.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "router/routing_policy.h"

namespace aio {

namespace {

// Parts of "ROLE[-WEIGHTS][+STRATEGY]".
constexpr char kBeforeStrategy = '+';
constexpr char kBeforeWeights = '-';
constexpr std::string_view kOwnWeights = "f16";

std::string Identity(const ModelInfo& model) {
  return fmt::format("{} {} {}\n", model.name, model.weights, model.fingerprint);
}

Result<ModelInfo> FindResident(const FixedArm& arm, const std::vector<ModelInfo>& models) {
  const auto it = std::find_if(models.begin(), models.end(), [&](const ModelInfo& model) {
    return model.role == arm.role && model.weights == arm.weights;
  });
  if (it == models.end()) {
    return InvalidArgument(
        fmt::format("configuration '{}': no such weights are resident; make them with `aio "
                    "quantize --type q8_0` and name them in the configuration file: "
                    "[models.{}] w8a16_path",
                    FixedArmName(arm), arm.role));
  }
  if (arm.strategy.kind == StrategyKind::kDraftModel && it->draft_model.empty()) {
    return InvalidArgument(
        fmt::format("configuration '{}': no model drafts for {}; set draft_model = \"small\" in "
                    "the configuration file: [models.{}]",
                    FixedArmName(arm), it->name, arm.role));
  }
  return *it;
}

}  // namespace

Result<FixedArm> ParseFixedArm(std::string_view name) {
  FixedArm arm;
  std::string_view model = name;
  if (const size_t plus = name.find(kBeforeStrategy); plus != std::string_view::npos) {
    arm.strategy_name = name.substr(plus + 1);
    model = name.substr(0, plus);
  }
  if (const size_t dash = model.find(kBeforeWeights); dash != std::string_view::npos) {
    arm.weights = model.substr(dash + 1);
    model = model.substr(0, dash);
  }
  if (arm.weights == kOwnWeights) arm.weights.clear();
  arm.role = model;
  const std::optional<Strategy> strategy = StrategyFromName(arm.strategy_name);
  const bool role_known = arm.role == kSmallRole || arm.role == kLargeRole;
  if (!role_known || !strategy || (!arm.weights.empty() && arm.weights != kW8A16)) {
    return InvalidArgument(fmt::format(
        "no configuration '{}'; one is small or large, then perhaps -{} and perhaps + and one of "
        "{}: large-{}+prompt_lookup",
        name, kW8A16, StrategyNames(), kW8A16));
  }
  arm.strategy = *strategy;
  if (arm.role == kSmallRole && strategy->kind == StrategyKind::kDraftModel) {
    return InvalidArgument(
        fmt::format("configuration '{}': the small model is the one that drafts", name));
  }
  return arm;
}

std::string FixedArmName(const FixedArm& arm) {
  std::string name = arm.role;
  if (!arm.weights.empty()) name += kBeforeWeights + arm.weights;
  if (arm.strategy_name != "plain") name += kBeforeStrategy + arm.strategy_name;
  return name;
}

Result<EvalConfiguration> StaticConfiguration(const FixedArm& arm, Backend& backend) {
  const std::vector<ModelInfo> models = backend.Models();
  AIO_ASSIGN_OR_RETURN(const ModelInfo model, FindResident(arm, models));
  EvalConfiguration configuration;
  configuration.name = FixedArmName(arm);
  configuration.arm = arm;
  configuration.backend = &backend;
  configuration.model = arm.role;
  configuration.models = Identity(model);
  for (const ModelInfo& other : models) {
    // It changes no answer, but how fast answers come.
    const bool drafts =
        arm.strategy.kind == StrategyKind::kDraftModel || arm.strategy.kind == StrategyKind::kAuto;
    if (drafts && other.name == model.draft_model) configuration.models += Identity(other);
  }
  return configuration;
}

EvalConfiguration RoutedConfiguration(const std::string& routing_name, Backend& router) {
  EvalConfiguration configuration;
  configuration.backend = &router;
  configuration.model = routing_name;
  for (const ModelInfo& model : router.Models()) {
    if (!model.architecture.empty()) configuration.models += Identity(model);
  }
  return configuration;
}

}  // namespace aio
