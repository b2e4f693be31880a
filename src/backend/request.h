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

struct ProbeHead;  // backend/probe_head.h

// That a model calls a tool.
struct ToolCall {
  std::string id;         // by which the answer of the tool refers to it
  std::string name;       // of the tool
  std::string arguments;  // JSON, an object

  friend bool operator==(const ToolCall&, const ToolCall&) = default;
};

struct ChatMessage {
  std::string role;                       // "system", "user", "assistant" or "tool"
  std::string content;                    // valid UTF-8; special tokens in it are plain text
  std::vector<ToolCall> tool_calls = {};  // of the assistant
  std::string tool_call_id = {};          // of a tool: which call it answers

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
inline constexpr int kPriorityMax = 1'000'000;  // of either sign
// Of speculation, in tokens:
inline constexpr int kPromptLookupMax = 16;       // longest n-gram looked up
inline constexpr int kSpeculativeTokensMax = 16;  // guesses a step

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
  bool seed_is_ours = false;      // the client gave none: that of another engine will do as well
  std::optional<int> max_tokens;  // absent: until the context is full
  std::vector<std::string> stop;  // the answer ends before the first of these
  bool ignore_eos = false;        // only max_tokens and the context end the answer
  int top_logprobs = -1;          // -1: none; n >= 0: the chosen token's and n alternatives'
};

// How the chosen model decodes. None of them changes the answer, only its speed.
enum class StrategyKind {
  kPlain,         // a token a step
  kPromptLookup,  // guesses copied from what followed the last n-gram earlier
  kDraftModel,    // guesses of a smaller model with the same vocabulary
  kAuto,          // whichever of these, and as many guesses, as is measured to be fastest
};
std::string_view StrategyName(StrategyKind kind);  // "plain", "prompt_lookup", ...

struct Strategy {
  StrategyKind kind = StrategyKind::kPlain;
  // Of prompt lookup: n-grams of so many tokens are looked up, the longest first.
  int prompt_lookup_max = 6;  // 1..kPromptLookupMax; the paper's N
  int prompt_lookup_min = 1;  // 1..prompt_lookup_max
  // Guesses a step, 1..kSpeculativeTokensMax: as many of prompt lookup (the paper's L) and the
  // draft model, at most as many of auto.
  int num_speculative_tokens = 2;

  friend bool operator==(const Strategy&, const Strategy&) = default;
};

// With the parameters that serve it well by default.
Strategy DefaultStrategy(StrategyKind kind);
// By the name of its kind, or of a preset: "prompt_lookup_paper" has the paper's N = 6 and L = 2.
std::optional<Strategy> StrategyFromName(std::string_view name);
// What StrategyFromName() knows, for messages: "plain, prompt_lookup, ...".
std::string_view StrategyNames();

// The role's own weights, or a variant of them; more may come to be.
inline constexpr std::string_view kW8A16 = "w8a16";  // 8-bit weights, wider activations

// What an answer must be as a whole; the backend samples only tokens that keep it so. An answer
// that ends by its length (FinishReason::kLength) or at a stop string may be incomplete.
enum class AnswerFormatKind {
  kText,        // anything
  kJsonObject,  // any JSON object
  kJsonSchema,  // JSON that is valid by the schema (docs/structured-output.md)
  kRegex,       // matches the regular expression as a whole
  kChoice,      // one of the strings
  kGbnf,        // matches the grammar, in llama.cpp's notation
};
struct AnswerFormat {
  AnswerFormatKind kind = AnswerFormatKind::kText;
  std::string text;   // the schema, the expression, a JSON array of the strings, the grammar
  std::string param;  // the field of the request that says so, for messages

  friend bool operator==(const AnswerFormat&, const AnswerFormat&) = default;
};

// What a probe leaves to the generation of the same prompt. Opaque; only the backend that
// made it can use it.
class HeldPrompt {
 public:
  virtual ~HeldPrompt() = default;
};

// A member of a request's body that this project does not know itself, for an engine that may.
struct VendorField {
  std::string name;
  std::string json;  // its value, as it was written
  // Not empty: the answer would be another one with it, so a backend that cannot pass it on refuses
  // the request, and this says what to do instead.
  std::string mend;

  friend bool operator==(const VendorField&, const VendorField&) = default;
};

struct Request {
  std::string id;     // x-request-id
  std::string model;  // "auto", a role, or a model's name
  Prompt prompt;
  SamplingParams sampling;
  AnswerFormat format;
  // The tools that the model may call: a JSON array, as OpenAI's API has it. Empty: none.
  std::string tools = {};
  std::vector<VendorField> vendor_fields = {};
  std::optional<Strategy> strategy;         // the client's own choice
  std::optional<std::string> weights;       // likewise: "" (the role's own) or kW8A16
  std::optional<double> entropy_threshold;  // the client's tau, nats; only routing reads it
  std::string intent;  // what the request is about, if known: a label of the probe
  // Of which conversation this is a turn, in the client's words; empty: unknown. Only routing
  // reads it.
  std::string session;
  int token_entropies_max = 0;  // TokenEvent::entropies of the first so many tokens
  TimePoint deadline = kNoDeadline;
  std::string client;  // who asks, by the name of an API key; empty: unknown
  int priority = 0;    // of those that wait, the lowest is first; within kPriorityMax
  std::shared_ptr<HeldPrompt> held_prompt;  // of the same prompt, or null
  // Nobody sees the answer before it is whole: it may be begun anew as long as it is not.
  bool whole = false;
  bool hold_prompt = false;  // StartEvent::held_prompt is wanted: more answers are to come
};

// What the probe asks: the conversation without generation prompt is put between
// `prefix` and `suffix` (template text: special tokens in it are parsed), and the next
// token is compared with the first token of each label's word.
//
// Or, with `head`: that is applied to the last message of the conversation (or the text, or the
// token ids) as it stands in the prompt of the generation; prefix, suffix and words are not used.
struct LabelQuery {
  struct Label {
    std::string name;  // "code"
    std::string word;  // what the model would say: "code"; may be empty with a head

    friend bool operator==(const Label&, const Label&) = default;
  };
  std::string prefix;
  std::string suffix;
  std::vector<Label> labels;
  // A prompt of more tokens is read by its beginning and its end, half of so many each; 0: all.
  int window_tokens = 0;
  // May be null; else of as many labels, in their order.
  std::shared_ptr<const ProbeHead> head = nullptr;
  // With a head: layers after its last are not computed. That leaves no KV for the generation.
  bool early_exit = false;

  friend bool operator==(const LabelQuery&, const LabelQuery&) = default;
};

}  // namespace aio

#endif  // AIO_BACKEND_REQUEST_H_
