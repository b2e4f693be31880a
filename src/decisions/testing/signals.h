// Signals with every field set, as tests of this layer and those above share them.
#ifndef AIO_DECISIONS_TESTING_SIGNALS_H_
#define AIO_DECISIONS_TESTING_SIGNALS_H_

#include "router/routing_policy.h"

namespace aio {

// A new field of Signals belongs here, in signals_json.cc and in its test.
inline Signals FullSignals() {
  Signals signals;
  signals.intent =
      IntentDistribution{.labels = {"code", "qa", "math"},
                         .probabilities = {0.1 + 0.2, 1.0 / 3, 1 - 0.1 - 0.2 - 1.0 / 3},
                         .entropy = 1.0945917486893873};
  signals.label_logits = {-0.105360515f, 1e-7f, 3.4028235e38f};
  signals.prompt_tokens = 57;
  signals.answer_tokens_max = 256;
  signals.entropy_threshold = 0.30000000000000004;
  signals.strategy = Strategy{.kind = StrategyKind::kPromptLookup,
                              .prompt_lookup_max = 7,
                              .prompt_lookup_min = 2,
                              .num_speculative_tokens = 3};
  signals.weights = "w8a16";
  signals.small = {.context = {.prompt_tokens = 57, .answer_tokens = 256, .context_length = 2048},
                   .variants = {"w8a16"},
                   .load = {.running = 3, .waiting = 1, .step_ms = 1.1, .tokens_per_second = 909.1},
                   .weight_bytes = int64_t{2'000'000'000}};
  signals.large = {.context = {.prompt_tokens = 61, .answer_tokens = 256, .context_length = 32768},
                   .variants = {"w8a16", "other"},
                   .load = {.running = 1, .waiting = 0, .step_ms = 6.6, .tokens_per_second = 150},
                   .weight_bytes = int64_t{14'000'000'000}};
  signals.probe_fault = "unavailable: gone";
  signals.doubts = {"no line of a program", "prose is math 1.00"};
  signals.request_hash = 0xF234567890ABCDEF;
  signals.true_label = "code";
  signals.session = {.role = "large", .weights = "w8a16", .turns = 2, .confidence = 2.0 / 3};
  signals.drift = {.drifted = true, .what = "entropy mean 0.41, was 0.08"};
  signals.first_tokens = FirstTokens{.tokens = 16, .entropy_mean = 0.30000000000000004};
  return signals;
}

}  // namespace aio

#endif  // AIO_DECISIONS_TESTING_SIGNALS_H_
