// How many prompt tokens a step may compute so that those who wait for it do not wait long.
#ifndef AIO_ENGINE_PREFILL_PACER_H_
#define AIO_ENGINE_PREFILL_PACER_H_

#include "base/clock.h"

namespace aio {

// Learns from the steps of one model how long a prompt token takes. Not thread-safe.
class PrefillPacer {
 public:
  // A step reads all weights however few tokens it computes, so fewer than these would
  // take a prompt's time and spare nobody's.
  static constexpr int kTokensMin = 16;

  // `step_max` > 0: the longest step while others wait.
  explicit PrefillPacer(Duration step_max) : step_max_(step_max) {}

  // Prompt tokens for a step that others wait for.
  int Tokens() const;
  // A step with `tokens` prompt tokens among its rows took so long.
  void Observe(int tokens, Duration step);

 private:
  const Duration step_max_;
  double ms_per_token_ = 0;  // moving average; 0: nothing seen yet
};

}  // namespace aio

#endif  // AIO_ENGINE_PREFILL_PACER_H_
