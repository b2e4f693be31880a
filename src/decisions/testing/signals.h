// Signals with every field set, as tests of this layer and those above share them.
#ifndef AIO_DECISIONS_TESTING_SIGNALS_H_
#define AIO_DECISIONS_TESTING_SIGNALS_H_

#include "router/routing_policy.h"

namespace aio {

inline Signals FullSignals() {
  Signals signals;
  signals.intent =
      IntentDistribution{.labels = {"code", "qa", "math"},
                         .probabilities = {0.1 + 0.2, 1.0 / 3, 1 - 0.1 - 0.2 - 1.0 / 3},
                         .entropy = 1.0945917486893873};
  signals.prompt_tokens = 57;
  signals.entropy_threshold = 0.30000000000000004;
  signals.strategy = Strategy{.kind = StrategyKind::kPromptLookup,
                              .prompt_lookup_max = 7,
                              .prompt_lookup_min = 2,
                              .num_speculative_tokens = 3};
  signals.weights = "w8a16";
  signals.small = {.context = {.prompt_tokens = 57, .answer_tokens = 256, .context_length = 2048},
                   .variants = {"w8a16"}};
  signals.large = {.context = {.prompt_tokens = 61, .answer_tokens = 256, .context_length = 32768},
                   .variants = {"w8a16", "other"}};
  signals.probe_fault = "unavailable: gone";
  return signals;
}

}  // namespace aio

#endif  // AIO_DECISIONS_TESTING_SIGNALS_H_
