// Routes each request to one of two models by one look at it: itself a Backend.
//
// The life of a request: names and overrides first (a concrete model bypasses routing),
// then the prompt's length, then the probe on the small model, then the policy, then
// Generate() on the chosen backend. Decisions are made once a request, never a token.
#ifndef AIO_ROUTER_ROUTER_H_
#define AIO_ROUTER_ROUTER_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.h"
#include "base/clock.h"
#include "base/status.h"
#include "router/routing_policy.h"

namespace aio {

// Where a role lives: a backend (not owned; must outlive the router) and the model's
// name there.
struct RoleTarget {
  Backend* backend = nullptr;
  std::string model;
};

struct RouterOptions {
  RoleTarget small;
  RoleTarget large;
  LabelQuery labels;  // the probe's template and label words
  RoutingPolicy policy;
  std::vector<std::string> virtual_names = {"auto", "aio/auto"};
};

// Thread-safe. A threshold may be encoded in the name as RouteLLM does: "auto-0.45".
class Router final : public Backend {
 public:
  // Fails when the labels collide under the small model or the policy names an unknown
  // label.
  static Result<std::unique_ptr<Router>> Create(RouterOptions options, const Clock& clock);
  ~Router() override;

  std::vector<ModelInfo> Models() const override;
  std::vector<ModelLoad> Load() const override;
  Result<int> CountPromptTokens(const Request& request) const override;
  Status ValidateLabels(std::string_view model, const LabelQuery& labels) const override;
  Status ScoreLabels(const Request& request, const LabelQuery& labels,
                     LabelScoresCallback done) override;
  Status Decide(const Request& request, DecisionCallback done) override;
  Result<std::shared_ptr<Generation>> Generate(Request request,
                                               std::shared_ptr<EventSink> sink) override;

 private:
  struct State;
  explicit Router(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace aio

#endif  // AIO_ROUTER_ROUTER_H_
