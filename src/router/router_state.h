// What a router is made of, and the steps of a request. Internal to router/.
//
//   Prepare() -> [probe] -> ToSignals() -> DecideByPolicy() -> Dispatch*() or Report()
#ifndef AIO_ROUTER_ROUTER_STATE_H_
#define AIO_ROUTER_ROUTER_STATE_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "router/cascade_generation.h"
#include "router/drift_guard.h"
#include "router/model_names.h"
#include "router/probe.h"
#include "router/role_targets.h"
#include "router/routed_request.h"
#include "router/router.h"
#include "router/session_table.h"
#include "router/told_decision.h"

namespace aio {

// Immutable after Create(), but for what is thread-safe; shared by the router and what it started.
struct Router::State : std::enable_shared_from_this<State> {
  State(Target small_target, Target large_target, Probe small_probe, ModelNames model_names,
        std::shared_ptr<SessionTable> session_table)
      : small(std::move(small_target)),
        large(std::move(large_target)),
        probe(std::move(small_probe)),
        names(std::move(model_names)),
        sessions(std::move(session_table)) {}

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

  RoutedDecision DecideByPolicy(const Signals& signals, const Look& look) const;
  Result<Decision> DecideByName(const Request& request, const NamedRoute& route) const;

  Status DecideRouted(const Request& request, const NamedRoute& route, SignalsCallback done) const;
  Status Report(Request request, Decision decision, DecisionCallback done) const;
  // Empty if there is no observer. For the caller's thread: a long prompt takes its time.
  std::string HashForObserver(const Prompt& prompt) const;
  // Null if there is no observer.
  std::shared_ptr<ToldDecision> Tell(const Request& request, const Decision& decision,
                                     Basis basis) const;
  Result<std::shared_ptr<Ticket>> Dispatch(Request request, Decision decision, Basis basis,
                                           const Traffic& probe_traffic,
                                           std::shared_ptr<EventSink> sink) const;
  // Null if no other model may answer in its place.
  const Target* StandIn(const RoutedRequest& routed, const Decision& decision) const;
  Result<std::shared_ptr<Ticket>> DispatchWithStandIn(std::shared_ptr<const RoutedRequest> routed,
                                                      const Target& other, Request request,
                                                      Decision decision, Basis basis,
                                                      const Traffic& probe_traffic,
                                                      std::shared_ptr<EventSink> sink) const;
  // These are for generations: what they count is the live traffic.
  Result<std::shared_ptr<Ticket>> DispatchRouted(std::shared_ptr<const RoutedRequest> routed,
                                                 Look look, std::shared_ptr<EventSink> sink) const;
  Result<std::shared_ptr<Ticket>> StartCascade(std::shared_ptr<const RoutedRequest> routed,
                                               Signals signals, const RoutedDecision& begun,
                                               std::shared_ptr<EventSink> sink) const;
  CascadeSettled SettleCascade(const RoutedRequest& routed, const Basis& basis,
                               std::shared_ptr<EventSink> client) const;
  void RememberTurn(const RoutedRequest& routed, const RoutedDecision& decided) const;

  const Target small;
  const Target large;
  const Probe probe;
  const ModelNames names;
  RoutingPolicy policy;
  bool large_stands_in = true;
  bool small_stands_in = false;
  DecisionObserver* observer = nullptr;  // null: nobody is told
  const Clock* clock = nullptr;
  const std::shared_ptr<SessionTable> sessions;
  std::unique_ptr<DriftGuard> drift;  // null: the policy does not watch
};

}  // namespace aio

#endif  // AIO_ROUTER_ROUTER_STATE_H_
