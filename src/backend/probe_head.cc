#include "backend/probe_head.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <fmt/format.h>

#include "base/check.h"

namespace aio {

namespace {

bool AllFinite(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
}

}  // namespace

Status CheckProbeHead(const ProbeHead& head) {
  if (head.layers < 0 || head.hidden_size < 1 || head.window_tokens < 1 || head.num_labels() < 2) {
    return InvalidArgument(
        fmt::format("{} layers, hidden size {}, windows of {} tokens, {} labels: a probe head has "
                    "at least 0, 1, 1 and 2",
                    head.layers, head.hidden_size, head.window_tokens, head.num_labels()));
  }
  const size_t expected = head.bias.size() * static_cast<size_t>(head.hidden_size);
  if (head.weights.size() != expected) {
    return InvalidArgument(fmt::format("{} weights; {} labels and a hidden size of {} make {}",
                                       head.weights.size(), head.num_labels(), head.hidden_size,
                                       expected));
  }
  if (!AllFinite(head.weights) || !AllFinite(head.bias)) {
    return InvalidArgument("a weight or bias of the probe head is not a finite number");
  }
  return Status::Ok();
}

HeadScores ApplyHead(const ProbeHead& head, const HiddenWindows& windows) {
  AIO_CHECK(windows.hidden_size == head.hidden_size && windows.num_windows() > 0);
  HeadScores scores;
  std::vector<double> sums(head.num_labels());
  int64_t tokens = 0;
  for (int window = 0; window < windows.num_windows(); ++window) {
    const std::span<const float> mean = windows.mean(window);
    std::vector<float> logits;
    for (int label = 0; label < head.num_labels(); ++label) {
      const float* weights = head.weights.data() + static_cast<size_t>(label) * head.hidden_size;
      double logit = head.bias[label];
      for (size_t i = 0; i < mean.size(); ++i) logit += double{weights[i]} * mean[i];
      logits.push_back(static_cast<float>(logit));
      sums[label] += logit * windows.tokens[window];
    }
    scores.window_logits.push_back(std::move(logits));
    tokens += windows.tokens[window];
  }
  for (const double sum : sums) {
    scores.logits.push_back(static_cast<float>(sum / static_cast<double>(tokens)));
  }
  return scores;
}

double LabelProbability(const std::vector<float>& logits, int label) {
  const float max = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(double{logit} - max);
  return std::exp(double{logits[label]} - max) / sum;
}

double StrongestDissent(const std::vector<std::vector<float>>& window_logits, int label) {
  double dissent = 0;
  for (const std::vector<float>& logits : window_logits) {
    dissent = std::max(dissent, 1 - LabelProbability(logits, label));
  }
  return dissent;
}

int NumWindows(int tokens, int window_tokens) {
  AIO_CHECK(tokens > 0 && window_tokens > 0);
  return std::max(1, static_cast<int>((int64_t{tokens} + window_tokens / 2) / window_tokens));
}

int WindowBegin(int window, int num_windows, int tokens) {
  return static_cast<int>(int64_t{window} * tokens / num_windows);
}

}  // namespace aio
