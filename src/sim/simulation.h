// A run: requests arrive at a router over simulated models, until all have been answered.
#ifndef AIO_SIM_SIMULATION_H_
#define AIO_SIM_SIMULATION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "model/synthesize.h"
#include "router/routing_policy.h"
#include "sim/device_profile.h"
#include "sim/simulated_backend.h"
#include "sim/simulated_model.h"
#include "sim/workload.h"

namespace aio {

// A model of the pair.
struct SimulatedRole {
  ModelShape shape;
  SimulatedModelOptions options;  // costs follow from the shape
  AcceptanceTable acceptance = {};
};

struct SimulationSetup {
  DeviceProfile device;
  int devices = 1;  // alike, with both models on each
  SimulatedRole small;
  SimulatedRole large;
  RoutingPolicy policy;
  uint64_t seed = 1;
};

// What became of a request. Times since the run's begin.
struct SimulatedAnswer {
  bool answered = false;
  std::string fault;  // why not
  bool large = false;
  StrategyKind strategy = StrategyKind::kPlain;
  Duration arrival{};
  Duration first_token{};
  Duration end{};
  int answer_tokens = 0;
};

struct SimulationResult {
  std::vector<SimulatedAnswer> answers;  // [workload.requests]
  Duration length{};                     // to the last answer's end
  double busy_share = 0;                 // of the devices' time
  double switching_share = 0;
  ModelCounts small;  // of all devices
  ModelCounts large;
  int64_t preemptions = 0;
  int64_t events = 0;
};

// The same for the same arguments, on any machine. kInvalidArgument if the models do not fit on the
// device, or the policy names labels that the workload has not.
Result<SimulationResult> Simulate(const SimulationSetup& setup, const Workload& workload);

}  // namespace aio

#endif  // AIO_SIM_SIMULATION_H_
