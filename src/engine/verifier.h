// Speculation without approximation: every position is sampled as plain decoding would
// have sampled it, and a guess only decides whether the next position's logits, computed
// in the same step, can be used.
#ifndef AIO_ENGINE_VERIFIER_H_
#define AIO_ENGINE_VERIFIER_H_

#include <cstdint>
#include <span>
#include <vector>

#include "engine/answer.h"
#include "engine/sampler.h"

namespace aio {

// `logits` row 0 follows the last known token, row i the i-th of `draft` after it
// (count == 1 + draft.size()). Samples row by row, appending to `answer` and `sampled`,
// until the answer ends or a token differs from the guess. Returns the guesses that came
// true and were used. `position` is that of the first sampled token.
int Verify(const LogitRows& logits, std::span<const int32_t> draft, int position, Sampler& sampler,
           Answer& answer, std::vector<int32_t>& sampled);

}  // namespace aio

#endif  // AIO_ENGINE_VERIFIER_H_
