// What a policy makes of queries whose outcomes are known for both models.
#ifndef AIO_EVAL_POLICY_OUTCOMES_H_
#define AIO_EVAL_POLICY_OUTCOMES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "eval/outcome_table.h"
#include "router/routing_policy.h"

namespace aio {

struct Difference95 {
  double value = 0;
  double low = 0;
  double high = 0;
};

struct PolicyOnOutcomes {
  std::string name;
  std::string hash;
  int64_t queries = 0;
  int64_t on_small = 0;
  int64_t may_escalate = 0;  // on the small model first; which go on to the large is not known
  double quality = 0;        // mean outcome; 0..1
  double all_small = 0;
  double all_large = 0;
  double oracle = 0;  // of the better outcome, each
  // The quality less that of ... (95 %, from the paired differences, normal approximation)
  Difference95 to_large;   // ... all on the large model
  Difference95 to_random;  // ... random routing with as many on the small one
};

// `signals` [queries] is what was seen of each. Not empty. Decides every query, once.
PolicyOnOutcomes ReplayOutcomes(const RoutingPolicy& policy,
                                const std::vector<OutcomeQuery>& queries,
                                const std::vector<Signals>& signals);

}  // namespace aio

#endif  // AIO_EVAL_POLICY_OUTCOMES_H_
