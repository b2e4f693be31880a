#include "engine/prefill_pacer.h"

#include <algorithm>

namespace aio {

namespace {

double Seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

}  // namespace

int PrefillPacer::Tokens() const {
  constexpr int kTokensAtFirst = 32;
  constexpr double kTokensMax = 1 << 20;
  if (seconds_per_token_ == 0) return kTokensAtFirst;
  const double tokens = std::min(Seconds(step_max_) / seconds_per_token_, kTokensMax);
  return std::max(static_cast<int>(tokens), kTokensMin);
}

void PrefillPacer::Observe(int tokens, Duration step) {
  constexpr double kNew = 0.25;     // of the latest step in the average
  if (tokens < kTokensMin) return;  // mostly the time to read the weights
  const double seconds = std::max(Seconds(step), 1e-9) / tokens;
  seconds_per_token_ =
      seconds_per_token_ == 0 ? seconds : (1 - kNew) * seconds_per_token_ + kNew * seconds;
}

}  // namespace aio
