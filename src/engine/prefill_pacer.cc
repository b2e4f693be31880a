#include "engine/prefill_pacer.h"

#include <algorithm>

namespace aio {

int PrefillPacer::Tokens() const {
  constexpr int kTokensAtFirst = 32;
  constexpr double kTokensMax = 1 << 20;
  if (ms_per_token_ == 0) return kTokensAtFirst;
  const double tokens = std::min(ToMs(step_max_) / ms_per_token_, kTokensMax);
  return std::max(static_cast<int>(tokens), kTokensMin);
}

void PrefillPacer::Observe(int tokens, Duration step) {
  constexpr double kNew = 0.25;     // of the latest step in the average
  if (tokens < kTokensMin) return;  // mostly the time to read the weights
  const double ms = std::max(ToMs(step), 1e-6) / tokens;
  ms_per_token_ = ms_per_token_ == 0 ? ms : (1 - kNew) * ms_per_token_ + kNew * ms;
}

}  // namespace aio
