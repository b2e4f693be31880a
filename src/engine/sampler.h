// Picks the next token from the logits of one position.
//
// Order, each step on the outcome of the one before:
//   1. repetition penalty   tokens of prompt and answer: a logit > 0 is divided by it, any
//                           other multiplied (Keskar et al. 2019, section 4.1)
//   2. frequency, presence  tokens of the answer: logit - count * frequency - presence
//   3. logit bias           logit + bias
//      at temperature 0: the highest logit, lowest id on ties, and done
//   4. temperature          logit / temperature
//   5. top-k                the k most probable tokens
//   6. top-p                of the distribution renormalised after top-k, the fewest most
//                           probable tokens whose probabilities sum to at least p
//   7. min-p                tokens at least min_p times as probable as the most probable
//   8. one uniform number, a function of (seed, position), picks from what is left
// Between equally probable tokens the lower id counts as more probable.
//
// Log-probabilities are of the model's own distribution: the softmax of the logits as they
// came, before step 1; of constrained answers after Masked(), over the tokens allowed. A NaN logit
// counts as impossible.
#ifndef AIO_ENGINE_SAMPLER_H_
#define AIO_ENGINE_SAMPLER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/sampling_state.h"
#include "grammar/token_mask.h"

namespace aio {

// Logits of consecutive positions of one sequence, a view.
struct LogitRows {
  const float* data = nullptr;
  int count = 0;
  int vocabulary = 0;  // tokens that can be sampled
  int stride = 0;      // values from row to row; >= vocabulary

  std::span<const float> row(int i) const {
    return {data + static_cast<size_t>(i) * stride, static_cast<size_t>(vocabulary)};
  }
};

struct TokenScore {
  int32_t token = 0;
  float logprob = 0;  // natural log; kImpossibleLogprob for a token without probability
};

// What the OpenAI API writes where the logarithm would be minus infinity.
inline constexpr float kImpossibleLogprob = -9999.0f;

struct SampledToken {
  int32_t token = 0;
  float logprob = 0;            // only when log-probabilities were asked for
  std::vector<TokenScore> top;  // the alternatives asked for, most probable first
  float entropy = -1;           // nats; < 0: not asked for
};

// Scratch memory and code; all state is in the arguments, so that any sampler gives the
// same token. Not thread-safe: one per thread.
class Sampler {
 public:
  // `logits` [vocabulary], not empty; token ids in `state` below the vocabulary's size.
  // `position` is that of the sampled token in its sequence, prompt included.
  SampledToken Sample(std::span<const float> logits, const SamplingState& state, int position);
  // `logits` with those that `mask` forbids made impossible; valid until the next call. Tokens
  // beyond the mask's vocabulary are forbidden.
  std::span<const float> Masked(std::span<const float> logits, const TokenMask& mask);
  // The token alone.
  int32_t Choose(std::span<const float> logits, const SamplingState& state, int position);
  // Shannon entropy of the softmax of `logits`, in nats: how little the model knows what comes
  // next. 0 if no token is possible.
  float Entropy(std::span<const float> logits);

 private:
  struct Candidate {
    float logit;
    int32_t token;
  };
  static bool MoreProbable(const Candidate& a, const Candidate& b) {
    return a.logit > b.logit || (a.logit == b.logit && a.token < b.token);
  }

  std::span<const float> Adjust(std::span<const float> logits, const SamplingState& state);
  // Leaves the `count` most probable tokens in candidates_, sorted, impossible ones left
  // out; without sorting the vocabulary.
  void SelectTop(std::span<const float> logits, size_t count);
  // With top-k: among few candidates. Without: over the vocabulary in the order of ids, by
  // weights_, which the filters set to zero. `best` is the highest logit, not impossible.
  int32_t DrawFromTop(std::span<const float> logits, const SamplingParams& params, double uniform);
  int32_t DrawFromAll(std::span<const float> logits, float best, const SamplingParams& params,
                      double uniform);
  // weights_ = probabilities of `logits` at `temperature`, relative to the best one's.
  void Weigh(std::span<const float> logits, float best, float temperature);
  void FilterTopP(std::span<const float> logits, float best, const SamplingParams& params);
  void AddLogprobs(std::span<const float> logits, int top_logprobs, SampledToken& sampled);

  std::vector<float> masked_;    // [vocabulary]
  std::vector<float> adjusted_;  // [vocabulary]
  std::vector<float> weights_;   // [vocabulary]; relative to the most probable token's
  std::vector<double> bins_;     // sums of weights_, by logit
  std::vector<Candidate> candidates_;
};

}  // namespace aio

#endif  // AIO_ENGINE_SAMPLER_H_
