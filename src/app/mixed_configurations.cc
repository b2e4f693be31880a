#include "app/mixed_configurations.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "app/beside_program.h"
#include "app/commands.h"
#include "app/policy_ablations.h"

namespace aio {

namespace {

constexpr std::string_view kRandomPolicy = R"(
version = 1
name = "random"
kind = "random"
[random]
p_small = 0.5
seed = 1
)";

class ConfigurationMaker {
 public:
  ConfigurationMaker(const Runtime& runtime, Backend& backend, const ConfigurationChoice& choice)
      : runtime_(runtime), backend_(backend), choice_(choice) {}

  Result<std::vector<MixedConfiguration>> Make() {
    AddStatic();
    AIO_RETURN_IF_ERROR(AddPolicies());
    AIO_RETURN_IF_ERROR(AddAblations());
    AIO_RETURN_IF_ERROR(CheckNames());
    std::erase_if(made_, [&](const MixedConfiguration& made) { return !IsWanted(made.name); });
    return std::move(made_);
  }

 private:
  bool IsWanted(const std::string& name) const {
    const std::vector<std::string>& names = choice_.names;
    return names.empty() || name == kReferenceConfiguration ||
           std::find(names.begin(), names.end(), name) != names.end();
  }

  void AddStatic() {
    for (const ModelInfo& model : runtime_.router->Models()) {
      if (model.role == "router") continue;
      AddArm(model, StrategyKind::kPlain);
      AddArm(model, StrategyKind::kPromptLookup);
      if (!model.draft_model.empty() && model.weights.empty()) {
        AddArm(model, StrategyKind::kDraftModel);
      }
    }
  }

  void AddArm(const ModelInfo& model, StrategyKind strategy) {
    MixedConfiguration made;
    made.name = model.role;
    if (!model.weights.empty()) made.name += "-" + model.weights;
    if (strategy != StrategyKind::kPlain) made.name += fmt::format("+{}", StrategyName(strategy));
    made.backend = runtime_.router.get();
    made.model = model.role;
    made.strategy = DefaultStrategy(strategy);
    made.weights = model.weights;
    made_.push_back(std::move(made));
  }

  Status AddPolicies() {
    AIO_ASSIGN_OR_RETURN(const RoutingPolicy random,
                         RoutingPolicy::FromToml(kRandomPolicy, "random"));
    AIO_RETURN_IF_ERROR(Add(random, ConfigurationGroup::kPolicy));
    AIO_RETURN_IF_ERROR(AddBundled("oracle"));
    AIO_RETURN_IF_ERROR(Add(RoutingPolicy::Paper(), ConfigurationGroup::kPolicy));
    AIO_RETURN_IF_ERROR(Add(runtime_.router_options.policy, ConfigurationGroup::kPolicy));
    AIO_RETURN_IF_ERROR(AddBundled("auto"));
    AIO_RETURN_IF_ERROR(AddBundled("utility"));
    for (const std::string& path : choice_.policy_paths) {
      AIO_ASSIGN_OR_RETURN(const RoutingPolicy policy, RoutingPolicy::FromFile(path));
      AIO_RETURN_IF_ERROR(Add(policy, ConfigurationGroup::kPolicy));
    }
    return Status::Ok();
  }

  // Of policy/, which lies beside the program or does not.
  Status AddBundled(const std::string& name) {
    const auto path = FindBesideProgram("policy/" + name + ".toml");
    if (!path) return Status::Ok();
    AIO_ASSIGN_OR_RETURN(const RoutingPolicy policy, RoutingPolicy::FromFile(*path));
    return Add(policy, ConfigurationGroup::kPolicy);
  }

  Status AddAblations() {
    std::vector<std::string> names = choice_.ablated;
    if (names.empty()) names.push_back(runtime_.router_options.policy.name());
    for (const std::string& name : names) AIO_RETURN_IF_ERROR(AddAblationsOf(name));
    return Status::Ok();
  }

