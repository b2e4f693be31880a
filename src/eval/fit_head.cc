#include "eval/fit_head.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "base/check.h"
#include "eval/logistic_regression.h"

namespace aio {

namespace {

// The mean over all of a text's positions.
std::vector<float> WholeMean(const HiddenWindows& windows) {
  std::vector<double> sum(windows.hidden_size);
  double tokens = 0;
  for (int w = 0; w < windows.num_windows(); ++w) {
    for (int i = 0; i < windows.hidden_size; ++i) {
      sum[i] += double{windows.mean(w)[i]} * windows.tokens[w];
    }
    tokens += windows.tokens[w];
  }
  std::vector<float> mean;
  mean.reserve(sum.size());
  for (const double value : sum) mean.push_back(static_cast<float>(value / tokens));
  return mean;
}

ClassifiedVectors Gather(const std::vector<HeadExample>& examples, int depth, int num_labels,
                         double window_share) {
  ClassifiedVectors data(examples.front().depths[depth].hidden_size, num_labels);
  for (const HeadExample& example : examples) {
    if (example.tunes) continue;
    const HiddenWindows& windows = example.depths[depth];
    if (window_share < 1) data.Add(WholeMean(windows), example.label, 1 - window_share);
    if (window_share <= 0) continue;
    for (int w = 0; w < windows.num_windows(); ++w) {
      data.Add(windows.mean(w), example.label, window_share / windows.num_windows());
    }
  }
  return data;
}

ProbeHead ToHead(const LinearClassifier& classifier, int layers, int window_tokens) {
  ProbeHead head;
  head.layers = layers;
  head.hidden_size = classifier.size;
  head.window_tokens = window_tokens;
  for (const double weight : classifier.weights) {
    head.weights.push_back(static_cast<float>(weight));
  }
  for (const double bias : classifier.bias) head.bias.push_back(static_cast<float>(bias));
  return head;
}

bool IsBetter(const HeadQuality& a, const HeadQuality& b) {
  return a.right > b.right || (a.right == b.right && a.log_loss < b.log_loss);
}

Status CheckExamples(const std::vector<HeadExample>& examples,
                     const std::vector<std::string>& labels) {
  for (int label = 0; label < static_cast<int>(labels.size()); ++label) {
    for (const bool tunes : {false, true}) {
      const bool found = std::any_of(examples.begin(), examples.end(), [&](const auto& example) {
        return example.label == label && example.tunes == tunes;
      });
      if (found) continue;
      return InvalidArgument(fmt::format("label \"{}\" has no text {}", labels[label],
                                         tunes ? "to choose between fits by" : "to fit a head to"));
    }
  }
  return Status::Ok();
}

Result<HeadFit> FitDepth(const std::vector<HeadExample>& examples,
                         const std::vector<const HeadExample*>& tuning, int depth, int num_labels,
                         const HeadFitOptions& options) {
  const ClassifiedVectors data = Gather(examples, depth, num_labels, options.window_share);
  std::optional<HeadFit> best;
  for (const double l2 : options.l2) {
    AIO_ASSIGN_OR_RETURN(const LinearClassifier classifier,
                         FitLogisticRegression(data, {.l2 = l2}));
    HeadFit fit;
    fit.head = ToHead(classifier, examples.front().depths[depth].layers, options.window_tokens);
    fit.l2 = l2;
    fit.tuned = MeasureHead(fit.head, tuning, depth);
    if (!best || IsBetter(fit.tuned, best->tuned)) best = std::move(fit);
  }
  return *std::move(best);
}

}  // namespace

Result<HeadFits> FitHeads(const std::vector<HeadExample>& examples,
                          const std::vector<std::string>& labels, const HeadFitOptions& options) {
  const int num_labels = static_cast<int>(labels.size());
  AIO_CHECK(num_labels >= 2 && !options.l2.empty());
  AIO_RETURN_IF_ERROR(CheckExamples(examples, labels));
  std::vector<const HeadExample*> tuning;
  tuning.reserve(examples.size());
  for (const HeadExample& example : examples) {
    if (example.tunes) tuning.push_back(&example);
  }
  HeadFits fits;
  const int num_depths = static_cast<int>(examples.front().depths.size());
  for (int depth = 0; depth < num_depths; ++depth) {
    AIO_ASSIGN_OR_RETURN(HeadFit fit, FitDepth(examples, tuning, depth, num_labels, options));
    fits.by_depth.push_back(std::move(fit));
    if (IsBetter(fits.by_depth.back().tuned, fits.by_depth[fits.best].tuned)) fits.best = depth;
  }
  const double wanted = fits.by_depth[fits.best].tuned.accuracy() - options.accuracy_slack;
  fits.smallest = fits.best;
  for (int depth = 0; depth < num_depths; ++depth) {
    const HeadFit& fit = fits.by_depth[depth];
    if (fit.tuned.accuracy() >= wanted &&
        fit.head.layers < fits.by_depth[fits.smallest].head.layers) {
      fits.smallest = depth;
    }
  }
  return fits;
}

HeadQuality MeasureHead(const ProbeHead& head, const std::vector<const HeadExample*>& examples,
                        int depth) {
  HeadQuality quality;
  for (const HeadExample* example : examples) {
    const std::vector<float> logits = ApplyHead(head, example->depths[depth]).logits;
    const auto top = std::max_element(logits.begin(), logits.end()) - logits.begin();
    ++quality.texts;
    quality.right += top == example->label;
    constexpr double kProbabilityMin = 1e-12;
    quality.log_loss -=
        std::log(std::max(LabelProbability(logits, example->label), kProbabilityMin));
  }
  if (quality.texts > 0) quality.log_loss /= quality.texts;
  return quality;
}

double DissentBound(const ProbeHead& head, const std::vector<const HeadExample*>& examples,
                    int depth, int label, double kept) {
  std::vector<double> dissents;
  dissents.reserve(examples.size());
  for (const HeadExample* example : examples) {
    if (example->label != label) continue;
    dissents.push_back(
        StrongestDissent(ApplyHead(head, example->depths[depth]).window_logits, label));
  }
  if (dissents.empty()) return 1;
  std::sort(dissents.begin(), dissents.end());
  const auto place = static_cast<size_t>(std::ceil(kept * static_cast<double>(dissents.size())));
  return dissents[std::clamp<size_t>(place, 1, dissents.size()) - 1];
}

}  // namespace aio
