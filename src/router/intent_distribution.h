// What the probe says a request is about, and what its scores are worth.
#ifndef AIO_ROUTER_INTENT_DISTRIBUTION_H_
#define AIO_ROUTER_INTENT_DISTRIBUTION_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace aio {

// Letters, digits, '.', '_' and '-', at most 32: what rules and labels may be called, since
// these names go into headers and metrics.
bool IsPlainName(std::string_view name);

// Turns logits z of the labels into probabilities that come true as often as they say:
// softmax((z - bias) / temperature). Fitted by `aio calibrate`: the bias is what the model says
// to content-free text (Zhao et al. 2021), the temperature minimises the negative
// log-likelihood (Guo et al. 2017).
struct ProbeCalibration {
  std::vector<std::string> labels;
  std::vector<double> bias;  // [labels], nats
  double temperature = 1;    // > 0

  friend bool operator==(const ProbeCalibration&, const ProbeCalibration&) = default;
};

// What the probe said about a request.
struct IntentDistribution {
  std::vector<std::string> labels;    // at least one
  std::vector<double> probabilities;  // [labels]; sum to 1
  double entropy = 0;                 // Shannon, nats (three labels: at most 1.0986)

  size_t top() const;  // index of the most probable label; the first of equals
  // The second most probable label's probability; 0 where there is only one.
  double second_probability() const;
  // 0 for a label that there is not.
  double ProbabilityOf(std::string_view label) const;

  // Softmax of the label logits, in double; order of `labels` kept. kInternal if the
  // logits are not one finite number a label: they come from a backend, so that is a
  // fault of the world.
  static Result<IntentDistribution> FromLogits(std::vector<std::string> labels,
                                               const std::vector<float>& logits);
  // Calibrated. kInternal also if the calibration has none for one of the labels.
  static Result<IntentDistribution> FromLogits(std::vector<std::string> labels,
                                               const std::vector<float>& logits,
                                               const ProbeCalibration& calibration);

  friend bool operator==(const IntentDistribution&, const IntentDistribution&) = default;
};

}  // namespace aio

#endif  // AIO_ROUTER_INTENT_DISTRIBUTION_H_
