// What comes back from a Backend. Plain data.
#ifndef AIO_BACKEND_EVENTS_H_
#define AIO_BACKEND_EVENTS_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/request.h"
#include "base/clock.h"

namespace aio {

// Memory that a request's steps read. A step that several requests share counts for each with
// its part.
struct Traffic {
  int64_t weight_bytes = 0;
  int64_t kv_bytes = 0;
  // What the same steps would have read had a static large model decoded plainly: a step a
  // token. 0 where there is no large model.
  int64_t static_large_bytes = 0;

  Traffic& operator+=(const Traffic& other);
};

struct LabelScores {
  std::vector<float> logits;  // [labels]; natural-log scale, before any softmax
  int prompt_tokens = 0;      // of the prompt as Generate() would see it
  int probe_tokens = 0;       // tokens of the probe's forward pass
  Duration elapsed{};         // from acceptance to the scores
  Traffic traffic;
  std::shared_ptr<HeldPrompt> held_prompt;  // may be null
  // [windows][labels] of a probe head, in the order of the text; empty without one.
  std::vector<std::vector<float>> window_logits;
};

// One routing decision and the signals it was made from.
struct Decision {
  std::string model;    // the concrete model's name
  std::string role;     // "small" or "large"
  std::string weights;  // "" (the role's own) or kW8A16
  Strategy strategy;
  std::string
      reason;  // why, in words: "code, 57 tokens <= 2048, entropy 0.03 <= 0.45 (rule small-code)"
  std::string rule;     // the policy rule that fired, or "override"
  bool probed = false;  // the fields of the next group are set
  std::string intent;   // most probable label
  std::vector<std::pair<std::string, double>> probabilities;  // over the labels; sum to 1
  double entropy = 0;                                         // nats
  int prompt_tokens = 0;
  double probe_ms = 0;  // 0 if not probed
};

struct StartEvent {
  std::string model;                 // the model that answers
  std::optional<Decision> decision;  // absent when no router took part
  int prompt_tokens = 0;
  // For further answers of the same model to the same prompt, if Request::hold_prompt asked for
  // it; may be null.
  std::shared_ptr<HeldPrompt> held_prompt = nullptr;
};

struct TokenLogprob {
  int32_t token = 0;
  std::string bytes;  // the token's own bytes; may be part of a UTF-8 sequence
  float logprob = 0;  // natural log, of the model's distribution before sampling filters
  std::vector<TokenLogprob> top;  // alternatives, most probable first; empty inside `top`
};

// One or more tokens whose text can be shown. `text` never splits a UTF-8 sequence and
// never contains (part of) a stop string; it may be empty when only log-probabilities
// are new.
struct TokenEvent {
  std::string text;
  std::vector<int32_t> tokens;
  std::vector<TokenLogprob> logprobs;  // one a token, when asked for
  // One a token, of the answer's first Request::token_entropies_max: Shannon entropy in nats of
  // the model's distribution before sampling filters.
  std::vector<float> entropies = {};
  // Calls of the request's tools that are whole now; their text is in no event.
  std::vector<ToolCall> tool_calls = {};
  // What the model thinks before it answers, where an engine tells that apart: no part of `text`.
  std::string reasoning = {};
};

enum class FinishReason {
  kStop,    // end of sequence or a stop string
  kLength,  // max_tokens or the context
  kCancelled,
};
std::string_view FinishReasonName(FinishReason reason);  // "stop", "length", "cancelled"

struct Usage {
  int prompt_tokens = 0;
  int cached_prompt_tokens = 0;  // of these, taken from the probe's KV
  int completion_tokens = 0;
};

struct Timings {
  double queue_ms = 0;      // acceptance to first step
  double probe_ms = 0;      // acceptance to the label scores; 0 if not probed
  double prompt_ms = 0;     // first step to first token
  double predicted_ms = 0;  // first token to last
};

struct Speculation {
  int draft_tokens = 0;           // guesses that were checked
  int draft_accepted_tokens = 0;  // of these, kept
  // [n]: steps that kept n guesses, of those that checked any.
  std::array<int, kSpeculativeTokensMax + 1> steps_by_accepted{};
};

struct FinishEvent {
  FinishReason reason = FinishReason::kStop;
  Usage usage;
  Timings timings;
  Speculation speculation;
  Traffic traffic;               // the probe's included
  std::string stop_string = {};  // the one of SamplingParams::stop that ended it; empty: none did
};

}  // namespace aio

#endif  // AIO_BACKEND_EVENTS_H_
