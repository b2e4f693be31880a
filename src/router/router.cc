#include "router/router.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "router/pending_generation.h"
#include "router/router_state.h"

namespace aio {
namespace {

Status CheckThreshold(const Request& request) {
  if (!request.entropy_threshold) return Status::Ok();
  if (std::isfinite(*request.entropy_threshold) && *request.entropy_threshold >= 0) {
    return Status::Ok();
  }
  return InvalidArgument("the entropy threshold must be a finite number >= 0, in nats")
      .WithParam("aio.entropy_threshold");
}

// The intent for which a request might go to the small model, whatever else is the case: only then
// can a second look change anything.
std::optional<std::string> SmallModelsIntent(const RoutingPolicy& policy, const ProbeResult& seen) {
  Signals signals;
  signals.intent = seen.intent;
  signals.label_logits = seen.logits;
  signals.entropy_threshold = kEntropyMax;  // the most that a client could allow
  const PolicyOutcome outcome = policy.Decide(signals);
  // What utility chooses depends on load, which is not known here.
  const bool may = outcome.role == kSmallRole || policy.settings().kind == PolicyKind::kUtility;
  if (!may || !outcome.intent) return std::nullopt;
  return outcome.intent->labels[outcome.intent->top()];
}

}  // namespace

Result<Router::State::Named> Router::State::FindNamed(std::string_view name) const {
  AIO_ASSIGN_OR_RETURN(const NamedRoute route, names.Resolve(name));
  const Target& target = TargetOf(route.role.empty() ? kSmallRole : route.role);
  return Named{target.backend(), *target.ModelWith(route.weights)};
}

// --- Router ----------------------------------------------------------------------------

Router::Router(std::shared_ptr<const State> state) : state_(std::move(state)) {}
Router::~Router() = default;

Result<std::unique_ptr<Router>> Router::Create(RouterOptions options, const Clock& clock) {
  AIO_ASSIGN_OR_RETURN(Target small, FindTarget(kSmallRole, std::move(options.small)));
  AIO_ASSIGN_OR_RETURN(Target large, FindTarget(kLargeRole, std::move(options.large)));
  AIO_RETURN_IF_ERROR(CheckLabelQuery(options.labels));
  std::vector<NamedModel> models;
  for (const Target* target : {&small, &large}) {
    models.push_back({.name = target->model(), .role = target->role, .weights = ""});
    models.reserve(target->place.variants.size());
    for (const auto& [weights, name] : target->place.variants) {
      models.push_back({.name = name, .role = target->role, .weights = weights});
    }
  }
  AIO_ASSIGN_OR_RETURN(ModelNames names,
                       ModelNames::Create(std::move(options.virtual_names), std::move(models),
                                          options.labels.labels.size()));
  if (options.policy.name().empty()) return InvalidArgument("there is no routing policy");
  std::vector<std::string> labels;
  labels.reserve(options.labels.labels.size());
  for (const LabelQuery::Label& label : options.labels.labels) labels.push_back(label.name);
  AIO_RETURN_IF_ERROR(options.policy.CheckLabels(labels));
  AIO_RETURN_IF_ERROR(CheckArms(options.policy, small, large));
  if (!options.force_policy) {
    AIO_RETURN_IF_ERROR(CheckEvidence(options.policy, small));
    AIO_RETURN_IF_ERROR(CheckEvidence(options.policy, large));
  }
  AIO_RETURN_IF_ERROR(small.backend().ValidateLabels(small.model(), options.labels));

  if (options.defences.second_template) {
    AIO_RETURN_IF_ERROR(
        small.backend().ValidateLabels(small.model(), *options.defences.second_template));
  }
  Probe probe(small.backend(), std::move(options.labels), clock, std::move(options.defences),
              [policy = options.policy](const ProbeResult& seen) {
                return SmallModelsIntent(policy, seen);
              });
  if (options.sessions == nullptr) {
    options.sessions = std::make_shared<SessionTable>(options.sessions_max);
  }
  auto state = std::make_shared<State>(std::move(small), std::move(large), std::move(probe),
                                       std::move(names), std::move(options.sessions));
  if (options.policy.settings().drift && options.policy.wants_probe()) {
    state->drift =
        std::make_unique<DriftGuard>(*options.policy.settings().drift, std::move(options.on_drift));
  }
  state->policy = std::move(options.policy);
  state->large_stands_in = options.large_stands_in;
  state->small_stands_in = options.small_stands_in;
  state->observer = options.observer;
  state->clock = &clock;
  return std::unique_ptr<Router>(new Router(std::move(state)));
}

std::vector<ModelInfo> Router::Models() const {
  ModelInfo routed;
  routed.role = "router";
  if (state_->small.context_length != 0 && state_->large.context_length != 0) {
    routed.context_length = std::max(state_->small.context_length, state_->large.context_length);
  }
  std::vector<ModelInfo> infos;
  for (const std::string& name : state_->names.virtual_names()) {
    routed.name = name;
    infos.push_back(routed);
  }
  for (const Target* target : {&state_->small, &state_->large}) {
    const auto add = [&](const std::string& name, const std::string& weights) {
      Result<ModelInfo> found = FindModel(target->backend(), name, "model");
      if (!found.ok()) return;
      found->role = target->role;
      found->weights = weights;
      found->draft_model = target->place.draft_model;
      infos.push_back(*std::move(found));
    };
    add(target->model(), "");
    for (const auto& [weights, name] : target->place.variants) add(name, weights);
  }
  return infos;
}

std::vector<ModelLoad> Router::Load() const {
  std::vector<ModelLoad> loads = state_->small.backend().Load();
  if (&state_->large.backend() != &state_->small.backend()) {
    for (ModelLoad& load : state_->large.backend().Load()) loads.push_back(std::move(load));
  }
  return loads;
}

Result<int> Router::CountPromptTokens(const Request& request) const {
  AIO_ASSIGN_OR_RETURN(const State::Named named, state_->FindNamed(request.model));
  return named.backend.CountPromptTokens(ForModel(request, named.model));
}

Status Router::ValidateLabels(std::string_view model, const LabelQuery& labels) const {
  AIO_ASSIGN_OR_RETURN(const State::Named named, state_->FindNamed(model));
  return named.backend.ValidateLabels(named.model, labels);
}

Result<std::shared_ptr<Ticket>> Router::ScoreLabels(const Request& request,
                                                    const LabelQuery& labels,
                                                    LabelScoresCallback done) {
  AIO_ASSIGN_OR_RETURN(const State::Named named, state_->FindNamed(request.model));
  return named.backend.ScoreLabels(ForModel(request, named.model), labels, std::move(done));
}

Status Router::Decide(const Request& request, DecisionCallback done) {
  AIO_RETURN_IF_ERROR(CheckThreshold(request));
  AIO_ASSIGN_OR_RETURN(const NamedRoute route, state_->names.Resolve(request.model));
  if (!route.role.empty()) {
    AIO_ASSIGN_OR_RETURN(Decision decision, state_->DecideByName(request, route));
    return state_->Report(request, std::move(decision), std::move(done));
  }
  return state_->DecideRouted(request, route, [done = std::move(done)](auto decided) {
    if (!decided.ok()) return done(decided.status());
    done(std::move(decided->decision));
  });
}

Status Router::DecideFromSignals(const Request& request, SignalsCallback done) {
  AIO_RETURN_IF_ERROR(CheckThreshold(request));
  AIO_ASSIGN_OR_RETURN(const NamedRoute route, state_->names.Resolve(request.model));
  if (route.role.empty()) return state_->DecideRouted(request, route, std::move(done));
  return InvalidArgument(fmt::format("{} names a model, so no policy decides; name one of {}",
                                     QuoteClientText(request.model),
                                     fmt::join(state_->names.virtual_names(), ", ")))
      .WithParam("model");
}

std::shared_ptr<SessionTable> Router::sessions() const { return state_->sessions; }

const RoutingPolicy& Router::policy() const { return state_->policy; }

std::optional<DriftReport> Router::drift() const {
  if (state_->drift == nullptr) return std::nullopt;
  return state_->drift->report();
}

Result<std::shared_ptr<Ticket>> Router::Generate(Request request, std::shared_ptr<EventSink> sink) {
  AIO_RETURN_IF_ERROR(CheckThreshold(request));
  AIO_ASSIGN_OR_RETURN(const NamedRoute route, state_->names.Resolve(request.model));
  if (!route.role.empty()) {
    AIO_ASSIGN_OR_RETURN(Decision decision, state_->DecideByName(request, route));
    Basis basis{.signals = std::nullopt, .prompt_hash = state_->HashForObserver(request.prompt)};
    return state_->Dispatch(std::move(request), std::move(decision), std::move(basis), Traffic{},
                            std::move(sink));
  }
  AIO_ASSIGN_OR_RETURN(RoutedRequest prepared, state_->Prepare(std::move(request), route));
  prepared.prompt_hash = state_->HashForObserver(prepared.request.prompt);
  // Copied for the chosen backend: the probing one may still be reading it in ScoreLabels()
  // when its scores arrive.
  const auto routed = std::make_shared<const RoutedRequest>(std::move(prepared));
  if (!state_->WantsProbe(*routed)) {
    return state_->DispatchRouted(routed, Look{}, std::move(sink));
  }
  const auto pending = std::make_shared<PendingGeneration>(
      [state = state_, routed](Result<ProbeResult> probe,
                               std::shared_ptr<EventSink> to) -> Result<std::shared_ptr<Ticket>> {
        AIO_ASSIGN_OR_RETURN(Look look, ToLook(std::move(probe)));
        return state->DispatchRouted(routed, std::move(look), std::move(to));
      },
      std::move(sink));
  return pending->Start(state_->probe, routed->request);
}

}  // namespace aio
