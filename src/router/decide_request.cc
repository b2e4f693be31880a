// From what is known of a request to a decision, and no further.
#include <fmt/format.h>

#include <utility>

#include "base/sha256.h"
#include "router/router_state.h"

namespace aio {
namespace {

constexpr std::string_view kOverrideRule = "override";

}  // namespace

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
  signals.true_label = routed.request.intent;
  signals.session = routed.session;
  if (drift != nullptr) signals.drift = drift->signals();
  if (look.probe) {
    signals.intent = look.probe->intent;
    signals.label_logits = look.probe->logits;
    signals.doubts = look.probe->doubts;
  }
  return signals;
}

RoutedDecision Router::State::DecideByPolicy(const Signals& signals, const Look& look) const {
  PolicyOutcome outcome = policy.Decide(signals);

  RoutedDecision decided{.decision = {},
                         .intent = std::move(outcome.intent),
                         .confidence = outcome.confidence,
                         .cascade = outcome.cascade};
  Decision& decision = decided.decision;
  decision.model = *TargetOf(outcome.role).ModelWith(outcome.weights);
  decision.role = std::move(outcome.role);
  decision.weights = std::move(outcome.weights);
  decision.strategy = outcome.strategy;
  decision.reason = std::move(outcome.reason);
  decision.rule = std::move(outcome.rule);
  decision.prompt_tokens = signals.prompt_tokens;
  if (look.probe) {
    const IntentDistribution& intent = *decided.intent;
    decision.probed = true;
    decision.intent = intent.labels[intent.top()];
    for (size_t i = 0; i < intent.labels.size(); ++i) {
      decision.probabilities.emplace_back(intent.labels[i], intent.probabilities[i]);
    }
    decision.entropy = intent.entropy;
    decision.probe_ms = look.probe->elapsed_ms;
  }
  return decided;
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

Status Router::State::DecideRouted(const Request& request, const NamedRoute& route,
                                   SignalsCallback done) const {
  AIO_ASSIGN_OR_RETURN(RoutedRequest prepared, Prepare(request, route));
  const auto routed = std::make_shared<const RoutedRequest>(std::move(prepared));
  Look look;
  if (WantsProbe(*routed)) {
    const auto probing =
        probe.Start(routed->request, [state = shared_from_this(), routed, done](auto result) {
          const Result<Look> seen = ToLook(std::move(result));
          if (!seen.ok()) return done(seen.status());
          Signals signals = state->ToSignals(*routed, *seen);
          Decision decision = state->DecideByPolicy(signals, *seen).decision;
          done(DecisionFromSignals{std::move(decision), std::move(signals)});
        });
    if (probing.ok()) return Status::Ok();
    AIO_ASSIGN_OR_RETURN(look, ToLook(probing.status()));
  }
  Signals signals = ToSignals(*routed, look);
  Decision decision = DecideByPolicy(signals, look).decision;
  return Report(routed->request, std::move(decision),
                [signals = std::move(signals), done = std::move(done)](Result<Decision> own) {
                  if (!own.ok()) return done(own.status());
                  done(DecisionFromSignals{*std::move(own), signals});
                });
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

}  // namespace aio
