#include "router/router.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "base/sha256.h"
#include "router/model_names.h"
#include "router/pending_generation.h"
#include "router/probe.h"

namespace aio {
namespace {

constexpr std::string_view kOverrideRule = "override";
constexpr std::string_view kContextLengthExceeded = "context_length_exceeded";

// Variants share their model's backend, context and vocabulary.
struct Target {
  std::string_view role;
  RoleTarget place;
  int context_length = 0;    // 0: unknown
  int64_t weight_bytes = 0;  // 0: unknown
  uint64_t vocabulary = 0;   // a fingerprint; 0: unknown

  Backend& backend() const { return *place.backend; }
  const std::string& model() const { return place.model; }
  // Null if they are not resident.
  const std::string* ModelWith(std::string_view weights) const {
    if (weights.empty()) return &place.model;
    const auto found = place.variants.find(weights);
    return found == place.variants.end() ? nullptr : &found->second;
  }
  std::vector<std::string> VariantNames() const {
    std::vector<std::string> names;
    for (const auto& [weights, model] : place.variants) names.push_back(weights);
    return names;
  }
};

// A request that the policy decides, and what is known of it before the probe.
struct RoutedRequest {
  Request request;          // as the probe takes it: `model` is the small model's name
  int prompt_tokens = 0;    // as the small model counts
  std::string count_fault;  // why it could not count; the large model's count is used then
  // The client's own choices.
  std::optional<Strategy> strategy;
  std::optional<std::string> weights;
  ContextNeed small;
  ContextNeed large;
  // When it came in: the probe's callback may not ask the backend that calls it.
  LoadSignals small_load;
  LoadSignals large_load;
};

// What came of looking at it.
struct Look {
  std::optional<ProbeResult> probe;  // absent: not probed
  std::string fault;                 // why not, if something went wrong
};

// A fault in a few words that may stand in a header.
std::string Brief(const Status& status) {
  constexpr size_t kShownMax = 60;
  std::string text = status.message().substr(0, kShownMax);
  for (char& c : text) {
    if (c < ' ' || c > '~') c = '?';
  }
  if (status.message().size() > kShownMax) text += "...";
  return fmt::format("{}: {}", StatusCodeName(status.code()), text);
}

// A probe that failed is no reason to fail the request, unless the request itself is wrong or
// over. One that the template made too long for the small model simply was not probed.
Result<Look> ToLook(Result<ProbeResult> result) {
  if (result.ok()) return Look{.probe = *std::move(result), .fault = {}};
  const Status status = result.status();
  if (status.reason() == kContextLengthExceeded) return Look{};
  switch (status.code()) {
    case StatusCode::kInvalidArgument:
    case StatusCode::kCancelled:
    case StatusCode::kDeadlineExceeded:
      return status;
    default:
      return Look{.probe = std::nullopt, .fault = Brief(status)};
  }
}

Request ForModel(Request request, const std::string& model) {
  request.model = model;
  request.weights.reset();
  return request;
}

// As the backend of the decision's model is asked.
Request Decided(Request request, const Decision& decision) {
  request.model = decision.model;
  request.weights.reset();  // the model's own
  request.strategy = decision.strategy;
  if (decision.probed) request.intent = decision.intent;
  return request;
}

Status CheckThreshold(const Request& request) {
  if (!request.entropy_threshold) return Status::Ok();
  if (std::isfinite(*request.entropy_threshold) && *request.entropy_threshold >= 0) {
    return Status::Ok();
  }
  return InvalidArgument("the entropy threshold must be a finite number >= 0, in nats")
      .WithParam("aio.entropy_threshold");
}

// "the large model has w8a16"
std::string WeightsOf(const Target& target) {
  return fmt::format("the {} model has {}", target.role, fmt::join(target.VariantNames(), " and "));
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

Status FitsNowhere(const RoutedRequest& routed) {
  // The wider of the two, unless that one would do and only its model is gone.
  const bool small =
      !routed.small.fits() && routed.small.context_length > routed.large.context_length;
  const ContextNeed& need = small ? routed.small : routed.large;
  const bool chat = std::holds_alternative<std::vector<ChatMessage>>(routed.request.prompt);
  const bool limited = routed.request.sampling.max_tokens.has_value();
  return InvalidArgument(
             fmt::format("the prompt's {} tokens and {} for the answer are {}, more than the "
                         "largest context, {} tokens; shorten the prompt{}",
                         need.prompt_tokens, need.answer_tokens,
                         need.prompt_tokens + need.answer_tokens, need.context_length,
                         limited ? " or lower max_tokens" : ""))
      .WithReason(std::string(kContextLengthExceeded))
      .WithParam(chat ? "messages" : "prompt");
}

// Passes events on: with the decision added to the first, and what the probe took to the last.
class DecidedSink final : public EventSink {
 public:
  DecidedSink(std::shared_ptr<EventSink> sink, Decision decision, const Traffic& probe_traffic)
      : sink_(std::move(sink)),
        decision_(std::move(decision)),
        probe_ms_(decision_.probe_ms),
        probe_traffic_(probe_traffic) {}

  void OnStart(const StartEvent& event) override {
    StartEvent decided = event;
    // An override was decided without counting; the model knows.
    if (decision_.prompt_tokens == 0) decision_.prompt_tokens = event.prompt_tokens;
    decided.decision = std::move(decision_);
    sink_->OnStart(decided);
  }
  void OnToken(const TokenEvent& event) override { sink_->OnToken(event); }
  void OnFinish(const FinishEvent& event) override {
    FinishEvent whole = event;
    whole.timings.probe_ms += probe_ms_;
    whole.traffic += probe_traffic_;
    sink_->OnFinish(whole);
  }
  void OnError(const Status& status) override { sink_->OnError(status); }

 private:
  const std::shared_ptr<EventSink> sink_;
  Decision decision_;
  const double probe_ms_;
  const Traffic probe_traffic_;
};

Result<ModelInfo> FindModel(const Backend& backend, const std::string& name,
                            std::string_view what) {
  for (ModelInfo& info : backend.Models()) {
    if (info.name == name) return std::move(info);
  }
  return NotFound(fmt::format("the {}, '{}', is not among those of its backend", what, name));
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
                .vocabulary = own.vocabulary_fingerprint};
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

Status CheckArms(const RoutingPolicy& policy, const Target& small, const Target& large) {
  const auto target_of = [&](std::string_view role) -> const Target& {
    return role == kSmallRole ? small : large;
  };
  for (const RoutingRule& rule : policy.rules()) {
    AIO_RETURN_IF_ERROR(CheckArm(target_of(rule.role),
                                 fmt::format("policy '{}', rule '{}'", policy.name(), rule.name),
                                 rule.weights, rule.strategy));
  }
  for (const PolicyArm& arm : policy.settings().arms) {
    AIO_RETURN_IF_ERROR(CheckArm(target_of(arm.role),
                                 fmt::format("policy '{}', arm", policy.name()), arm.weights,
                                 arm.strategy));
  }
  return Status::Ok();
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

// Immutable after Create(); shared by the router and what it started.
struct Router::State {
  State(Target small_target, Target large_target, Probe small_probe, ModelNames model_names)
      : small(std::move(small_target)),
        large(std::move(large_target)),
        probe(std::move(small_probe)),
        names(std::move(model_names)) {}

  // A concrete model that a request's `model` names; for a virtual name the small one.
  struct Named {
    Backend& backend;
    std::string model;
  };
  Result<Named> FindNamed(std::string_view name) const;
  const Target& TargetOf(std::string_view role) const { return role == kSmallRole ? small : large; }

  Result<RoutedRequest> Prepare(Request request, const NamedRoute& route) const;
  Status CheckArm(const Request& request) const;
  Status CheckTokenIds(const Request& request) const;
  Status CountTokens(RoutedRequest& routed) const;
  Status CheckContext(RoutedRequest& routed) const;
  void ReadLoads(RoutedRequest& routed) const;
  bool WantsProbe(const RoutedRequest& routed) const;
  Signals ToSignals(const RoutedRequest& routed, const Look& look) const;

  Decision DecideByPolicy(const RoutedRequest& routed, const Look& look) const;
  Result<Decision> DecideByName(const Request& request, const NamedRoute& route) const;

  Status Report(Request request, Decision decision, DecisionCallback done) const;
  Result<std::shared_ptr<Ticket>> Dispatch(Request request, Decision decision,
                                           const Traffic& probe_traffic,
                                           std::shared_ptr<EventSink> sink) const;
  Result<std::shared_ptr<Ticket>> DispatchRouted(const RoutedRequest& routed, Look look,
                                                 std::shared_ptr<EventSink> sink) const;

  const Target small;
  const Target large;
  const Probe probe;
  const ModelNames names;
  RoutingPolicy policy;
};

// --- the steps of a routed request -----------------------------------------------------

Result<RoutedRequest> Router::State::Prepare(Request request, const NamedRoute& route) const {
  AIO_RETURN_IF_ERROR(CheckArm(request));
  AIO_RETURN_IF_ERROR(CheckTokenIds(request));
  RoutedRequest routed;
  routed.strategy = request.strategy;
  routed.weights = request.weights;
  routed.request = std::move(request);
  routed.request.model = small.model();
  routed.request.weights.reset();
  routed.request.held_prompt.reset();  // the probe makes its own
  // No model drafts for the small one. Its probe decodes nothing, but checks the parameters.
  std::optional<Strategy>& strategy = routed.request.strategy;
  if (strategy && strategy->kind == StrategyKind::kDraftModel) {
    strategy->kind = StrategyKind::kPromptLookup;
  }
  if (!routed.request.entropy_threshold) {
    routed.request.entropy_threshold = route.entropy_threshold;
  }
  AIO_RETURN_IF_ERROR(CountTokens(routed));
  AIO_RETURN_IF_ERROR(CheckContext(routed));
  ReadLoads(routed);
  return routed;
}

// What no role could do. What only one can, the other does in its own way.
Status Router::State::CheckArm(const Request& request) const {
  const std::string weights = request.weights.value_or("");
  if (small.ModelWith(weights) == nullptr && large.ModelWith(weights) == nullptr) {
    return NoSuchWeights(weights, {&small, &large});
  }
  const bool drafts = request.strategy && request.strategy->kind == StrategyKind::kDraftModel;
  if (!drafts || !large.place.draft_model.empty()) return Status::Ok();
  return InvalidArgument(
             fmt::format("no model drafts for '{}'; choose another strategy", large.model()))
      .WithParam("aio.strategy");
}

// Ids are of one vocabulary, and which model will read them is not known yet.
Status Router::State::CheckTokenIds(const Request& request) const {
  if (small.vocabulary != 0 && small.vocabulary == large.vocabulary) return Status::Ok();
  const bool in_prompt = std::holds_alternative<std::vector<int32_t>>(request.prompt);
  if (!in_prompt && request.sampling.logit_bias.empty()) return Status::Ok();
  return InvalidArgument(fmt::format("token ids mean different things to '{}' and '{}', whose "
                                     "vocabularies differ; name one of them as the model",
                                     small.model(), large.model()))
      .WithParam(in_prompt ? "prompt" : "logit_bias");
}

// A prompt that is wrong fails; a small model that cannot count just now does not.
Status Router::State::CountTokens(RoutedRequest& routed) const {
  Result<int> count = small.backend().CountPromptTokens(routed.request);
  if (!count.ok()) {
    if (count.status().code() == StatusCode::kInvalidArgument) return count.status();
    routed.count_fault = Brief(count.status());
    count = large.backend().CountPromptTokens(ForModel(routed.request, large.model()));
    if (!count.ok()) return count.status();
  }
  routed.prompt_tokens = *count;
  return Status::Ok();
}

// Everything about the context is settled here, before the probe: its callback may not ask
// the backend that calls it for a count.
Status Router::State::CheckContext(RoutedRequest& routed) const {
  // A prompt that is this many times shorter than a context fits it by any tokenizer of
  // practice, and need not be counted twice.
  constexpr int64_t kTokenizerSpread = 4;
  const int64_t answer_tokens = std::max(0, routed.request.sampling.max_tokens.value_or(1));
  routed.small = {.prompt_tokens = routed.prompt_tokens,
                  .answer_tokens = answer_tokens,
                  .context_length = small.context_length};
  routed.large = routed.small;
  routed.large.context_length = large.context_length;

  const int64_t need = routed.prompt_tokens + answer_tokens;
  if (large.context_length != 0 && kTokenizerSpread * need > large.context_length) {
    const Result<int> count =
        large.backend().CountPromptTokens(ForModel(routed.request, large.model()));
    // If it cannot count now, its own check in Generate() has the last word.
    if (count.ok()) routed.large.prompt_tokens = *count;
  }
  const bool small_answers = routed.small.fits() && routed.count_fault.empty();
  if (small_answers || routed.large.fits()) return Status::Ok();
  return FitsNowhere(routed);
}

void Router::State::ReadLoads(RoutedRequest& routed) const {
  const std::vector<ModelLoad> loads = small.backend().Load();
  routed.small_load = LoadOf(loads, small.model());
  const bool shared = &large.backend() == &small.backend();
  routed.large_load = LoadOf(shared ? loads : large.backend().Load(), large.model());
}

bool Router::State::WantsProbe(const RoutedRequest& routed) const {
  return policy.wants_probe() && routed.count_fault.empty() &&
         routed.prompt_tokens <= policy.probe_prompt_tokens_max();
}

Signals Router::State::ToSignals(const RoutedRequest& routed, const Look& look) const {
  Signals signals;
  signals.prompt_tokens = routed.prompt_tokens;
  signals.entropy_threshold = routed.request.entropy_threshold;
  signals.strategy = routed.strategy;
  signals.weights = routed.weights;
  signals.small = {.context = routed.small,
                   .variants = small.VariantNames(),
                   .load = routed.small_load,
                   .weight_bytes = small.weight_bytes};
  signals.large = {.context = routed.large,
                   .variants = large.VariantNames(),
                   .load = routed.large_load,
                   .weight_bytes = large.weight_bytes};
  signals.probe_fault = routed.count_fault.empty() ? look.fault : routed.count_fault;
  signals.answer_tokens_max = routed.request.sampling.max_tokens;
  signals.request_hash = Sha256Uint64(routed.request.id);
  if (look.probe) {
    signals.intent = look.probe->intent;
    signals.label_logits = look.probe->logits;
    signals.doubts = look.probe->doubts;
  }
  return signals;
}

Decision Router::State::DecideByPolicy(const RoutedRequest& routed, const Look& look) const {
  PolicyOutcome outcome = policy.Decide(ToSignals(routed, look));

  Decision decision;
  decision.model = *TargetOf(outcome.role).ModelWith(outcome.weights);
  decision.role = std::move(outcome.role);
  decision.weights = std::move(outcome.weights);
  decision.strategy = outcome.strategy;
  decision.reason = std::move(outcome.reason);
  decision.rule = std::move(outcome.rule);
  decision.prompt_tokens = routed.prompt_tokens;
  if (look.probe) {
    const IntentDistribution& intent = *outcome.intent;
    decision.probed = true;
    decision.intent = intent.labels[intent.top()];
    for (size_t i = 0; i < intent.labels.size(); ++i) {
      decision.probabilities.emplace_back(intent.labels[i], intent.probabilities[i]);
    }
    decision.entropy = intent.entropy;
    decision.probe_ms = look.probe->elapsed_ms;
  }
  return decision;
}

Result<Decision> Router::State::DecideByName(const Request& request,
                                             const NamedRoute& route) const {
  const Target& target = TargetOf(route.role);
  const std::string weights = request.weights.value_or(route.weights);
  if (!route.weights.empty() && weights != route.weights) {
    return InvalidArgument(fmt::format("'{}' is the {} variant of '{}': name that one, or leave "
                                       "the weights out",
                                       request.model, route.weights, target.model()))
        .WithParam("aio.weights");
  }
  const std::string* model = target.ModelWith(weights);
  if (model == nullptr) return NoSuchWeights(weights, {&target});
  Decision decision;
  decision.model = *model;
  decision.role = target.role;
  decision.weights = weights;
  decision.strategy = request.strategy.value_or(Strategy{});
  decision.rule = kOverrideRule;
  decision.reason =
      fmt::format("asked for by name: {} model answers with {}{}", target.role,
                  StrategyName(decision.strategy.kind), weights.empty() ? "" : " on " + weights);
  return decision;
}

// By the chosen backend's own Decide(), which refuses what its Generate() would refuse.
Status Router::State::Report(Request request, Decision decision, DecisionCallback done) const {
  request = Decided(std::move(request), decision);
  Backend& backend = TargetOf(decision.role).backend();
  return backend.Decide(
      request, [decision = std::move(decision), done = std::move(done)](Result<Decision> own) {
        if (!own.ok()) return done(own.status());
        Decision reported = decision;
        if (reported.prompt_tokens == 0) reported.prompt_tokens = own->prompt_tokens;
        done(std::move(reported));
      });
}

Result<std::shared_ptr<Ticket>> Router::State::Dispatch(Request request, Decision decision,
                                                        const Traffic& probe_traffic,
                                                        std::shared_ptr<EventSink> sink) const {
  request = Decided(std::move(request), decision);
  Backend& backend = TargetOf(decision.role).backend();
  return backend.Generate(
      std::move(request),
      std::make_shared<DecidedSink>(std::move(sink), std::move(decision), probe_traffic));
}

Result<std::shared_ptr<Ticket>> Router::State::DispatchRouted(
    const RoutedRequest& routed, Look look, std::shared_ptr<EventSink> sink) const {
  Decision decision = DecideByPolicy(routed, look);
  Request request = routed.request;
  const Traffic probe_traffic = look.probe ? look.probe->traffic : Traffic{};
  if (look.probe && decision.model == small.model()) {
    request.held_prompt = std::move(look.probe->held_prompt);
  }
  look = {};  // no other model needs the small one's KV: free before it starts
  return Dispatch(std::move(request), std::move(decision), probe_traffic, std::move(sink));
}

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
    for (const auto& [weights, name] : target->place.variants) {
      models.push_back({.name = name, .role = target->role, .weights = weights});
    }
  }
  AIO_ASSIGN_OR_RETURN(ModelNames names,
                       ModelNames::Create(std::move(options.virtual_names), std::move(models),
                                          options.labels.labels.size()));
  if (options.policy.name().empty()) return InvalidArgument("there is no routing policy");
  std::vector<std::string> labels;
  for (const LabelQuery::Label& label : options.labels.labels) labels.push_back(label.name);
  AIO_RETURN_IF_ERROR(options.policy.CheckLabels(labels));
  AIO_RETURN_IF_ERROR(CheckArms(options.policy, small, large));
  AIO_RETURN_IF_ERROR(small.backend().ValidateLabels(small.model(), options.labels));

  if (options.defences.second_template) {
    AIO_RETURN_IF_ERROR(
        small.backend().ValidateLabels(small.model(), *options.defences.second_template));
  }
  Probe probe(small.backend(), std::move(options.labels), clock, std::move(options.defences),
              [policy = options.policy](const ProbeResult& seen) {
                return SmallModelsIntent(policy, seen);
              });
  auto state = std::make_shared<State>(std::move(small), std::move(large), std::move(probe),
                                       std::move(names));
  state->policy = std::move(options.policy);
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
  AIO_ASSIGN_OR_RETURN(RoutedRequest prepared, state_->Prepare(request, route));
  const auto routed = std::make_shared<const RoutedRequest>(std::move(prepared));
  Look look;
  if (state_->WantsProbe(*routed)) {
    const auto probing =
        state_->probe.Start(routed->request, [state = state_, routed, done](auto probe) {
          const Result<Look> seen = ToLook(std::move(probe));
          if (!seen.ok()) return done(seen.status());
          done(state->DecideByPolicy(*routed, *seen));
        });
    if (probing.ok()) return Status::Ok();
    AIO_ASSIGN_OR_RETURN(look, ToLook(probing.status()));
  }
  return state_->Report(routed->request, state_->DecideByPolicy(*routed, look), std::move(done));
}

Result<std::shared_ptr<Ticket>> Router::Generate(Request request, std::shared_ptr<EventSink> sink) {
  AIO_RETURN_IF_ERROR(CheckThreshold(request));
  AIO_ASSIGN_OR_RETURN(const NamedRoute route, state_->names.Resolve(request.model));
  if (!route.role.empty()) {
    AIO_ASSIGN_OR_RETURN(Decision decision, state_->DecideByName(request, route));
    return state_->Dispatch(std::move(request), std::move(decision), Traffic{}, std::move(sink));
  }
  AIO_ASSIGN_OR_RETURN(RoutedRequest prepared, state_->Prepare(std::move(request), route));
  if (!state_->WantsProbe(prepared)) {
    return state_->DispatchRouted(prepared, Look{}, std::move(sink));
  }
  // Copied for the chosen backend: the probing one may still be reading it in ScoreLabels()
  // when its scores arrive.
  const auto routed = std::make_shared<const RoutedRequest>(std::move(prepared));
  const auto pending = std::make_shared<PendingGeneration>(
      [state = state_, routed](Result<ProbeResult> probe,
                               std::shared_ptr<EventSink> to) -> Result<std::shared_ptr<Ticket>> {
        AIO_ASSIGN_OR_RETURN(Look look, ToLook(std::move(probe)));
        return state->DispatchRouted(*routed, std::move(look), std::move(to));
      },
      std::move(sink));
  return pending->Start(state_->probe, routed->request);
}

}  // namespace aio
