// A question to a simulation, whole: hardware, models, policy, traffic and what is asked of them.
#ifndef AIO_SIM_SCENARIO_H_
#define AIO_SIM_SCENARIO_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "sim/draw_workload.h"
#include "sim/sim_summary.h"
#include "sim/simulation.h"

namespace aio {

struct Scenario {
  std::string name;  // for tables: "paper", "rate 8, policy static-large"
  SimulationSetup setup;
  WorkloadPlan traffic;
  std::optional<double> entropy_threshold = {};  // Request::entropy_threshold of all requests
  SimTargets targets = {};
  std::vector<PolicyArm> accuracies = {};
  int timeline_points = 0;  // 0: no timeline
  bool keeps_answers = false;
};

struct ScenarioResult {
  std::string name;
  std::string traffic;  // SimWorkload::source
  SimSummary summary;
  std::vector<TimelinePoint> timeline;
  std::vector<SimulatedAnswer> answers = {};  // if they are kept
};

// Tokens that a request may have on either model.
int ContextOf(const SimulationSetup& setup);

// Draws the requests and runs them.
Result<ScenarioResult> RunScenario(const Scenario& scenario);

// All of them, on `threads` >= 1 threads, in their order whatever thread ran which. `progress` is
// called with the number that have ended, one call at a time, from any of the threads.
std::vector<Result<ScenarioResult>> RunScenarios(const std::vector<Scenario>& scenarios,
                                                 int threads,
                                                 const std::function<void(size_t done)>& progress);

// Changes one thing: "rate", "devices" (of the first pool), "small" or "large" (a model of
// KnownShapes()), "policy", "tau" (nats), "lambda" (of a policy of the kind utility), "burstiness",
// "seed". kInvalidArgument names what will not do and what would.
Status ChangeScenario(std::string_view what, const std::string& value, Scenario& scenario);
std::string ScenarioChanges();  // "rate, devices, ...", for messages

}  // namespace aio

#endif  // AIO_SIM_SCENARIO_H_
