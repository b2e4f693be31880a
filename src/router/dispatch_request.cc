// From a decision to a model at work.
#include <fmt/format.h>

#include <utility>

#include "router/decided_sink.h"
#include "router/fallback_generation.h"
#include "router/prompt_hash.h"
#include "router/router_state.h"

namespace aio {

std::string Router::State::HashForObserver(const Prompt& prompt) const {
  return observer == nullptr ? "" : PromptHash(prompt);
}

std::shared_ptr<ToldDecision> Router::State::Tell(const Request& request, const Decision& decision,
                                                  Basis basis) const {
  if (observer == nullptr) return nullptr;
  DecisionRecord record;
  record.request_id = request.id;
  record.unix_seconds = clock->UnixSeconds();
  record.prompt_hash = std::move(basis.prompt_hash);
  if (observer->wants_prompts()) record.prompt = request.prompt;
  record.small_model = small.model();
  record.large_model = large.model();
  record.small_fingerprint = small.fingerprint;
  record.large_fingerprint = large.fingerprint;
  if (basis.signals) record.policy_hash = policy.hash();
  record.signals = std::move(basis.signals);
  record.decision = decision;
  return std::make_shared<ToldDecision>(*observer, std::move(record));
}

Result<std::shared_ptr<Ticket>> Router::State::Dispatch(Request request, Decision decision,
                                                        Basis basis, const Traffic& probe_traffic,
                                                        std::shared_ptr<EventSink> sink) const {
  const std::shared_ptr<ToldDecision> told = Tell(request, decision, std::move(basis));
  request = Decided(std::move(request), decision);
  Backend& backend = TargetOf(decision.role).backend();
  Result<std::shared_ptr<Ticket>> generation = backend.Generate(
      std::move(request),
      std::make_shared<DecidedSink>(std::move(sink), std::move(decision), probe_traffic, told));
  if (!generation.ok() && told != nullptr) told->Failed(generation.status());
  return generation;
}

Result<std::shared_ptr<Ticket>> Router::State::DispatchRouted(
    std::shared_ptr<const RoutedRequest> routed, Look look, std::shared_ptr<EventSink> sink) const {
  Basis basis{.signals = ToSignals(*routed, look), .prompt_hash = routed->prompt_hash};
  RoutedDecision decided = DecideByPolicy(*basis.signals, look);
  if (decided.cascade) {
    return StartCascade(std::move(routed), *std::move(basis.signals), decided, std::move(sink));
  }
  RememberTurn(*routed, decided);
  if (drift != nullptr && decided.intent) drift->Observe(*decided.intent);
  Request request = routed->request;
  const Traffic probe_traffic = look.probe ? look.probe->traffic : Traffic{};
  if (look.probe && decided.decision.model == small.model()) {
    request.held_prompt = std::move(look.probe->held_prompt);
  }
  look = {};  // no other model needs the small one's KV: free before it starts
  if (const Target* other = StandIn(*routed, decided.decision)) {
    return DispatchWithStandIn(std::move(routed), *other, std::move(request),
                               std::move(decided.decision), std::move(basis), probe_traffic,
                               std::move(sink));
  }
  return Dispatch(std::move(request), std::move(decided.decision), std::move(basis), probe_traffic,
                  std::move(sink));
}

const Target* Router::State::StandIn(const RoutedRequest& routed, const Decision& decision) const {
  // Of one backend both models are gone together.
  if (small.place.backend == large.place.backend) return nullptr;
  const bool is_small = decision.role == kSmallRole;
  if (is_small) return large_stands_in && routed.large.fits() ? &large : nullptr;
  return small_stands_in && routed.small.fits() ? &small : nullptr;
}

Result<std::shared_ptr<Ticket>> Router::State::DispatchWithStandIn(
    std::shared_ptr<const RoutedRequest> routed, const Target& other, Request request,
    Decision decision, Basis basis, const Traffic& probe_traffic,
    std::shared_ptr<EventSink> sink) const {
  const std::shared_ptr<ToldDecision> told = Tell(request, decision, std::move(basis));
  auto start_other = [self = shared_from_this(), routed, &other, decision, told, probe_traffic](
                         const Status& fault, std::shared_ptr<EventSink> client) {
    Decision instead = decision;
    instead.model = other.model();
    instead.role = other.role;
    instead.weights.clear();
    instead.strategy = routed->strategy.value_or(Strategy{});
    if (instead.strategy.kind == StrategyKind::kDraftModel && other.place.draft_model.empty()) {
      instead.strategy = {};
    }
    instead.reason += fmt::format("; but '{}' is gone ({}): {} model stands in", decision.model,
                                  Brief(fault), other.role);
    Request again = Decided(routed->request, instead);
    auto generation = other.backend().Generate(
        std::move(again),
        std::make_shared<DecidedSink>(std::move(client), std::move(instead), probe_traffic, told));
    if (!generation.ok() && told != nullptr) told->Failed(generation.status());
    return generation;
  };
  Backend& backend = TargetOf(decision.role).backend();
  request = Decided(std::move(request), decision);
  const auto generation = std::make_shared<FallbackGeneration>(
      std::move(start_other),
      std::make_shared<DecidedSink>(sink, std::move(decision), probe_traffic, told), sink);
  Result<std::shared_ptr<Ticket>> begun =
      generation->Begin([&backend, &request](std::shared_ptr<EventSink> to) {
        return backend.Generate(std::move(request), std::move(to));
      });
  // Of the other model that has been told already.
  if (!begun.ok() && !generation->has_begun_other() && told != nullptr) {
    told->Failed(begun.status());
  }
  return begun;
}

// Decides again when the small model has begun, or failed to.
Result<std::shared_ptr<Ticket>> Router::State::StartCascade(
    std::shared_ptr<const RoutedRequest> routed, Signals signals, const RoutedDecision& begun,
    std::shared_ptr<EventSink> sink) const {
  const auto basis = std::make_shared<Basis>(
      Basis{.signals = std::move(signals), .prompt_hash = routed->prompt_hash});
  CascadeSteps steps;
  const std::shared_ptr<const State> self = shared_from_this();
  steps.start_small = [self, routed, begun](std::shared_ptr<EventSink> to) {
    Request request = Decided(routed->request, begun.decision);
    request.token_entropies_max = begun.cascade->tokens;
    return self->small.backend().Generate(std::move(request), std::move(to));
  };
  steps.settle = [self, routed, basis, client = sink](const std::optional<FirstTokens>& first,
                                                      const Status& fault) {
    basis->signals->first_tokens = first;
    if (!fault.ok()) basis->signals->probe_fault = Brief(fault);
    return self->SettleCascade(*routed, *basis, client);
  };
  const auto cascade = std::make_shared<CascadeGeneration>(begun.cascade->tokens, std::move(steps),
                                                           std::move(sink), *clock);
  return cascade->Start();
}

CascadeSettled Router::State::SettleCascade(const RoutedRequest& routed, const Basis& basis,
                                            std::shared_ptr<EventSink> client) const {
  RoutedDecision decided = DecideByPolicy(*basis.signals, Look{});
  RememberTurn(routed, decided);
  const std::shared_ptr<ToldDecision> told = Tell(routed.request, decided.decision, basis);
  CascadeSettled settled;
  if (decided.decision.role == kLargeRole) {
    settled.start_large =
        [&backend = large.backend(), told,
         request = Decided(routed.request, decided.decision)](std::shared_ptr<EventSink> to) {
          auto generation = backend.Generate(request, std::move(to));
          if (!generation.ok() && told != nullptr) told->Failed(generation.status());
          return generation;
        };
  }
  settled.sink = std::make_shared<DecidedSink>(std::move(client), std::move(decided.decision),
                                               Traffic{}, told);
  return settled;
}

void Router::State::RememberTurn(const RoutedRequest& routed, const RoutedDecision& decided) const {
  sessions->Remember(routed.session_keys, routed.session,
                     {.role = decided.decision.role,
                      .weights = decided.decision.weights,
                      .turns = 0,
                      .confidence = decided.confidence});
}

}  // namespace aio
