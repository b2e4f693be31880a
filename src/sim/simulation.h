// A run: requests arrive at a router over simulated models, until all have been answered.
#ifndef AIO_SIM_SIMULATION_H_
#define AIO_SIM_SIMULATION_H_

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/status.h"
#include "model/synthesize.h"
#include "router/routing_policy.h"
#include "sim/device_profile.h"
#include "sim/sim_workload.h"
#include "sim/simulated_backend.h"
#include "sim/simulated_model.h"

namespace aio {

enum SimRole : int { kSimSmall = 0, kSimLarge = 1 };
inline constexpr int kSimRoles = 2;
inline constexpr std::array<const char*, kSimRoles> kSimRoleNames = {"small", "large"};

// A model of the pair, the same wherever it is.
struct SimulatedRole {
  std::string name;  // "openpangu-1b"
  ModelShape shape;
  SimWeights weights = SimWeights::kF16;
  int kv_tokens = 0;  // that a device has room for; 0: as many as its memory has left
  SchedulerOptions scheduler = {};
  AcceptanceTable acceptance = {};
};

// Devices that are alike.
struct SimulatedPool {
  DeviceProfile device;
  int devices = 1;
  std::array<bool, kSimRoles> holds = {true, true};  // [SimRole]
  PoolPhase phase = PoolPhase::kBoth;
  bool graph = false;  // steps are played back, where the device has graphs
  // Of one device, between failures and from a failure until it serves again; 0: none fails.
  double failure_hours = 0;
  double repair_hours = 0;
};

// One device of a pool, planned.
struct PlannedFailure {
  int pool = 0;
  int device = 0;
  Duration at{};
  Duration lasts{};
};

struct SimulationSetup {
  std::vector<SimulatedPool> pools;
  std::vector<PlannedFailure> failures = {};
  std::array<SimulatedRole, kSimRoles> roles;  // [SimRole]
  RoutingPolicy policy;
  int probe_suffix_tokens = 1;  // that the probe reads after a prompt: what it asks
  uint64_t seed = 1;
  // Called now and then with the number of requests that have arrived, of all; may be empty.
  std::function<void(size_t arrived, size_t requests)> progress = {};

  int num_devices() const;
};

// What became of a request. Times since the run's begin.
struct SimulatedAnswer {
  bool answered = false;
  std::string fault;  // why not
  bool large = false;
  bool probed = false;
  StrategyKind strategy = StrategyKind::kPlain;
  Duration arrival{};
  Duration first_token{};
  Duration end{};
  double queue_ms = 0;  // of the generation, until its first step
  double probe_ms = 0;
  int answer_tokens = 0;

  double first_token_ms() const { return ToMs(first_token - arrival); }
  double end_to_end_ms() const { return ToMs(end - arrival); }
  // Of answers of more than one token.
  double per_token_ms() const { return ToMs(end - first_token) / (answer_tokens - 1); }
};

// Of the devices of a pool, together.
struct PoolUse {
  double busy_share = 0;       // of their time
  double switching_share = 0;  // of their time, between models
  double bandwidth_share = 0;  // of the bytes that they could have read at their peak
  double down_share = 0;
};

struct SimulationResult {
  std::vector<SimulatedAnswer> answers;       // [workload.requests]
  Duration length{};                          // to the last answer's end
  std::vector<PoolUse> pools;                 // [setup.pools]
  std::array<ModelCounts, kSimRoles> models;  // of all devices
  int64_t preemptions = 0;
  int64_t prefix_tokens_asked = 0;  // SchedulerCounts
  int64_t prefix_tokens_found = 0;
  int64_t failures = 0;  // of devices
  int64_t events = 0;
};

// The same for the same arguments, on any machine. kInvalidArgument if a model is nowhere or does
// not fit where it is to be, a pool names what its device has not, or the policy names labels that
// the workload has not.
Result<SimulationResult> Simulate(const SimulationSetup& setup, const SimWorkload& workload);

}  // namespace aio

#endif  // AIO_SIM_SIMULATION_H_
