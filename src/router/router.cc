#include "router/router.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "router/model_names.h"
#include "router/pending_generation.h"
#include "router/probe.h"

namespace aio {
namespace {

constexpr std::string_view kOverrideRule = "override";
constexpr std::string_view kContextLengthExceeded = "context_length_exceeded";

struct Target {
  std::string_view role;
  Backend* backend = nullptr;
  std::string model;
  int context_length = 0;   // 0: unknown
  uint64_t vocabulary = 0;  // a fingerprint; 0: unknown
};

// Whether a prompt and the answer wanted fit into a model's context.
struct ContextNeed {
  int64_t prompt_tokens = 0;
  int64_t answer_tokens = 0;
  int context_length = 0;  // 0: unknown, counts as large enough

  bool fits() const {
    return context_length == 0 || prompt_tokens + answer_tokens <= context_length;
  }
};

// A request that the policy decides, and what is known of it before the probe.
struct RoutedRequest {
  Request request;          // `model` is the small model's name
  int prompt_tokens = 0;    // as the small model counts
  std::string count_fault;  // why it could not count; the large model's count is used then
  ContextNeed small;
  ContextNeed large;
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

// Passes events on, with the decision added to the first.
class DecidedSink final : public EventSink {
 public:
  DecidedSink(std::shared_ptr<EventSink> sink, Decision decision)
      : sink_(std::move(sink)), decision_(std::move(decision)) {}

  void OnStart(const StartEvent& event) override {
    StartEvent decided = event;
    // An override was decided without counting; the model knows.
    if (decision_.prompt_tokens == 0) decision_.prompt_tokens = event.prompt_tokens;
    decided.decision = std::move(decision_);
    sink_->OnStart(decided);
  }
  void OnToken(const TokenEvent& event) override { sink_->OnToken(event); }
  void OnFinish(const FinishEvent& event) override { sink_->OnFinish(event); }
  void OnError(const Status& status) override { sink_->OnError(status); }

 private:
  const std::shared_ptr<EventSink> sink_;
  Decision decision_;
};

Result<Target> FindTarget(std::string_view role, const RoleTarget& target) {
  AIO_CHECK(target.backend != nullptr, "a role without a backend");
  for (const ModelInfo& info : target.backend->Models()) {
    if (info.name != target.model) continue;
    return Target{.role = role,
                  .backend = target.backend,
                  .model = target.model,
                  .context_length = info.context_length,
                  .vocabulary = info.vocabulary_fingerprint};
  }
  return NotFound(
      fmt::format("the {} model, '{}', is not among those of its backend", role, target.model));
}

Status CheckIntentsAreLabels(const RoutingPolicy& policy, const LabelQuery& labels) {
  for (const RoutingRule& rule : policy.rules()) {
    for (const std::string& intent : rule.intents) {
      const bool known =
          std::any_of(labels.labels.begin(), labels.labels.end(),
                      [&](const LabelQuery::Label& label) { return label.name == intent; });
      if (known) continue;
      std::string names;
      for (const auto& label : labels.labels) names += (names.empty() ? "" : ", ") + label.name;
      return InvalidArgument(
          fmt::format("policy '{}', rule '{}': no label '{}' in the probe; it has: {}",
                      policy.name(), rule.name, intent, names));
    }
  }
  return Status::Ok();
}

}  // namespace

// Immutable after Create(); shared by the router and what it started.
struct Router::State {
  State(Target small_target, Target large_target, Probe small_probe, ModelNames model_names)
      : small(std::move(small_target)),
        large(std::move(large_target)),
        probe(std::move(small_probe)),
        names(std::move(model_names)) {}

  // The target that a request's `model` names; for a virtual name the small one.
  Result<const Target*> TargetNamed(std::string_view name) const;
  const Target& TargetOf(std::string_view role) const { return role == kSmallRole ? small : large; }

  Result<RoutedRequest> Prepare(Request request, const NamedRoute& route) const;
  Status CheckTokenIds(const Request& request) const;
  Status CountTokens(RoutedRequest& routed) const;
  Status CheckContext(RoutedRequest& routed) const;
  bool WantsProbe(const RoutedRequest& routed) const;

  Decision DecideByPolicy(const RoutedRequest& routed, const Look& look) const;
  Decision DecideByName(const Request& request, std::string_view role) const;

