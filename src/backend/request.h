// What is asked of a Backend. Plain data: copyable, no invariants beyond the comments.
#ifndef AIO_BACKEND_REQUEST_H_
#define AIO_BACKEND_REQUEST_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"

namespace aio {

struct ChatMessage {
  std::string role;     // "system", "user" or "assistant"
  std::string content;  // valid UTF-8; special tokens in it are plain text

  friend bool operator==(const ChatMessage&, const ChatMessage&) = default;
};

// A conversation (rendered with the model's chat template), raw text, or token ids.
using Prompt = std::variant<std::vector<ChatMessage>, std::string, std::vector<int32_t>>;

// What a request may ask for: the OpenAI API's limits, but for stop strings, of which it
// allows four.
inline constexpr float kPenaltyMax = 2.0f;      // presence and frequency, of either sign
inline constexpr float kLogitBiasMax = 100.0f;  // of either sign
inline constexpr int kTopLogprobsMax = 20;
inline constexpr size_t kStopStringsMax = 16;
inline constexpr size_t kStopStringBytesMax = 1024;
// Of prompt lookup.
inline constexpr int kNgramMax = 64;      // tokens
inline constexpr int kLookaheadMax = 16;  // tokens

// Defaults are the OpenAI API's.
struct SamplingParams {
  float temperature = 1.0f;         // >= 0; 0 is greedy
  int top_k = 0;                    // 0: off
  float top_p = 1.0f;               // (0, 1]
  float min_p = 0.0f;               // [0, 1): relative to the most probable token
  float repetition_penalty = 1.0f;  // > 0; divides (multiplies negative) logits of seen tokens
  float presence_penalty = 0.0f;    // subtracted once from tokens of the answer
  float frequency_penalty = 0.0f;   // subtracted per occurrence in the answer
  std::vector<std::pair<int32_t, float>> logit_bias;  // token id, added to its logit
  uint64_t seed = 0;
  std::optional<int> max_tokens;  // absent: until the context is full
  std::vector<std::string> stop;  // the answer ends before the first of these
  bool ignore_eos = false;        // only max_tokens and the context end the answer
  int top_logprobs = -1;          // -1: none; n >= 0: the chosen token's and n alternatives'
};

// How the chosen model decodes.
enum class StrategyKind {
  kPlain,
  kPromptLookup,  // drafts copied from earlier occurrences of the last n-gram; exact
};
std::string_view StrategyName(StrategyKind kind);  // "plain", "prompt_lookup"
std::optional<StrategyKind> StrategyFromName(std::string_view name);

struct Strategy {
  StrategyKind kind = StrategyKind::kPlain;
  int ngram_max = 6;  // N of the paper: longest n-gram looked up; 1..kNgramMax
  int ngram_min = 1;  // shortest
  int lookahead = 2;  // L of the paper: tokens drafted a step; 1..kLookaheadMax

  friend bool operator==(const Strategy&, const Strategy&) = default;
};

// What a probe leaves to the generation of the same prompt. Opaque; only the backend that
// made it can use it.
class HeldPrompt {
 public:
  virtual ~HeldPrompt() = default;
};

struct Request {
  std::string id;     // x-request-id
  std::string model;  // "auto", a role, or a model's name
  Prompt prompt;
  SamplingParams sampling;
  std::optional<Strategy> strategy;         // the client's own choice
  std::optional<double> entropy_threshold;  // the client's tau, nats; only routing reads it
  TimePoint deadline = kNoDeadline;
  std::shared_ptr<HeldPrompt> held_prompt;  // of the same prompt, or null
};

// What the probe asks: the conversation without generation prompt is put between
// `prefix` and `suffix` (template text: special tokens in it are parsed), and the next
// token is compared with the first token of each label's word.
struct LabelQuery {
  struct Label {
    std::string name;  // "code"
    std::string word;  // what the model would say: "code"

    friend bool operator==(const Label&, const Label&) = default;
  };
  std::string prefix;
  std::string suffix;
  std::vector<Label> labels;

  friend bool operator==(const LabelQuery&, const LabelQuery&) = default;
};

}  // namespace aio

#endif  // AIO_BACKEND_REQUEST_H_
