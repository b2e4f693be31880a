#include "router/intent_distribution.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"

namespace aio {
namespace {

Status CheckLogits(const std::vector<std::string>& labels, const std::vector<float>& logits) {
  if (labels.empty() || logits.size() != labels.size()) {
    return Internal(fmt::format("{} scores for {} labels", logits.size(), labels.size()));
  }
  for (size_t i = 0; i < logits.size(); ++i) {
    if (!std::isfinite(logits[i])) {
      return Internal(fmt::format("score of label '{}' is {}", labels[i], logits[i]));
    }
  }
  return Status::Ok();
}

// `scores` finite, one a label.
IntentDistribution Softmax(std::vector<std::string> labels, const std::vector<double>& scores) {
  const double max = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (const double score : scores) sum += std::exp(score - max);
  const double log_sum = std::log(sum);

  IntentDistribution intent;
  intent.labels = std::move(labels);
  intent.probabilities.reserve(scores.size());
  // H = -sum p ln p with ln p = score - max - ln sum: no logarithm of a p that underflowed.
  for (const double score : scores) {
    const double log_probability = score - max - log_sum;
    const double probability = std::exp(log_probability);
    intent.probabilities.push_back(probability);
    intent.entropy -= probability * log_probability;
  }
  intent.entropy = std::max(0.0, intent.entropy);
  return intent;
}

}  // namespace

bool IsPlainName(std::string_view name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= 32 && std::all_of(name.begin(), name.end(), plain);
}

size_t IntentDistribution::top() const {
  AIO_CHECK(!labels.empty() && labels.size() == probabilities.size());
  return static_cast<size_t>(std::max_element(probabilities.begin(), probabilities.end()) -
                             probabilities.begin());
}

double IntentDistribution::second_probability() const {
  const size_t first = top();
  double second = 0;
  for (size_t i = 0; i < probabilities.size(); ++i) {
    if (i != first) second = std::max(second, probabilities[i]);
  }
  return second;
}

double IntentDistribution::ProbabilityOf(std::string_view label) const {
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] == label) return probabilities[i];
  }
  return 0;
}

Result<IntentDistribution> IntentDistribution::FromLogits(std::vector<std::string> labels,
                                                          const std::vector<float>& logits) {
  AIO_RETURN_IF_ERROR(CheckLogits(labels, logits));
  return Softmax(std::move(labels), std::vector<double>(logits.begin(), logits.end()));
}

Result<IntentDistribution> IntentDistribution::FromLogits(std::vector<std::string> labels,
                                                          const std::vector<float>& logits,
                                                          const ProbeCalibration& calibration) {
  AIO_RETURN_IF_ERROR(CheckLogits(labels, logits));
  std::vector<double> scores;
  scores.reserve(labels.size());
  for (size_t i = 0; i < labels.size(); ++i) {
    const auto known = std::find(calibration.labels.begin(), calibration.labels.end(), labels[i]);
    if (known == calibration.labels.end()) {
      return Internal(fmt::format("the calibration does not know the label '{}'", labels[i]));
    }
    const auto at = static_cast<size_t>(known - calibration.labels.begin());
    const double score = (logits[i] - calibration.bias[at]) / calibration.temperature;
    if (!std::isfinite(score)) {
      return Internal(fmt::format("calibrated score of label '{}' is {}", labels[i], score));
    }
    scores.push_back(score);
  }
  return Softmax(std::move(labels), scores);
}

}  // namespace aio
