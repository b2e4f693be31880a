// How right a probe is, and how right about how right it is.
#ifndef AIO_EVAL_PROBE_METRICS_H_
#define AIO_EVAL_PROBE_METRICS_H_

#include <string>
#include <vector>

#include "eval/intervals.h"
#include "eval/logit_scaling.h"

namespace aio {

// One query as the probe, scaled, saw it.
struct Prediction {
  int truth = 0;  // index of the right label
  int said = 0;   // index of the most probable one, the first of equals
  std::vector<double> probabilities;
  double entropy = 0;  // nats
  double weight = 1;

  bool right() const { return truth == said; }
  double confidence() const { return probabilities[static_cast<size_t>(said)]; }
};

std::vector<Prediction> Predict(const LogitScaling& scaling,
                                const std::vector<LabelledLogits>& queries);
double ShannonEntropy(const std::vector<double>& probabilities);  // nats

struct LabelFigures {
  int count = 0;             // queries that are of it
  double precision = 0;      // of those said to be of it, by count; 0 if none was
  double recall = 0;         // of those that are, found
  Interval recall_interval;  // Clopper-Pearson, 95 %
};

struct ReliabilityBin {
  double low = 0;  // of the confidence: (low, high]
  double high = 0;
  int count = 0;
  double confidence = 0;  // mean, by weight
  double accuracy = 0;    // share right, by weight
};

// One operating point: the share of queries with at most this entropy, and of those the wrong.
struct RiskPoint {
  double coverage = 0;
  double risk = 0;
  double entropy = 0;
};

struct EntropyBin {
  double low = 0;  // nats
  double high = 0;
  int right = 0;
  int wrong = 0;
};

// Everything below is by weight, but for counts and precision.
struct ProbeMetrics {
  std::vector<std::vector<int>> confusion;  // [truth][said]
  std::vector<LabelFigures> labels;
  double accuracy = 0;
  double nll = 0;         // nats
  double brier = 0;       // mean sum of squared errors over the labels: 0 to 2
  double ece = 0;         // Guo et al. 2017, over kReliabilityBins bins of equal width
  Interval ece_interval;  // bootstrap, 95 %
  double mean_confidence = 0;
  double mean_entropy = 0;
  std::vector<ReliabilityBin> reliability;
  std::vector<RiskPoint> risk_coverage;  // at most some hundred points, entropy rising
  double area_under_risk_coverage = 0;
  std::vector<EntropyBin> entropies;
};

inline constexpr int kReliabilityBins = 15;
inline constexpr int kEntropyBins = 22;

// Of at least one prediction over `labels` labels.
ProbeMetrics MeasureProbe(const std::vector<Prediction>& predictions, int labels);

}  // namespace aio

#endif  // AIO_EVAL_PROBE_METRICS_H_
