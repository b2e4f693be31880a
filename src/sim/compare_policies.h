// Policies against the first of them, on the same requests.
#ifndef AIO_SIM_COMPARE_POLICIES_H_
#define AIO_SIM_COMPARE_POLICIES_H_

#include <functional>
#include <string>
#include <vector>

#include "base/clopper_pearson.h"
#include "base/status.h"
#include "sim/scenario.h"

namespace aio {

// How much more a policy has of something than the first.
struct ComparedMetric {
  std::string name;        // "p99 TTFT, ms"
  double first = 0;        // mean over the repetitions
  double other = 0;        // likewise
  double difference = 0;   // other - first, mean of the pairs
  Interval interval = {};  // of that, 95 %: Student's t over the pairs
  bool is_sure() const { return interval.low > 0 || interval.high < 0; }
};

struct PolicyComparison {
  std::string policy;
  std::vector<ComparedMetric> metrics;
};

struct PolicyComparisons {
  std::string first;
  int repetitions = 0;
  std::vector<PolicyComparison> others;
  std::vector<ScenarioResult> results;  // of the first repetition, one a policy
};

// `policies`: FindPolicy(), at least two. Each of `repetitions` >= 2 draws requests of its own (the
// scenario's seed and those that follow), which all policies get: so what differs between two of a
// pair is the policy alone; figures that a run does not have are left out. The same whatever
// `threads` is. kInvalidArgument if the draws would all be alike: requests that were seen, without
// a rate.
Result<PolicyComparisons> ComparePolicies(
    const Scenario& scenario, const std::vector<std::string>& policies, int repetitions,
    int threads, const std::function<void(size_t done, size_t total)>& progress);

}  // namespace aio

#endif  // AIO_SIM_COMPARE_POLICIES_H_
