// What a probe's scores are worth: p = softmax((z - bias) / temperature).
//
// Temperature: Guo et al. 2017, "On Calibration of Modern Neural Networks". Bias from inputs
// without content: Zhao et al. 2021, "Calibrate Before Use". Bias fitted along with the
// temperature: "bias-corrected temperature scaling", Alexandari et al. 2020.
#ifndef AIO_EVAL_LOGIT_SCALING_H_
#define AIO_EVAL_LOGIT_SCALING_H_

#include <cstddef>
#include <string_view>
#include <vector>

namespace aio {

struct LogitScaling {
  std::vector<double> bias;  // [labels], nats; sums to 0
  double temperature = 1;    // > 0; above 1: the probe was too sure

  static LogitScaling None(int labels);
};

// A query's label scores and the label that is right.
struct LabelledLogits {
  std::vector<float> logits;  // [labels]
  int label = 0;
  double weight = 1;  // > 0: what the query counts for
};

std::vector<double> ScaledProbabilities(const LogitScaling& scaling,
                                        const std::vector<float>& logits);

// Mean negative log-likelihood, nats, by weight; of targets that give the wrong labels the share
// `wrong` together.
double NegativeLogLikelihood(const LogitScaling& scaling,
                             const std::vector<LabelledLogits>& queries, double wrong = 0);

// The share that n queries cannot rule out although all are right: 1 / (n + 2), after Laplace.
double UnseenErrorShare(size_t queries);

// The label scores that inputs without content have on average (mean of their
// log-probabilities), centred: what a probe says whatever it is asked. At least one row.
std::vector<double> ContentFreeBias(const std::vector<std::vector<float>>& rows);

// Maximum likelihood with targets after Platt (1999): of n queries, each one's label is aimed at
// with (n + 1) / (n + 2) and not with 1, so that a fit to queries which are all right is no more
// certain than their number allows, instead of infinitely certain. Needs one query or more.
LogitScaling FitTemperature(const std::vector<LabelledLogits>& queries, std::vector<double> bias);
LogitScaling FitBiasAndTemperature(const std::vector<LabelledLogits>& queries);

// How a scaling was come by.
enum class BiasKind {
  kUnscaled,     // none at all: temperature 1
  kNone,         // temperature alone
  kContentFree,  // ContentFreeBias(), then the temperature
  kFitted,       // both at once
};
std::string_view BiasKindName(BiasKind kind);  // "not scaled", "none", "content-free", "fitted"

}  // namespace aio

#endif  // AIO_EVAL_LOGIT_SCALING_H_
