#include "engine/sampler.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "engine/random.h"
#include "kernels/kernels.h"

namespace aio {

namespace {

constexpr float kImpossible = -std::numeric_limits<float>::infinity();

// False for NaN and minus infinity.
bool IsPossible(float logit) { return logit > kImpossible; }

// Weights add up in pieces, so that a draw need look at the weights of one piece only.
constexpr size_t kPiece = 256;

// In double precision, and always in the same order.
double Sum(std::span<const float> weights) {
  double sums[4] = {};
  size_t i = 0;
  for (; i + 4 <= weights.size(); i += 4) {
    for (size_t j = 0; j < 4; ++j) sums[j] += weights[i + j];
  }
  for (; i < weights.size(); ++i) sums[0] += weights[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

std::span<const float> Piece(std::span<const float> weights, size_t first) {
  return weights.subspan(first, std::min(kPiece, weights.size() - first));
}

double SumOfPieces(std::span<const float> weights) {
  double sum = 0;
  for (size_t i = 0; i < weights.size(); i += kPiece) sum += Sum(Piece(weights, i));
  return sum;
}

// The index that `uniform` in [0, 1) falls on when each has the share of its weight; never
// one of weight 0. At least one weight is not 0.
size_t DrawIndex(std::span<const float> weights, double uniform) {
  const double target = uniform * SumOfPieces(weights);
  double sum = 0;
  size_t i = 0;
  for (; i < weights.size(); i += kPiece) {
    const double after = sum + Sum(Piece(weights, i));
    if (after > target) break;
    sum = after;
  }
  for (; i < weights.size(); ++i) {
    sum += static_cast<double>(weights[i]);
    if (weights[i] > 0 && sum > target) return i;
  }
  // Rounding left the target at the very end.
  while (weights[i - 1] == 0) --i;
  return i - 1;
}

}  // namespace

SampledToken Sampler::Sample(std::span<const float> logits, const SamplingState& state,
                             int position) {
  AIO_CHECK(!logits.empty());
  SampledToken sampled;
  sampled.token = Choose(logits, state, position);
  const int top_logprobs = state.params().top_logprobs;
  if (top_logprobs >= 0) AddLogprobs(logits, top_logprobs, sampled);
  return sampled;
}

std::span<const float> Sampler::Masked(std::span<const float> logits, const TokenMask& mask) {
  masked_.assign(logits.size(), kImpossible);
  const std::span<const uint64_t> words = mask.words();
  for (size_t i = 0; i < words.size() && 64 * i < logits.size(); ++i) {
    for (uint64_t word = words[i]; word != 0; word &= word - 1) {
      const size_t token = 64 * i + static_cast<size_t>(std::countr_zero(word));
      if (token < logits.size()) masked_[token] = logits[token];
    }
  }
  return masked_;
}

int32_t Sampler::Choose(std::span<const float> logits, const SamplingState& state, int position) {
  const SamplingParams& params = state.params();
  logits = Adjust(logits, state);
  const size_t most_probable = ArgMax(logits);
  const float best = logits[most_probable];
  if (!IsPossible(best)) return 0;
  if (params.temperature == 0.0f) return static_cast<int32_t>(most_probable);
  const double uniform = UniformAt(params.seed, static_cast<uint64_t>(position));
  const bool has_top_k = params.top_k > 0 && static_cast<size_t>(params.top_k) < logits.size();
  return has_top_k ? DrawFromTop(logits, params, uniform)
                   : DrawFromAll(logits, best, params, uniform);
}

// H = ln S - sum w (l - best) / S with w = exp(l - best), S = sum w.
float Sampler::Entropy(std::span<const float> logits) {
  const float best = logits[ArgMax(logits)];
  if (!IsPossible(best)) return 0;
  Weigh(logits, best, /*temperature=*/1.0f);
  const double total = SumOfPieces(weights_);
  double weighted = 0;
  for (size_t i = 0; i < logits.size(); ++i) {
    if (weights_[i] == 0 || logits[i] == best) continue;
    weighted += static_cast<double>(weights_[i]) *
                (static_cast<double>(logits[i]) - static_cast<double>(best));
  }
  return static_cast<float>(std::max(0.0, std::log(total) - weighted / total));
}

std::span<const float> Sampler::Adjust(std::span<const float> logits, const SamplingState& state) {
  const SamplingParams& params = state.params();
  if (state.seen().empty() && params.logit_bias.empty()) return logits;
  adjusted_.assign(logits.begin(), logits.end());
  for (const SamplingState::Seen& seen : state.seen()) {
    float& logit = adjusted_[seen.token];
    // Dividing by exactly one changes nothing, so no test for "off".
    logit = logit > 0 ? logit / params.repetition_penalty : logit * params.repetition_penalty;
    if (seen.in_answer == 0) continue;
    logit -= static_cast<float>(seen.in_answer) * params.frequency_penalty;
    logit -= params.presence_penalty;
  }
  for (const auto& [token, bias] : params.logit_bias) adjusted_[token] += bias;
  return adjusted_;
}

void Sampler::SelectTop(std::span<const float> logits, size_t count) {
  candidates_.clear();
  if (count == 0) return;
  // Collects what beats the worst of the best `count` so far; when the buffer holds
  // twice as many as wanted, the worse half goes. Linear in the vocabulary on average.
  const size_t buffer_size = 2 * count + 64;
  float threshold = kImpossible;  // ids ascend: a later equal logit is less probable
  const auto keep_best = [&] {
    if (candidates_.size() <= count) return;
    std::nth_element(candidates_.begin(), candidates_.begin() + (count - 1), candidates_.end(),
                     MoreProbable);
    candidates_.resize(count);
    threshold = candidates_.back().logit;
  };
  for (size_t id = 0; id < logits.size(); ++id) {
    if (!(logits[id] > threshold)) continue;
    candidates_.push_back({logits[id], static_cast<int32_t>(id)});
    if (candidates_.size() >= buffer_size) keep_best();
  }
  keep_best();
  std::sort(candidates_.begin(), candidates_.end(), MoreProbable);
}

int32_t Sampler::DrawFromTop(std::span<const float> logits, const SamplingParams& params,
                             double uniform) {
  SelectTop(logits, static_cast<size_t>(params.top_k));
  weights_.clear();
  for (const Candidate& candidate : candidates_) {
    weights_.push_back(candidate.logit);
  }
  Weigh(weights_, candidates_.front().logit, params.temperature);
  const double total = SumOfPieces(weights_);
  // Both remaining filters keep a prefix, and at least the most probable token.
  double sum = static_cast<double>(weights_.front());
  size_t kept = 1;
  while (kept < weights_.size() && weights_[kept] >= params.min_p &&
         (params.top_p >= 1.0f || sum < params.top_p * total)) {
    sum += static_cast<double>(weights_[kept++]);
  }
  weights_.resize(kept);
  return candidates_[DrawIndex(weights_, uniform)].token;
}

int32_t Sampler::DrawFromAll(std::span<const float> logits, float best,
                             const SamplingParams& params, double uniform) {
  Weigh(logits, best, params.temperature);
  if (params.top_p < 1.0f) FilterTopP(logits, best, params);
  if (params.min_p > 0.0f) {
    for (float& weight : weights_) weight = weight >= params.min_p ? weight : 0.0f;
  }
  return static_cast<int32_t>(DrawIndex(weights_, uniform));
}

void Sampler::Weigh(std::span<const float> logits, float best, float temperature) {
  weights_.resize(logits.size());
  // A temperature close to 0 has no reciprocal; then, and beside plus infinity, only equals
  // of the best one weigh anything.
  const float scale = 1.0f / temperature;
  if (std::isfinite(best) && std::isfinite(scale)) {
    ExpRelative(logits, best, scale, weights_);
  } else {
    for (size_t i = 0; i < logits.size(); ++i) weights_[i] = logits[i] == best ? 1.0f : 0.0f;
  }
}

void Sampler::FilterTopP(std::span<const float> logits, float best, const SamplingParams& params) {
  // A histogram over the logits instead of a sort: only the bin in which the sum of
  // probabilities reaches top_p needs an order among its own.
  constexpr float kBinsPerNat = 16;
  constexpr size_t kNumBins = 40 * 16 + 1;  // the last: all with weights below e^-40
  const float bins_a_logit = kBinsPerNat / params.temperature;
  const auto bin_of = [&](float logit) {
    if (logit == best) return size_t{0};
    const float bin = (best - logit) * bins_a_logit;
    return bin < static_cast<float>(kNumBins - 1) ? static_cast<size_t>(bin) : kNumBins - 1;
  };
  // Tokens lighter than this one (by half, for rounding) together weigh less than what may be
  // left out: most of a vocabulary needs no bin.
  const double total = SumOfPieces(weights_);
  const auto lightest = static_cast<float>(0.5 * (1.0 - static_cast<double>(params.top_p)) * total /
                                           static_cast<double>(weights_.size()));
  bins_.assign(kNumBins, 0.0);
  for (size_t id = 0; id < logits.size(); ++id) {
    if (weights_[id] > lightest) {
      bins_[bin_of(logits[id])] += static_cast<double>(weights_[id]);
    } else {
      weights_[id] = 0;
    }
  }
  const double wanted = static_cast<double>(params.top_p) * total;
  double sum = 0;
  size_t last_bin = 0;
  while (last_bin + 1 < kNumBins && sum + bins_[last_bin] < wanted) sum += bins_[last_bin++];

  candidates_.clear();
  for (size_t id = 0; id < logits.size(); ++id) {
    if (weights_[id] == 0) continue;
    const size_t bin = bin_of(logits[id]);
    if (bin == last_bin) candidates_.push_back({logits[id], static_cast<int32_t>(id)});
    if (bin > last_bin) weights_[id] = 0;
  }
  std::sort(candidates_.begin(), candidates_.end(), MoreProbable);
  for (const Candidate& candidate : candidates_) {
    if (sum >= wanted) {
      weights_[candidate.token] = 0;
    } else {
      sum += static_cast<double>(weights_[candidate.token]);
    }
  }
}

void Sampler::AddLogprobs(std::span<const float> logits, int top_logprobs, SampledToken& sampled) {
  const float best = logits[ArgMax(logits)];
  double total = 0;
  if (IsPossible(best)) {
    Weigh(logits, best, /*temperature=*/1.0f);
    total = SumOfPieces(weights_);
  }
  const double log_total = std::log(total);
  const auto logprob = [&](float logit) {
    if (!IsPossible(logit)) return kImpossibleLogprob;
    const double difference =
        logit == best ? 0.0 : static_cast<double>(logit) - static_cast<double>(best);
    return std::max(static_cast<float>(difference - log_total), kImpossibleLogprob);
  };
  sampled.logprob = logprob(logits[sampled.token]);
  SelectTop(logits, std::min(static_cast<size_t>(top_logprobs), logits.size()));
  sampled.top.reserve(candidates_.size());
  for (const Candidate& c : candidates_) sampled.top.push_back({c.token, logprob(c.logit)});
}

}  // namespace aio
