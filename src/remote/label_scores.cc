#include "remote/label_scores.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace aio {
namespace {

// "▁" and "Ġ" stand for a blank in engines that show tokens as their vocabulary has them.
std::string_view WithoutBlank(std::string_view token) {
  for (const std::string_view blank : {" ", "\xe2\x96\x81", "\xc4\xa0"}) {
    if (token.starts_with(blank)) return token.substr(blank.size());
  }
  return token;
}

// Which label's word a token begins, if it is one's alone.
std::optional<size_t> LabelOf(std::string_view token,
                              const std::vector<LabelQuery::Label>& labels) {
  const std::string_view text = WithoutBlank(token);
  if (text.empty()) return std::nullopt;
  std::optional<size_t> found;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (!std::string_view(labels[i].word).starts_with(text)) continue;
    if (found) return std::nullopt;
    found = i;
  }
  return found;
}

}  // namespace

Status CheckLabelWords(const std::vector<LabelQuery::Label>& labels) {
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i].word.empty()) {
      return InvalidArgument(
          fmt::format("label '{}' has no word: a remote model is asked for one", labels[i].name));
    }
    for (size_t j = 0; j < labels.size(); ++j) {
      if (i == j || !labels[j].word.starts_with(labels[i].word)) continue;
      return InvalidArgument(fmt::format(
          "labels '{}' and '{}' cannot be told apart: the word '{}' begins '{}'; choose "
          "other words",
          labels[i].name, labels[j].name, labels[i].word, labels[j].word));
    }
  }
  return Status::Ok();
}

Result<std::vector<float>> ScoresOf(const std::vector<TokenLogprob>& logprobs,
                                    const std::vector<LabelQuery::Label>& labels) {
  if (logprobs.empty()) {
    return Unimplemented(
        "the engine told no log-probabilities; use an embedded small model for the probe");
  }
  const TokenLogprob& next = logprobs.front();
  std::map<std::string, double> told{{next.bytes, std::exp(next.logprob)}};
  double least = next.top.empty() ? std::exp(next.logprob) : 1;
  for (const TokenLogprob& other : next.top) {
    const double probability = std::exp(other.logprob);
    told[other.bytes] = probability;
    least = std::min(least, probability);
  }
  double rest = 1;
  std::vector<double> found(labels.size());
  std::vector<bool> is_told(labels.size());
  for (const auto& [token, probability] : told) {
    rest -= probability;
    const std::optional<size_t> label = LabelOf(token, labels);
    if (!label) continue;
    found[*label] += probability;
    is_told[*label] = true;
  }
  constexpr double kLeast = 1e-9;  // for a logarithm
  const double bound = std::clamp(std::min(least, rest), kLeast, 1.0);
  std::vector<float> scores;
  for (size_t i = 0; i < labels.size(); ++i) {
    scores.push_back(static_cast<float>(std::log(is_told[i] ? std::max(found[i], kLeast) : bound)));
  }
  return scores;
}

}  // namespace aio