  Status Report(Request request, Decision decision, DecisionCallback done) const;
  Result<std::shared_ptr<Ticket>> Dispatch(Request request, Decision decision,
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
  AIO_RETURN_IF_ERROR(CheckTokenIds(request));
  RoutedRequest routed;
  routed.request = std::move(request);
  routed.request.model = small.model;
  routed.request.held_prompt.reset();  // the probe makes its own
  if (!routed.request.entropy_threshold) {
    routed.request.entropy_threshold = route.entropy_threshold;
  }
  AIO_RETURN_IF_ERROR(CountTokens(routed));
  AIO_RETURN_IF_ERROR(CheckContext(routed));
  return routed;
}

// Ids are of one vocabulary, and which model will read them is not known yet.
Status Router::State::CheckTokenIds(const Request& request) const {
  if (small.vocabulary != 0 && small.vocabulary == large.vocabulary) return Status::Ok();
  const bool in_prompt = std::holds_alternative<std::vector<int32_t>>(request.prompt);
  if (!in_prompt && request.sampling.logit_bias.empty()) return Status::Ok();
  return InvalidArgument(fmt::format("token ids mean different things to '{}' and '{}', whose "
                                     "vocabularies differ; name one of them as the model",
                                     small.model, large.model))
      .WithParam(in_prompt ? "prompt" : "logit_bias");
}

// A prompt that is wrong fails; a small model that cannot count just now does not.
Status Router::State::CountTokens(RoutedRequest& routed) const {
  Result<int> count = small.backend->CountPromptTokens(routed.request);
  if (!count.ok()) {
    if (count.status().code() == StatusCode::kInvalidArgument) return count.status();
    routed.count_fault = Brief(count.status());
    count = large.backend->CountPromptTokens(ForModel(routed.request, large.model));
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
        large.backend->CountPromptTokens(ForModel(routed.request, large.model));
    // If it cannot count now, its own check in Generate() has the last word.
    if (count.ok()) routed.large.prompt_tokens = *count;
  }
  const bool small_answers = routed.small.fits() && routed.count_fault.empty();
  if (small_answers || routed.large.fits()) return Status::Ok();
  return FitsNowhere(routed);
}

bool Router::State::WantsProbe(const RoutedRequest& routed) const {
  return routed.count_fault.empty() && routed.prompt_tokens <= policy.probe_prompt_tokens_max();
}

Decision Router::State::DecideByPolicy(const RoutedRequest& routed, const Look& look) const {
  Signals signals;
  signals.prompt_tokens = routed.prompt_tokens;
  signals.entropy_threshold = routed.request.entropy_threshold;
  signals.strategy = routed.request.strategy;
  signals.probe_fault = routed.count_fault.empty() ? look.fault : routed.count_fault;
  if (look.probe) signals.intent = look.probe->intent;
  PolicyOutcome outcome = policy.Decide(signals);

  const bool to_small = outcome.role == kSmallRole;
  const ContextNeed& need = to_small ? routed.small : routed.large;
  const ContextNeed& other_need = to_small ? routed.large : routed.small;
  if (!need.fits() && other_need.fits()) {
    const std::string_view other = to_small ? kLargeRole : kSmallRole;
    outcome.reason =
        fmt::format("{} + {} tokens > {} context {}: {} model answers (rule {}, context fit)",
                    need.prompt_tokens, need.answer_tokens, outcome.role, need.context_length,
                    other, outcome.rule);
    outcome.role = other;
  }

  Decision decision;
  decision.model = TargetOf(outcome.role).model;
  decision.role = std::move(outcome.role);
  decision.strategy = outcome.strategy;
  decision.reason = std::move(outcome.reason);
  decision.rule = std::move(outcome.rule);
  decision.prompt_tokens = routed.prompt_tokens;
  if (look.probe) {
    const IntentDistribution& intent = look.probe->intent;
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

Decision Router::State::DecideByName(const Request& request, std::string_view role) const {
  Decision decision;
  decision.model = TargetOf(role).model;
  decision.role = role;
  decision.strategy = request.strategy.value_or(Strategy{});
  decision.rule = kOverrideRule;
  decision.reason = fmt::format("asked for by name: {} model answers with {}", role,
                                StrategyName(decision.strategy.kind));
  return decision;
}

// By the chosen backend's own Decide(), which refuses what its Generate() would refuse.
Status Router::State::Report(Request request, Decision decision, DecisionCallback done) const {
  request.model = decision.model;
  request.strategy = decision.strategy;
  Backend& backend = *TargetOf(decision.role).backend;
  return backend.Decide(
      request, [decision = std::move(decision), done = std::move(done)](Result<Decision> own) {
        if (!own.ok()) return done(own.status());
        Decision reported = decision;
        if (reported.prompt_tokens == 0) reported.prompt_tokens = own->prompt_tokens;
        done(std::move(reported));
      });
}

Result<std::shared_ptr<Ticket>> Router::State::Dispatch(Request request, Decision decision,
                                                        std::shared_ptr<EventSink> sink) const {
  request.model = decision.model;
  request.strategy = decision.strategy;
  Backend& backend = *TargetOf(decision.role).backend;
  return backend.Generate(std::move(request),
                          std::make_shared<DecidedSink>(std::move(sink), std::move(decision)));
}

Result<std::shared_ptr<Ticket>> Router::State::DispatchRouted(
    const RoutedRequest& routed, Look look, std::shared_ptr<EventSink> sink) const {
  Decision decision = DecideByPolicy(routed, look);
  Request request = routed.request;
  if (look.probe && decision.role == kSmallRole) {
    request.held_prompt = std::move(look.probe->held_prompt);
  }
  look = {};  // the large model does not need the small one's KV: free before it starts
  return Dispatch(std::move(request), std::move(decision), std::move(sink));
}

Result<const Target*> Router::State::TargetNamed(std::string_view name) const {
  AIO_ASSIGN_OR_RETURN(const NamedRoute route, names.Resolve(name));
  return &TargetOf(route.role.empty() ? kSmallRole : route.role);
}

// --- Router ----------------------------------------------------------------------------

Router::Router(std::shared_ptr<const State> state) : state_(std::move(state)) {}
Router::~Router() = default;

Result<std::unique_ptr<Router>> Router::Create(RouterOptions options, const Clock& clock) {
  AIO_ASSIGN_OR_RETURN(Target small, FindTarget(kSmallRole, options.small));
  AIO_ASSIGN_OR_RETURN(Target large, FindTarget(kLargeRole, options.large));
  AIO_RETURN_IF_ERROR(CheckLabelQuery(options.labels));
  AIO_ASSIGN_OR_RETURN(ModelNames names,
                       ModelNames::Create(std::move(options.virtual_names), small.model,
                                          large.model, options.labels.labels.size()));
  if (options.policy.rules().empty()) return InvalidArgument("the routing policy has no rules");
  AIO_RETURN_IF_ERROR(CheckIntentsAreLabels(options.policy, options.labels));
  AIO_RETURN_IF_ERROR(small.backend->ValidateLabels(small.model, options.labels));

  Probe probe(*small.backend, std::move(options.labels), clock);
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
    for (ModelInfo& info : target->backend->Models()) {
      if (info.name != target->model) continue;
      info.role = target->role;
      infos.push_back(std::move(info));
      break;
    }
  }
  return infos;
}

std::vector<ModelLoad> Router::Load() const {
  std::vector<ModelLoad> loads = state_->small.backend->Load();
  if (state_->large.backend != state_->small.backend) {
    for (ModelLoad& load : state_->large.backend->Load()) loads.push_back(std::move(load));
  }
  return loads;
}

Result<int> Router::CountPromptTokens(const Request& request) const {
  AIO_ASSIGN_OR_RETURN(const Target* target, state_->TargetNamed(request.model));
  return target->backend->CountPromptTokens(ForModel(request, target->model));
}

Status Router::ValidateLabels(std::string_view model, const LabelQuery& labels) const {
  AIO_ASSIGN_OR_RETURN(const Target* target, state_->TargetNamed(model));
  return target->backend->ValidateLabels(target->model, labels);
}

Result<std::shared_ptr<Ticket>> Router::ScoreLabels(const Request& request,
                                                    const LabelQuery& labels,
                                                    LabelScoresCallback done) {
  AIO_ASSIGN_OR_RETURN(const Target* target, state_->TargetNamed(request.model));
  return target->backend->ScoreLabels(ForModel(request, target->model), labels, std::move(done));
}

Status Router::Decide(const Request& request, DecisionCallback done) {
  AIO_RETURN_IF_ERROR(CheckThreshold(request));
  AIO_ASSIGN_OR_RETURN(const NamedRoute route, state_->names.Resolve(request.model));
  if (!route.role.empty()) {
    return state_->Report(request, state_->DecideByName(request, route.role), std::move(done));
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
    Decision decision = state_->DecideByName(request, route.role);
    return state_->Dispatch(std::move(request), std::move(decision), std::move(sink));
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
