#include "eval/probe_metrics.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"

namespace aio {

namespace {

constexpr double kConfidence = 0.95;
constexpr int kRiskPoints = 200;

int BinOf(double confidence) {
  const int bin = static_cast<int>(std::ceil(confidence * kReliabilityBins)) - 1;
  return std::clamp(bin, 0, kReliabilityBins - 1);
}

// The sums of weights that reliability and its error are made of.
struct BinSums {
  double weight = 0;
  double confidence = 0;
  double right = 0;
};

// sum over bins of |right - confidence| / all: the bins' weights cancel.
double ErrorOf(const std::vector<BinSums>& bins) {
  double error = 0;
  double all = 0;
  for (const BinSums& bin : bins) {
    error += std::abs(bin.right - bin.confidence);
    all += bin.weight;
  }
  return all > 0 ? error / all : 0;
}

void AddTo(std::vector<BinSums>& bins, const Prediction& prediction) {
  BinSums& bin = bins[static_cast<size_t>(BinOf(prediction.confidence()))];
  bin.weight += prediction.weight;
  bin.confidence += prediction.weight * prediction.confidence();
  bin.right += prediction.right() ? prediction.weight : 0;
}

void MeasureReliability(const std::vector<Prediction>& predictions, ProbeMetrics& metrics) {
  std::vector<BinSums> sums(kReliabilityBins);
  metrics.reliability.resize(kReliabilityBins);
  for (const Prediction& prediction : predictions) {
    AddTo(sums, prediction);
    ++metrics.reliability[static_cast<size_t>(BinOf(prediction.confidence()))].count;
  }
  for (size_t i = 0; i < sums.size(); ++i) {
    ReliabilityBin& bin = metrics.reliability[i];
    bin.low = static_cast<double>(i) / kReliabilityBins;
    bin.high = static_cast<double>(i + 1) / kReliabilityBins;
    if (sums[i].weight > 0) {
      bin.confidence = sums[i].confidence / sums[i].weight;
      bin.accuracy = sums[i].right / sums[i].weight;
    }
  }
  metrics.ece = ErrorOf(sums);
  metrics.ece_interval = Bootstrap(static_cast<int>(predictions.size()), kConfidence,
                                   [&](const std::vector<int>& sample) {
                                     std::vector<BinSums> bins(kReliabilityBins);
                                     for (const int index : sample) {
                                       AddTo(bins, predictions[static_cast<size_t>(index)]);
                                     }
                                     return ErrorOf(bins);
                                   });
}

void MeasureConfusion(const std::vector<Prediction>& predictions, size_t labels,
                      ProbeMetrics& metrics) {
  metrics.confusion.assign(labels, std::vector<int>(labels, 0));
  for (const Prediction& prediction : predictions) {
    ++metrics.confusion[prediction.truth][prediction.said];
  }
  metrics.labels.resize(labels);
  for (size_t i = 0; i < labels; ++i) {
    LabelFigures& label = metrics.labels[i];
    int said = 0;
    for (size_t j = 0; j < labels; ++j) {
      label.count += metrics.confusion[i][j];
      said += metrics.confusion[j][i];
    }
    const int right = metrics.confusion[i][i];
    if (said > 0) label.precision = static_cast<double>(right) / said;
    if (label.count > 0) label.recall = static_cast<double>(right) / label.count;
    label.recall_interval = ClopperPearson(right, label.count, kConfidence);
  }
}

void MeasureMeans(const std::vector<Prediction>& predictions, ProbeMetrics& metrics) {
  double weights = 0;
  for (const Prediction& prediction : predictions) {
    const double w = prediction.weight;
    const double p = prediction.probabilities[static_cast<size_t>(prediction.truth)];
    weights += w;
    metrics.accuracy += prediction.right() ? w : 0;
    metrics.nll -= w * std::log(std::max(p, 1e-300));
    metrics.mean_confidence += w * prediction.confidence();
    metrics.mean_entropy += w * prediction.entropy;
    for (size_t j = 0; j < prediction.probabilities.size(); ++j) {
      const double target = static_cast<int>(j) == prediction.truth ? 1 : 0;
      const double error = prediction.probabilities[j] - target;
      metrics.brier += w * error * error;
    }
  }
  for (double* mean : {&metrics.accuracy, &metrics.nll, &metrics.mean_confidence,
                       &metrics.mean_entropy, &metrics.brier}) {
    *mean /= weights;
  }
}

void MeasureRisk(std::vector<Prediction> predictions, ProbeMetrics& metrics) {
  std::stable_sort(predictions.begin(), predictions.end(),
                   [](const Prediction& a, const Prediction& b) { return a.entropy < b.entropy; });
  double all = 0;
  for (const Prediction& prediction : predictions) all += prediction.weight;
  const size_t stride = std::max<size_t>(1, predictions.size() / kRiskPoints);
  double covered = 0;
  double wrong = 0;
  for (size_t i = 0; i < predictions.size(); ++i) {
    covered += predictions[i].weight;
    wrong += predictions[i].right() ? 0 : predictions[i].weight;
    metrics.area_under_risk_coverage += wrong / covered * predictions[i].weight / all;
    // Queries of equal entropy are covered together or not at all.
    const bool last = i + 1 == predictions.size();
    if (!last && predictions[i + 1].entropy == predictions[i].entropy) continue;
    if (!last && (i + 1) % stride != 0) continue;
    metrics.risk_coverage.push_back({covered / all, wrong / covered, predictions[i].entropy});
  }
}

void MeasureEntropies(const std::vector<Prediction>& predictions, size_t labels,
                      ProbeMetrics& metrics) {
  const double width = std::log(static_cast<double>(labels)) / kEntropyBins;
  metrics.entropies.resize(kEntropyBins);
  for (int i = 0; i < kEntropyBins; ++i) {
    metrics.entropies[static_cast<size_t>(i)].low = i * width;
    metrics.entropies[static_cast<size_t>(i)].high = (i + 1) * width;
  }
  for (const Prediction& prediction : predictions) {
    const int bin = std::clamp(static_cast<int>(prediction.entropy / width), 0, kEntropyBins - 1);
    EntropyBin& entropy = metrics.entropies[static_cast<size_t>(bin)];
    ++(prediction.right() ? entropy.right : entropy.wrong);
  }
}

}  // namespace

double ShannonEntropy(const std::vector<double>& probabilities) {
  double entropy = 0;
  for (const double p : probabilities) {
    if (p > 0) entropy -= p * std::log(p);
  }
  return std::max(0.0, entropy);
}

std::vector<Prediction> Predict(const LogitScaling& scaling,
                                const std::vector<LabelledLogits>& queries) {
  std::vector<Prediction> predictions;
  predictions.reserve(queries.size());
  for (const LabelledLogits& query : queries) {
    Prediction prediction;
    prediction.truth = query.label;
    prediction.probabilities = ScaledProbabilities(scaling, query.logits);
    const auto& p = prediction.probabilities;
    prediction.said = static_cast<int>(std::max_element(p.begin(), p.end()) - p.begin());
    prediction.entropy = ShannonEntropy(p);
    prediction.weight = query.weight;
    predictions.push_back(std::move(prediction));
  }
  return predictions;
}

ProbeMetrics MeasureProbe(const std::vector<Prediction>& predictions, int labels) {
  AIO_CHECK(!predictions.empty() && labels >= 2);
  ProbeMetrics metrics;
  MeasureConfusion(predictions, static_cast<size_t>(labels), metrics);
  MeasureMeans(predictions, metrics);
  MeasureReliability(predictions, metrics);
  MeasureRisk(predictions, metrics);
  MeasureEntropies(predictions, static_cast<size_t>(labels), metrics);
  return metrics;
}

}  // namespace aio
