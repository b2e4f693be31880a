// What the tests of the protocols encode. For tests of api/.
#ifndef AIO_API_TEST_ANSWERS_H_
#define AIO_API_TEST_ANSWERS_H_

#include <string>
#include <utility>

#include "api/answer_encoder.h"
#include "backend/events.h"

namespace aio {

inline StartEvent RoutedStart() {
  StartEvent start;
  start.model = "pocket-small";
  start.prompt_tokens = 57;
  Decision& decision = start.decision.emplace();
  decision.model = "pocket-small";
  decision.role = "small";
  decision.strategy = {.kind = StrategyKind::kPromptLookup, .prompt_lookup_max = 6};
  decision.reason = "code, entropy 0.5 <= 0.6";
  decision.rule = "small-code";
  decision.probed = true;
  decision.intent = "code";
  decision.probabilities = {{"code", 0.75}, {"qa", 0.25}};
  decision.entropy = 0.5;
  decision.prompt_tokens = 57;
  decision.probe_ms = 1.5;
  return start;
}

inline FinishEvent FinishedBy(FinishReason reason) {
  FinishEvent finish;
  finish.reason = reason;
  finish.usage = {.prompt_tokens = 57, .cached_prompt_tokens = 50, .completion_tokens = 2};
  finish.timings = {.queue_ms = 1, .probe_ms = 2, .prompt_ms = 7, .predicted_ms = 10};
  finish.traffic = {.weight_bytes = 700, .kv_bytes = 50, .static_large_bytes = 3000};
  return finish;
}

inline TokenEvent Text(std::string text) {
  return {.text = std::move(text), .tokens = {1}, .logprobs = {}, .entropies = {}};
}

inline TokenEvent TextWithLogprob(const std::string& text, float logprob) {
  TokenEvent event = Text(text);
  event.logprobs.push_back({.token = 1, .bytes = text, .logprob = logprob, .top = {}});
  event.logprobs[0].top.push_back({.token = 1, .bytes = text, .logprob = logprob, .top = {}});
  return event;
}

}  // namespace aio

#endif  // AIO_API_TEST_ANSWERS_H_
