#include "router/role_targets.h"

#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "router/model_names.h"

namespace aio {
namespace {

// "the large model has w8a16"
std::string WeightsOf(const Target& target) {
  return fmt::format("the {} model has {}", target.role, fmt::join(target.VariantNames(), " and "));
}

// That `target` can do what a rule or arm of the policy, `where`, says.
Status CheckArm(const Target& target, std::string_view where, const std::string& weights,
                const Strategy& strategy) {
  if (target.ModelWith(weights) == nullptr) {
    return InvalidArgument(
        fmt::format("{}: the {} model, '{}', has no {} weights resident; load them "
                    "(models.{}.{}_path), or take 'weights' out of it",
                    where, target.role, target.model(), weights, target.role, weights));
  }
  if (strategy.kind == StrategyKind::kDraftModel && target.place.draft_model.empty()) {
    return InvalidArgument(
        fmt::format("{}: no model drafts for the {} one, '{}'; name one (models.{}.draft_model), "
                    "or choose another strategy",
                    where, target.role, target.model(), target.role));
  }
  return Status::Ok();
}

}  // namespace

Result<ModelInfo> FindModel(const Backend& backend, const std::string& name,
                            std::string_view what) {
  for (ModelInfo& info : backend.Models()) {
    if (info.name == name) return std::move(info);
  }
  return NotFound(fmt::format("the {}, '{}', is not among those of its backend", what, name));
}

Result<Target> FindTarget(std::string_view role, RoleTarget place) {
  AIO_CHECK(place.backend != nullptr, "a role without a backend");
  AIO_ASSIGN_OR_RETURN(const ModelInfo own,
                       FindModel(*place.backend, place.model, fmt::format("{} model", role)));
  for (const auto& [weights, name] : place.variants) {
    const std::string what = fmt::format("{} model's {} variant", role, weights);
    AIO_ASSIGN_OR_RETURN(const ModelInfo variant, FindModel(*place.backend, name, what));
    if (variant.context_length == own.context_length &&
        variant.vocabulary_fingerprint == own.vocabulary_fingerprint) {
      continue;
    }
    return InvalidArgument(fmt::format("the {}, '{}', differs from '{}' in context or vocabulary",
                                       what, name, own.name));
  }
  return Target{.role = role,
                .place = std::move(place),
                .context_length = own.context_length,
                .weight_bytes = own.bytes,
                .fingerprint = own.fingerprint,
                .vocabulary = own.vocabulary_fingerprint,
                .tells_entropies = own.tells_entropies,
                .counts_exactly = own.counts_exactly};
}

Status CheckArms(const RoutingPolicy& policy, const Target& small, const Target& large) {
  if (policy.settings().kind == PolicyKind::kCascade && !small.tells_entropies) {
    return InvalidArgument(fmt::format(
        "policy '{}': kind: \"cascade\" goes by how uncertain the small model is, which '{}', held "
        "by another server, does not tell; load the small model here (models.small.path), or "
        "choose another kind",
        policy.name(), small.model()));
  }
  const auto target_of = [&](std::string_view role) -> const Target& {
    return role == kSmallRole ? small : large;
  };
  for (const RoutingRule& rule : policy.rules()) {
    AIO_RETURN_IF_ERROR(CheckArm(target_of(rule.role),
                                 fmt::format("policy '{}', rule '{}'", policy.name(), rule.name),
                                 rule.weights, rule.strategy));
  }
  // A policy of rules does not choose from its arms: they are what it was measured by.
  if (policy.settings().kind == PolicyKind::kRules) return Status::Ok();
  for (const PolicyArm& arm : policy.settings().arms) {
    AIO_RETURN_IF_ERROR(CheckArm(target_of(arm.role),
                                 fmt::format("policy '{}', arm", policy.name()), arm.weights,
                                 arm.strategy));
  }
  return Status::Ok();
}

Status CheckEvidence(const RoutingPolicy& policy, const Target& target) {
  const std::optional<PolicyEvidence>& evidence = policy.settings().evidence;
  if (!evidence) return Status::Ok();
  const std::string& made_for = target.role == kSmallRole ? evidence->small : evidence->large;
  if (made_for.empty() || target.fingerprint.empty() || made_for == target.fingerprint) {
    return Status::Ok();
  }
  return InvalidArgument(
      fmt::format("policy '{}' was made for another {} model than '{}' (fingerprint {}, not {}): "
                  "calibrate again, or take it all the same with --force-policy",
                  policy.name(), target.role, target.model(), made_for, target.fingerprint));
}

Status NoSuchWeights(std::string_view weights, const std::vector<const Target*>& targets) {
  std::vector<std::string> others;
  for (const Target* target : targets) {
    if (!target->place.variants.empty()) others.push_back(WeightsOf(*target));
  }
  return InvalidArgument(fmt::format("the weights {} are not resident; there is \"\", a model's "
                                     "own{}{}",
                                     QuoteClientText(weights), others.empty() ? "" : ", and ",
                                     fmt::join(others, ", ")))
      .WithParam("aio.weights");
}

LoadSignals LoadOf(const std::vector<ModelLoad>& loads, std::string_view model) {
  for (const ModelLoad& load : loads) {
    if (load.name != model) continue;
    return {.running = load.running,
            .waiting = load.waiting,
            .step_ms = load.step_ms,
            .tokens_per_second = load.tokens_per_second};
  }
  return {};
}

}  // namespace aio
