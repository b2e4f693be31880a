#include "engine/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <set>
#include <vector>

#include "engine/random.h"

namespace aio {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

SamplingParams Greedy() {
  SamplingParams params;
  params.temperature = 0;
  return params;
}

SampledToken Sample(const std::vector<float>& logits, const SamplingParams& params,
                    const std::vector<int32_t>& prompt = {},
                    const std::vector<int32_t>& answer = {}, int position = 0) {
  SamplingState state(params, prompt);
  for (int32_t token : answer) state.Append(token);
  return Sampler().Sample(logits, state, position);
}

// The tokens that come up at the positions 0 to `count` - 1.
std::set<int32_t> Support(const std::vector<float>& logits, const SamplingParams& params,
                          int count = 2000) {
  std::set<int32_t> support;
  const SamplingState state(params, {});
  Sampler sampler;
  for (int position = 0; position < count; ++position) {
    support.insert(sampler.Sample(logits, state, position).token);
  }
  return support;
}

TEST(SamplerTest, GreedyTakesTheHighestAndTheLowestIdOnTies) {
  EXPECT_EQ(Sample({0, 3, 1, 3}, Greedy()).token, 1);
  EXPECT_EQ(Sample({-5, -4, -4}, Greedy()).token, 1);
}

TEST(SamplerTest, NanIsImpossible) {
  EXPECT_EQ(Sample({kNan, -3, kNan, -2, kNan}, Greedy()).token, 3);
  EXPECT_EQ(Support({kNan, 1, kNan, 1}, SamplingParams()), (std::set<int32_t>{1, 3}));
  SamplingParams filtered;
  filtered.top_k = 3;
  filtered.top_p = 0.9f;
  EXPECT_EQ(Support({kNan, 1, kNan, 1}, filtered), (std::set<int32_t>{1, 3}));
}

TEST(SamplerTest, InfinitiesAreWhatTheySay) {
  EXPECT_EQ(Support({-kInf, 1, kInf, kInf}, SamplingParams()), (std::set<int32_t>{2, 3}));
  SamplingParams filtered;
  filtered.min_p = 0.1f;
  EXPECT_EQ(Support({-kInf, 1, kInf, kInf}, filtered), (std::set<int32_t>{2, 3}));
  filtered.top_p = 0.3f;
  EXPECT_EQ(Support({-kInf, 1, kInf, kInf}, filtered), (std::set<int32_t>{2}));
}

TEST(SamplerTest, WithNothingPossibleThereIsStillAToken) {
  SamplingParams params;
  for (float temperature : {0.0f, 1.0f}) {
    for (int top_k : {0, 2}) {
      params.temperature = temperature;
      params.top_k = top_k;
      params.top_logprobs = 2;
      const SampledToken sampled = Sample({kNan, -kInf, kNan}, params);
      EXPECT_EQ(sampled.token, 0);
      EXPECT_EQ(sampled.logprob, kImpossibleLogprob);
      EXPECT_TRUE(sampled.top.empty());
    }
  }
}

TEST(SamplerTest, FrequenciesFollowTheSoftmaxAtTheTemperature) {
  const std::vector<float> logits = {0.0f, 1.0f, 2.0f, -1.0f};
  for (float temperature : {0.5f, 1.0f, 2.0f}) {
    SamplingParams params;
    params.temperature = temperature;
    params.seed = 7;
    const SamplingState state(params, {});
    std::vector<int> counts(logits.size());
    constexpr int kDraws = 20000;
    Sampler sampler;
    for (int i = 0; i < kDraws; ++i) ++counts[sampler.Sample(logits, state, i).token];
    double total = 0;
    for (float logit : logits) total += std::exp(logit / temperature);
    for (size_t id = 0; id < logits.size(); ++id) {
      const double expected = std::exp(logits[id] / temperature) / total;
      EXPECT_NEAR(counts[id] / static_cast<double>(kDraws), expected, 0.012) << temperature;
    }
  }
}

TEST(SamplerTest, ATinyTemperatureIsGreedy) {
  SamplingParams params;
  params.temperature = 1e-40f;
  EXPECT_EQ(Support({1, 2, 1.999f}, params, 100), (std::set<int32_t>{1}));
}

TEST(SamplerTest, TopKKeepsTheLowestIdsOfTies) {
  SamplingParams params;
  params.top_k = 2;
  EXPECT_EQ(Support({1, 1, 5, 1}, params), (std::set<int32_t>{0, 2}));
}

TEST(SamplerTest, TopPKeepsTheFewestThatReachIt) {
  // Probabilities 0.5, 0.25, 0.125, 0.125.
  const std::vector<float> logits = {std::log(2.0f), std::log(4.0f), 0.0f, 0.0f};
  SamplingParams params;
  params.top_p = 0.45f;
  EXPECT_EQ(Support(logits, params), (std::set<int32_t>{1}));
  params.top_p = 0.7f;
  EXPECT_EQ(Support(logits, params), (std::set<int32_t>{0, 1}));
  params.top_p = 0.8f;
  EXPECT_EQ(Support(logits, params), (std::set<int32_t>{0, 1, 2}));
  // Top-k comes first and the rest is renormalised: 2/3 and 1/3.
  params.top_k = 2;
  params.top_p = 0.6f;
  EXPECT_EQ(Support(logits, params), (std::set<int32_t>{1}));
}

TEST(SamplerTest, MinPIsRelativeToTheMostProbable) {
  const std::vector<float> logits = {std::log(10.0f), std::log(100.0f), std::log(4.0f)};
  SamplingParams params;
  params.min_p = 0.09f;
  EXPECT_EQ(Support(logits, params), (std::set<int32_t>{0, 1}));
  params.min_p = 0.2f;
  EXPECT_EQ(Support(logits, params), (std::set<int32_t>{1}));
  params.min_p = 0.01f;
  EXPECT_EQ(Support(logits, params), (std::set<int32_t>{0, 1, 2}));
}

// The filters by full sorting, as their definitions say.
std::vector<int32_t> SurvivorsBySorting(const std::vector<float>& logits,
                                        const SamplingParams& params) {
  std::vector<int32_t> ids(logits.size());
  std::iota(ids.begin(), ids.end(), 0);
  std::stable_sort(ids.begin(), ids.end(),
                   [&](int32_t a, int32_t b) { return logits[a] > logits[b]; });
  if (params.top_k > 0 && params.top_k < static_cast<int>(ids.size())) ids.resize(params.top_k);
  std::vector<double> weights;
  for (int32_t id : ids) {
    weights.push_back(std::exp((logits[id] - logits[ids[0]]) / double{params.temperature}));
  }
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  size_t kept = 0;
  double sum = 0;
  while (kept < ids.size() && weights[kept] >= params.min_p) {
    sum += weights[kept++];
    if (params.top_p < 1 && sum >= params.top_p * total) break;
  }
  ids.resize(std::max<size_t>(kept, 1));
  return ids;
}

TEST(SamplerTest, PartialSelectionGivesWhatSortingWould) {
  std::mt19937 random(3);
  for (int round = 0; round < 300; ++round) {
    std::vector<float> logits(1 + random() % 2000);
    // Few distinct values half of the time, for many ties.
    const bool has_ties = random() % 2 == 0;
    std::normal_distribution<float> normal(0, round % 3 == 0 ? 0.1f : 3.0f);
    for (float& logit : logits) logit = has_ties ? std::round(normal(random)) : normal(random);
    SamplingParams params;
    params.temperature = 0.25f * static_cast<float>(1 + random() % 8);
    params.seed = random();
    if (random() % 2) params.top_k = static_cast<int>(random() % 300);
    // Away from values where the order of summation decides.
    if (random() % 2) params.top_p = 0.01f + 0.97f * static_cast<float>(random() % 1000) / 1000;
    if (random() % 2) params.min_p = static_cast<float>(random() % 100) / 101;
    std::vector<int32_t> survivors = SurvivorsBySorting(logits, params);
    // Without top-k the draw is in the order of ids.
    const bool has_top_k = params.top_k > 0 && params.top_k < static_cast<int>(logits.size());
    if (!has_top_k) std::sort(survivors.begin(), survivors.end());
    const float best = *std::max_element(logits.begin(), logits.end());
    const int32_t token = Sample(logits, params, {}, {}, round).token;
    double total = 0;
    for (int32_t id : survivors) {
      total += std::exp((logits[id] - best) / double{params.temperature});
    }
    const double target = UniformAt(params.seed, round) * total;
    double sum = 0;
    int32_t expected = survivors.back();
    for (int32_t id : survivors) {
      sum += std::exp((logits[id] - best) / double{params.temperature});
      if (sum > target) {
        expected = id;
        break;
      }
    }
    ASSERT_EQ(token, expected) << "round " << round << " top_k " << params.top_k << " top_p "
                               << params.top_p << " min_p " << params.min_p;
  }
}

TEST(SamplerTest, RepetitionPenaltyCoversPromptAndAnswer) {
  SamplingParams params = Greedy();
  params.repetition_penalty = 2.0f;
  EXPECT_EQ(Sample({3, 2, 1}, params).token, 0);
  EXPECT_EQ(Sample({3, 2, 1}, params, /*prompt=*/{0}).token, 1);
  EXPECT_EQ(Sample({3, 2, 1.1f}, params, /*prompt=*/{0}, /*answer=*/{1}).token, 0);  // 1.5 > 1
  EXPECT_EQ(Sample({-1, -1.5f}, params, /*prompt=*/{0}).token, 1);                   // -2 < -1.5
}

TEST(SamplerTest, PresenceAndFrequencyCoverTheAnswerOnly) {
  SamplingParams params = Greedy();
  params.presence_penalty = 1.5f;
  EXPECT_EQ(Sample({3, 2}, params, /*prompt=*/{0}).token, 0);
  EXPECT_EQ(Sample({3, 2}, params, {}, /*answer=*/{0}).token, 1);
  EXPECT_EQ(Sample({3, 1}, params, {}, /*answer=*/{0, 0, 0}).token, 0);  // once only
  params.presence_penalty = 0;
  params.frequency_penalty = 0.75f;
  EXPECT_EQ(Sample({3, 1}, params, {}, /*answer=*/{0, 0}).token, 0);  // 1.5 > 1
  EXPECT_EQ(Sample({3, 1}, params, {}, /*answer=*/{0, 0, 0}).token, 1);
  params.frequency_penalty = -1.0f;
  EXPECT_EQ(Sample({3, 2.5f}, params, {}, /*answer=*/{1}).token, 1);
}

TEST(SamplerTest, LogitBiasIsAddedAfterThePenalties) {
  SamplingParams params = Greedy();
  params.logit_bias = {{2, 100.0f}};
  EXPECT_EQ(Sample({3, 2, 1}, params).token, 2);
  params.logit_bias = {{0, -100.0f}};
  EXPECT_EQ(Sample({3, 2, 1}, params).token, 1);
  // (1 / 2) + 2 = 2.5 < 2.6; biased first it would be (1 + 2) / 2.
  params.logit_bias = {{0, 2.0f}};
  params.repetition_penalty = 2.0f;
  EXPECT_EQ(Sample({1, 2.4f}, params, {0}).token, 0);
}

TEST(SamplerTest, LogprobsAreTheModelsOwn) {
  SamplingParams params = Greedy();
  params.top_logprobs = 2;
  params.logit_bias = {{3, 100.0f}};
  const SampledToken sampled = Sample({1, 2, 2, 0}, params);
  EXPECT_EQ(sampled.token, 3);
  const double log_total = std::log(std::exp(1.0) + 2 * std::exp(2.0) + 1.0);
  EXPECT_FLOAT_EQ(sampled.logprob, static_cast<float>(0 - log_total));
  ASSERT_EQ(sampled.top.size(), 2u);
  EXPECT_EQ(sampled.top[0].token, 1);
  EXPECT_EQ(sampled.top[1].token, 2);
  EXPECT_FLOAT_EQ(sampled.top[0].logprob, static_cast<float>(2 - log_total));
}

TEST(SamplerTest, LogprobsDoNotOverflow) {
  SamplingParams params = Greedy();
  params.top_logprobs = 5;
  const SampledToken sampled = Sample({-kInf, 3e38f, -3e38f, kNan}, params);
  EXPECT_EQ(sampled.token, 1);
  EXPECT_EQ(sampled.logprob, 0.0f);
  ASSERT_EQ(sampled.top.size(), 2u);  // impossible tokens are no alternatives
  EXPECT_EQ(sampled.top[1].token, 2);
  EXPECT_EQ(sampled.top[1].logprob, kImpossibleLogprob);
  params.top_logprobs = 0;
  EXPECT_TRUE(Sample({1, 2}, params).top.empty());
  EXPECT_LT(Sample({1, 2}, params).logprob, 0.0f);
}

TEST(SamplerTest, EntropyIsShannonsInNats) {
  Sampler sampler;
  EXPECT_NEAR(sampler.Entropy(std::vector<float>(64, -3.0f)), std::log(64.0), 1e-5);
  const auto log = [](double p) { return static_cast<float>(std::log(p)); };
  EXPECT_NEAR(sampler.Entropy(std::vector<float>{log(0.5), log(0.25), log(0.25)}),
              1.5 * std::log(2.0), 1e-5);
  EXPECT_EQ(sampler.Entropy(std::vector<float>{5}), 0.0f);
  EXPECT_EQ(sampler.Entropy(std::vector<float>{-kInf, 3e38f, -3e38f, kNan}), 0.0f);
  EXPECT_EQ(sampler.Entropy(std::vector<float>{kNan, -kInf}), 0.0f);
}

TEST(SamplerTest, DependsOnSeedAndPositionNotOnTheSamplersPast) {
  const std::vector<float> logits(100, 0.0f);
  SamplingParams params;
  params.seed = 11;
  const SamplingState state(params, {});
  Sampler used;
  std::vector<int32_t> forward;
  std::vector<int32_t> backward;
  for (int i = 0; i < 50; ++i) forward.push_back(used.Sample(logits, state, i).token);
  for (int i = 49; i >= 0; --i) backward.push_back(Sampler().Sample(logits, state, i).token);
  std::reverse(backward.begin(), backward.end());
  EXPECT_EQ(forward, backward);
  EXPECT_GT(std::set<int32_t>(forward.begin(), forward.end()).size(), 20u);
}

TEST(SamplingStateTest, TracksNothingWithoutPenalties) {
  SamplingState state(SamplingParams(), std::vector<int32_t>{1, 2});
  state.Append(3);
  EXPECT_TRUE(state.seen().empty());
}

TEST(SamplingStateTest, TracksThePromptOnlyForTheRepetitionPenalty) {
  SamplingParams params;
  params.frequency_penalty = 1;
  SamplingState state(params, std::vector<int32_t>{1, 2});
  state.Append(3);
  state.Append(3);
  ASSERT_EQ(state.seen().size(), 1u);
  EXPECT_EQ(state.seen()[0].token, 3);
  EXPECT_EQ(state.seen()[0].in_answer, 2);

  params.repetition_penalty = 1.5f;
  SamplingState with_prompt(params, std::vector<int32_t>{1, 2, 1});
  ASSERT_EQ(with_prompt.seen().size(), 2u);
  EXPECT_EQ(with_prompt.seen()[0].in_answer, 0);
}

}  // namespace
}  // namespace aio
