// Routes each request to one of two models by one look at it: itself a Backend.
//
// The life of a request: names and overrides first (a concrete model bypasses routing),
// then the prompt's length, then the probe on the small model, then the policy, then
// Generate() on the chosen backend. Decisions are made once a request, never a token.
#ifndef AIO_ROUTER_ROUTER_H_
#define AIO_ROUTER_ROUTER_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.h"
#include "base/clock.h"
#include "base/status.h"
#include "router/decision_observer.h"
#include "router/drift_guard.h"
#include "router/routing_policy.h"
#include "router/second_look.h"

namespace aio {

class SessionTable;  // router/session_table.h

// Where a role lives: a backend (not owned; must outlive the router and the last event of
// what was started through it) and the model's name there.
struct RoleTarget {
  Backend* backend = nullptr;
  std::string model = {};
  // The same model with other weights, on the same backend: its name there by Request::weights.
  std::map<std::string, std::string, std::less<>> variants = {};
  // The name of the model that drafts for this one; empty: none does.
  std::string draft_model = {};
};

struct RouterOptions {
  RoleTarget small;
  RoleTarget large;
  LabelQuery labels;  // the probe's template and label words
  // What a request must stand before the small model gets it by its intent.
  ProbeDefences defences = {};
  RoutingPolicy policy;
  // Takes a policy whose evidence is of other models.
  bool force_policy = false;
  // Whose requests the other model answers when the one that was chosen for them is gone
  // (kUnavailable) and nothing of the answer has come: those of the small model by default, since
  // that costs speed only. Never those that name their model, nor past the other's context.
  bool large_stands_in = true;
  bool small_stands_in = false;
  std::vector<std::string> virtual_names = {"auto", "aio/auto"};  // names that route
  size_t sessions_max = 10'000;  // conversations remembered (session_table.h); 0: none
  // Those of a router whose place this one takes; null: none are remembered yet.
  std::shared_ptr<SessionTable> sessions = nullptr;
  // Told when live requests begin and cease to drift from the policy's calibration; from the
  // probing backend's thread, without a lock held. May be empty.
  std::function<void(const DriftSignals&)> on_drift;
  // Told of every generation that is started, routed or by name; null: nobody. Outlives the
  // router and the last event, like the backends.
  DecisionObserver* observer = nullptr;
};

// A decision with what it was made from.
struct DecisionFromSignals {
  Decision decision;
  Signals signals;
};
using SignalsCallback = std::function<void(Result<DecisionFromSignals>)>;

// What a request's `model` may say:
//   "auto", "aio/auto"       the policy decides
//   "auto-0.45"              the same with this entropy threshold (nats), as RouteLLM has
//                            it; Request::entropy_threshold, if set, goes before it
//   "small", "large"         that role's model; no probe, strategy the request's or plain
//   a model's own name       likewise; that of a variant stands for its weights too
//
// Request::weights goes before the policy's. Weights that nobody has resident are refused; if
// only the other role has them, the one that answers does so on its own, and says so.
//
// Token ids (a prompt of them, logit_bias) mean the same to both models only if these share
// a vocabulary; otherwise a request that has some must name its model.
//
// Whatever the policy says, a model whose context cannot hold the prompt and the wanted
// answer is not chosen if the other can; if neither can, that is
// kInvalidArgument "context_length_exceeded". When the probe cannot run (the small model is
// gone, its queue is full), the large model answers. Contexts are those that the backends
// list when the router is made; 0 (unknown) counts as large enough.
//
// Thread-safe. Generate(), ScoreLabels() and Decide() never wait for a model. Events and
// callbacks come from the thread of the backend that ran the last step, or from inside the
// call if there was nothing to wait for (or the backend calls back at once). No lock is
// held while a backend, a sink or a callback is called, so a sink may call Cancel().
//
// Cancel() during the probe cancels that: the sink gets OnError(kCancelled), for no model has
// started; afterwards it is the chosen backend's own.
class Router final : public Backend {
 public:
  // Fails when a model is not where its target says, a variant is not of its model, the labels
  // collide under the small model, the policy names an unknown label, weights that are not
  // resident or a draft model that is not there, is a cascade whose small model tells no entropies,
  // a name would mean two things, or the policy was made for other models (PolicyEvidence). `clock`
  // must outlive the router and the last callback, like the backends.
  static Result<std::unique_ptr<Router>> Create(RouterOptions options, const Clock& clock);
  // What was started goes on.
  ~Router() override;

  // The virtual names (role "router"), the small model, the large model, each with its variants.
  std::vector<ModelInfo> Models() const override;
  // Of both backends, or of the one that both roles live on.
  std::vector<ModelLoad> Load() const override;
  // By the named model; for a virtual name by the small one, as the policy counts.
  Result<int> CountPromptTokens(const Request& request) const override;
  Status ValidateLabels(std::string_view model, const LabelQuery& labels) const override;
  Result<std::shared_ptr<Ticket>> ScoreLabels(const Request& request, const LabelQuery& labels,
                                              LabelScoresCallback done) override;
  Status Decide(const Request& request, DecisionCallback done) override;
  // Decide(), and all that it was decided from, for Explain(). Only of names that route.
  Status DecideFromSignals(const Request& request, SignalsCallback done);
  Result<std::shared_ptr<Ticket>> Generate(Request request,
                                           std::shared_ptr<EventSink> sink) override;
  Result<Tokenized> Tokenize(const TokenizeQuery& query) const override;
  Result<std::string> Detokenize(std::string_view model,
                                 std::span<const int32_t> tokens) const override;
  Result<std::string> RenderChat(const TokenizeQuery& query) const override;
  Result<std::shared_ptr<Ticket>> Embed(EmbeddingsQuery query, EmbeddingsCallback done) override;

  const RoutingPolicy& policy() const;
  // The conversations remembered, for RouterOptions::sessions; never null.
  std::shared_ptr<SessionTable> sessions() const;
  // Absent if the policy does not watch for drift.
  std::optional<DriftReport> drift() const;

 private:
  struct State;
  explicit Router(std::shared_ptr<const State> state);
  std::shared_ptr<const State> state_;
};

}  // namespace aio

#endif  // AIO_ROUTER_ROUTER_H_