  Status AddAblationsOf(const std::string& name) {
    const MixedConfiguration* whole = Find(name);
    if (whole == nullptr || whole->router == nullptr) {
      return InvalidArgument(fmt::format("--ablate {}: there is no such policy; there are {}", name,
                                         fmt::join(PolicyNames(), ", ")));
    }
    const RoutingPolicy policy = whole->router->policy();
    for (const Ablation ablation : AllAblations()) {
      AIO_ASSIGN_OR_RETURN(const std::optional<RoutingPolicy> without, Ablate(policy, ablation));
      if (!without) continue;
      const size_t known = made_.size();
      AIO_RETURN_IF_ERROR(Add(*without, ConfigurationGroup::kAblation));
      if (made_.size() > known) made_.back().ablated = name;
    }
    return Status::Ok();
  }

  // Unless it is there; nothing is routed that nobody wants.
  Status Add(const RoutingPolicy& policy, ConfigurationGroup group) {
    if (const MixedConfiguration* known = Find(policy.name())) {
      if (known->router != nullptr && known->router->policy().hash() == policy.hash()) {
        return Status::Ok();
      }
      // Of two policies of one name the file's is meant beside the one that is built in.
      return Renamed(policy, group);
    }
    return AddNamed(policy.name(), policy, group);
  }

  Status Renamed(const RoutingPolicy& policy, ConfigurationGroup group) {
    for (int n = 2;; ++n) {
      const std::string name = fmt::format("{} ({})", policy.name(), n);
      if (Find(name) == nullptr) return AddNamed(name, policy, group);
    }
  }

  Status AddNamed(const std::string& name, const RoutingPolicy& policy, ConfigurationGroup group) {
    MixedConfiguration made;
    made.name = name;
    made.group = group;
    made.signals = std::make_unique<KeepSignals>();
    RouterOptions options = runtime_.router_options;
    options.policy = policy;
    options.small.backend = &backend_;
    options.large.backend = &backend_;
    options.sessions_max = 0;  // no request goes on with another
    options.observer = made.signals.get();
    options.on_drift = {};
    Result<std::unique_ptr<Router>> router = Router::Create(options, runtime_.clock);
    if (!router.ok()) return router.status().WithContext("policy " + policy.name());
    made.router = *std::move(router);
    made.backend = made.router.get();
    made.model = options.virtual_names.front();
    made.told_intent = choice_.labels_given || policy.settings().kind == PolicyKind::kOracle;
    made_.push_back(std::move(made));
    return Status::Ok();
  }

  const MixedConfiguration* Find(std::string_view name) const {
    const auto found = std::find_if(made_.begin(), made_.end(),
                                    [&](const MixedConfiguration& m) { return m.name == name; });
    return found == made_.end() ? nullptr : &*found;
  }

  std::vector<std::string> PolicyNames() const {
    std::vector<std::string> names;
    for (const MixedConfiguration& made : made_) {
      if (made.group == ConfigurationGroup::kPolicy) names.push_back(made.name);
    }
    return names;
  }

  Status CheckNames() const {
    for (const std::string& name : choice_.names) {
      if (Find(name) != nullptr) continue;
      std::vector<std::string> known;
      known.reserve(made_.size());
      for (const MixedConfiguration& made : made_) known.push_back(made.name);
      return InvalidArgument(
          fmt::format("--only '{}': there is no such configuration; there are {}", name,
                      fmt::join(known, "; ")));
    }
    return Status::Ok();
  }

  const Runtime& runtime_;
  Backend& backend_;
  const ConfigurationChoice& choice_;
  std::vector<MixedConfiguration> made_;
};

}  // namespace

std::string_view ConfigurationGroupName(ConfigurationGroup group) {
  switch (group) {
    case ConfigurationGroup::kStatic:
      return "static";
    case ConfigurationGroup::kPolicy:
      return "policy";
    case ConfigurationGroup::kAblation:
      return "ablation";
  }
  AIO_CHECK(false, "unknown group");
}

Request MixedConfiguration::Put(Request request) const {
  request.model = model;
  request.strategy = strategy;
  request.weights = weights;
  if (!told_intent) request.intent.clear();
  return request;
}

Result<std::vector<MixedConfiguration>> MakeConfigurations(const Runtime& runtime, Backend& backend,
                                                           const ConfigurationChoice& choice) {
  return ConfigurationMaker(runtime, backend, choice).Make();
}

}  // namespace aio
