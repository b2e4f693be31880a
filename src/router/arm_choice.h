// How each kind of policy chooses, before what the request and the models allow is settled. For
// RoutingPolicy only.
#ifndef AIO_ROUTER_ARM_CHOICE_H_
#define AIO_ROUTER_ARM_CHOICE_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backend/request.h"
#include "router/intent_distribution.h"
#include "router/policy_settings.h"
#include "router/signals.h"

namespace aio {

struct ArmChoice {
  std::string role;
  Strategy strategy;
  std::string weights;
  std::string rule;       // what chose it
  std::string why;        // ASCII: "code, 57 tokens <= 2048"
  double confidence = 1;  // PolicyOutcome::confidence
};

// `intent` as the calibration reads it; null if not probed.
ArmChoice ChooseByRules(const PolicySettings& settings, const Signals& signals,
                        const IntentDistribution* intent);
ArmChoice ChooseByUtility(const PolicySettings& settings, const Signals& signals,
                          const IntentDistribution* intent);
ArmChoice ChooseStatic(const PolicySettings& settings, std::string_view role);
ArmChoice ChooseAtRandom(const PolicySettings& settings, const Signals& signals);
ArmChoice ChooseByTruth(const PolicySettings& settings, const Signals& signals);
ArmChoice ChooseToCascade(const PolicySettings& settings);

// What an arm would do for a request, as far as its table and the live load tell.
struct ArmEstimate {
  const PolicyArm* arm = nullptr;
  double accuracy = 0;  // percent, expected over the intents
  double seconds = 0;   // to the answer's end; 0: not known
  double bytes = 0;     // read for the answer; 0: not known
  double utility = 0;   // accuracy - lambda * seconds - lambda_per_gb * bytes / 1e9
};
// [arms]; `intent` null: all labels alike.
std::vector<ArmEstimate> EstimateArms(const PolicySettings& settings, const Signals& signals,
                                      const IntentDistribution* intent);

// "code", or why there was no probe.
std::string Subject(const Signals& signals, const IntentDistribution* intent,
                    int probe_prompt_tokens_max);

// Two numbers with as few decimals as tell them apart: "0.03" and "0.45", but "0.4502" and
// "0.4500".
std::pair<std::string, std::string> DistinctNumbers(double a, double b);

}  // namespace aio

#endif  // AIO_ROUTER_ARM_CHOICE_H_
