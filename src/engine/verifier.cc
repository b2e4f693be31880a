#include "engine/verifier.h"

#include "base/check.h"

namespace aio {

int Verify(const LogitRows& logits, std::span<const int32_t> draft, int position, Sampler& sampler,
           Answer& answer, std::vector<int32_t>& sampled) {
  AIO_CHECK(logits.count == static_cast<int>(draft.size()) + 1);
  int accepted = 0;
  for (int i = 0; i < logits.count; ++i) {
    const TokenMask* mask = answer.NextMask();
    if (answer.finished()) break;
    // answer.sampling() holds exactly the tokens before this position.
    SampledToken token =
        sampler.Sample(mask == nullptr ? logits.row(i) : sampler.Masked(logits.row(i), *mask),
                       answer.sampling(), position + i);
    if (answer.wants_entropy()) token.entropy = sampler.Entropy(logits.row(i));
    answer.Append(token);
    sampled.push_back(token.token);
    const bool was_guessed = i < static_cast<int>(draft.size()) && draft[i] == token.token;
    if (was_guessed) ++accepted;
    if (answer.finished() || !was_guessed) break;
  }
  return accepted;
}

}  // namespace aio
