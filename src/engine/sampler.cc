#include "engine/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/check.h"
#include "engine/random.h"

namespace aio {

namespace {

constexpr float kImpossible = -std::numeric_limits<float>::infinity();

// False for NaN and minus infinity.
bool IsPossible(float logit) { return logit > kImpossible; }

// The lowest id of the highest logit; 0 when nothing is possible.
size_t ArgMax(std::span<const float> logits) {
  size_t best = 0;
  float best_logit = kImpossible;
  for (size_t id = 0; id < logits.size(); ++id) {
    if (logits[id] > best_logit) {
      best_logit = logits[id];
      best = id;
    }
  }
  return best;
}

// Probability relative to the most probable token's; `logit` and `best` are possible.
double Weight(float logit, float best, float temperature) {
  if (logit == best) return 1.0;  // also where both are plus infinity
  return std::exp((static_cast<double>(logit) - static_cast<double>(best)) / temperature);
}

// The index that `uniform` in [0, 1) falls on when each has the share of its weight; never
// one of weight 0. At least one weight is not 0.
size_t DrawIndex(std::span<const double> weights, double uniform) {
  const double target = uniform * std::accumulate(weights.begin(), weights.end(), 0.0);
  double sum = 0;
  size_t last_possible = 0;  // where rounding leaves the target at the very end
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] == 0) continue;
    sum += weights[i];
    last_possible = i;
    if (sum > target) break;
  }
  return last_possible;
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

int32_t Sampler::Choose(std::span<const float> logits, const SamplingState& state, int position) {
  const SamplingParams& params = state.params();
  logits = Adjust(logits, state);
  if (params.temperature == 0.0f) return static_cast<int32_t>(ArgMax(logits));
  const double uniform = UniformAt(params.seed, static_cast<uint64_t>(position));
  const float best = logits[ArgMax(logits)];
  if (!IsPossible(best)) return 0;
  const bool has_top_k = params.top_k > 0 && static_cast<size_t>(params.top_k) < logits.size();
  return has_top_k ? DrawFromTop(logits, params, uniform)
                   : DrawFromAll(logits, best, params, uniform);
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
    weights_.push_back(Weight(candidate.logit, candidates_.front().logit, params.temperature));
  }
  const double total = std::accumulate(weights_.begin(), weights_.end(), 0.0);
  // Both remaining filters keep a prefix, and at least the most probable token.
  double sum = weights_.front();
  size_t kept = 1;
  while (kept < weights_.size() && weights_[kept] >= params.min_p &&
         (params.top_p >= 1.0f || sum < params.top_p * total)) {
    sum += weights_[kept++];
  }
  weights_.resize(kept);
  return candidates_[DrawIndex(weights_, uniform)].token;
}

int32_t Sampler::DrawFromAll(std::span<const float> logits, float best,
                             const SamplingParams& params, double uniform) {
  weights_.resize(logits.size());
  for (size_t id = 0; id < logits.size(); ++id) {
    weights_[id] = IsPossible(logits[id]) ? Weight(logits[id], best, params.temperature) : 0.0;
  }
  if (params.top_p < 1.0f) FilterTopP(logits, best, params);
  if (params.min_p > 0.0f) {
    for (double& weight : weights_) weight = weight >= params.min_p ? weight : 0.0;
  }
  return static_cast<int32_t>(DrawIndex(weights_, uniform));
}

void Sampler::FilterTopP(std::span<const float> logits, float best, const SamplingParams& params) {
  // A histogram over the logits instead of a sort: only the bin in which the sum of
  // probabilities reaches top_p needs an order among its own.
  constexpr double kBinsPerNat = 16;
  constexpr size_t kNumBins = 40 * 16 + 1;  // the last: all with weights below e^-40
  const auto bin_of = [&](float logit) {
    if (logit == best) return size_t{0};
    const double nats =
        (static_cast<double>(best) - static_cast<double>(logit)) / params.temperature;
    return static_cast<size_t>(std::min(nats * kBinsPerNat, static_cast<double>(kNumBins - 1)));
  };
  bins_.assign(kNumBins, 0.0);
  for (size_t id = 0; id < logits.size(); ++id) {
    if (weights_[id] > 0) bins_[bin_of(logits[id])] += weights_[id];
  }
  const double wanted = params.top_p * std::accumulate(bins_.begin(), bins_.end(), 0.0);
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
      sum += weights_[candidate.token];
    }
  }
}

void Sampler::AddLogprobs(std::span<const float> logits, int top_logprobs, SampledToken& sampled) {
  const float best = logits[ArgMax(logits)];
  double total = 0;
  if (IsPossible(best)) {
    for (float logit : logits) {
      if (IsPossible(logit)) total += Weight(logit, best, /*temperature=*/1.0f);
    }
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
