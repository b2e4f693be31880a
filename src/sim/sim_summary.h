// What a run says.
#ifndef AIO_SIM_SIM_SUMMARY_H_
#define AIO_SIM_SIM_SUMMARY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "router/policy_settings.h"
#include "sim/simulation.h"
#include "traffic/load_summary.h"

namespace aio {

// What an answer must keep to be good (DistServe, Zhong et al. 2024, has the word goodput for what
// does).
struct SimTargets {
  double first_token_ms = 1000;
  double per_token_ms = 100;  // of answers of more than one token
};

struct SimArmUse {
  bool large = false;
  StrategyKind strategy = StrategyKind::kPlain;
  int64_t requests = 0;
};

struct SimSummary {
  int64_t requests = 0;
  int64_t answered = 0;
  int64_t failed = 0;
  std::string first_fault;  // of those that failed
  int64_t shortened = 0;    // were longer than the models' context, and were cut to it
  double seconds = 0;       // from the first arrival to the last end
  double offered_per_second = 0;
  double requests_per_second = 0;  // answered
  double tokens_per_second = 0;    // of answers, of all devices together
  // Of the answered:
  Percentiles first_token_ms;  // from the arrival, so with queue and probe
  Percentiles per_token_ms;
  Percentiles end_to_end_ms;
  Percentiles queue_ms;   // until the first step, of the model that answers
  Percentiles probe_ms;   // of those that were probed
  double good_share = 0;  // of all requests, answered within the targets
  double goodput = 0;     // these a second
  double small_share = 0;
  double probed_share = 0;
  std::vector<SimArmUse> arms;
  std::optional<double> accuracy;  // expected, percent
  double gb = 0;                   // read
  double gb_per_token = 0;         // of an answer
  std::vector<PoolUse> pools;      // [setup.pools]
  double busy_share = 0;           // over all devices, as the next
  double bandwidth_share = 0;
  double draft_share = 0;   // of steps' time, for the drafter
  double record_share = 0;  // of steps' time, for graphs that were not there
  double usd = 0;           // of the run; 0: a device's price is not known
  double usd_per_million_tokens = 0;
  int64_t preemptions = 0;
  double prefix_share = 0;  // of prompts' tokens that were known already
  int64_t failures = 0;     // of devices
};

// `accuracies`: arms as a policy file has them; empty: nothing is expected.
SimSummary SummariseRun(const SimulationSetup& setup, const SimWorkload& workload,
                        const SimulationResult& result, const SimTargets& targets,
                        const std::vector<PolicyArm>& accuracies);

// A stretch of a run.
struct TimelinePoint {
  double seconds = 0;             // where it begins
  double arrivals = 0;            // a second
  double in_flight = 0;           // requests, at its end
  double tokens_per_second = 0;   // of answers, each spread over its time
  double first_token_p50_ms = 0;  // of those that arrived in it; 0: none did
  double first_token_p99_ms = 0;
};
std::vector<TimelinePoint> TimelineOf(const SimulationResult& result, int points);

}  // namespace aio

#endif  // AIO_SIM_SIM_SUMMARY_H_
