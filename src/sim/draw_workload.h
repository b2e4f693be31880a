// Makes the requests of a simulation: from a recorded trace, from requests that were seen, or from
// nothing but a rate.
#ifndef AIO_SIM_DRAW_WORKLOAD_H_
#define AIO_SIM_DRAW_WORKLOAD_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "sim/sim_workload.h"
#include "traffic/trace.h"

namespace aio {

// Log-normal, as lengths of prompts and answers roughly are; a deviation of 0: all alike.
struct SimLengths {
  double mean = 1;       // tokens
  double deviation = 0;  // of the tokens
};

// What the probe's look says of a request, by what it is truly about.
struct ProbeQuality {
  std::vector<std::string> labels;
  std::vector<std::vector<double>> said;  // [truth][said], of any sum > 0

  static ProbeQuality Perfect(const std::vector<std::string>& labels);
  // As often right for each label, and wrong for each other alike. 1 / labels <= `accuracy` <= 1.
  static ProbeQuality Of(const std::vector<std::string>& labels, double accuracy);
};

struct WorkloadPlan {
  // Arrivals and lengths; null: drawn. With a `rate` and `seconds`, requests are drawn from it,
  // with replacement, and arrive by chance.
  std::shared_ptr<const Trace> trace;
  // Requests that were seen, with what the probe said: without a `rate` they come as they came,
  // else they are drawn from, with replacement. Null: none. Not together with `trace`.
  std::shared_ptr<const SimWorkload> seen;
  int64_t requests = 1000;  // that are drawn
  double seconds = 0;       // or, if this is not 0, as many as come in that time on average
  // Mean, requests a second. 0: as in the trace or as seen; else a trace is made faster or slower.
  double rate = 0;
  // Of drawn gaps, which are Gamma variables of this shape: 1 is a Poisson process, less comes in
  // bursts (a coefficient of variation of 1 / sqrt(burstiness)), more is steadier.
  double burstiness = 1;
  SimLengths prompts = {500, 300};
  SimLengths answers = {200, 150};
  int context_length = 0;  // no request is longer, prompt and answer together; 0: any
  std::vector<std::pair<std::string, double>> intents = {};  // shares, of `probe`'s labels
  ProbeQuality probe;
  uint64_t seed = 1;
};

// The same for the same plan; other rates draw the same requests, only nearer or further apart, so
// that runs differ by their rate alone. kInvalidArgument if an intent is none of the probe's labels
// or what is drawn has no rate.
Result<SimWorkload> DrawWorkload(const WorkloadPlan& plan);

// Requests a second: the plan's, or of what it takes them from.
double MeanRate(const WorkloadPlan& plan);

// The traffic in words: "Poisson, 20 requests/s, seed 1".
std::string DescribeTraffic(const WorkloadPlan& plan);

}  // namespace aio

#endif  // AIO_SIM_DRAW_WORKLOAD_H_
