// What sampling the next token of an answer depends on besides the logits: the request's
// parameters and which tokens were seen before.
#ifndef AIO_ENGINE_SAMPLING_STATE_H_
#define AIO_ENGINE_SAMPLING_STATE_H_

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "backend/request.h"

namespace aio {

// One per answer. Only tokens that are certain (accepted) are appended, so nothing ever
// needs to be taken back. Not thread-safe.
class SamplingState {
 public:
  // `params` must have passed CheckSampling() (engine/request_checks.h).
  SamplingState(SamplingParams params, std::span<const int32_t> prompt);

  const SamplingParams& params() const { return params_; }
  // The answer goes on with `token`.
  void Append(int32_t token);

  // A token the penalties apply to: of the prompt or the answer for the repetition
  // penalty, and how often the answer has it for the other two.
  struct Seen {
    int32_t token;
    int in_answer;
  };
  // Distinct tokens, in order of first appearance; empty when no penalty is on.
  std::span<const Seen> seen() const { return seen_; }

 private:
  Seen& Entry(int32_t token);

  SamplingParams params_;
  bool has_penalties_;
  std::vector<Seen> seen_;
  std::unordered_map<int32_t, int> index_;  // token -> place in seen_
};

}  // namespace aio

#endif  // AIO_ENGINE_SAMPLING_STATE_H_
