// What engines that speak OpenAI's protocol have beside it, and what they lack: docs/engines.md
// says where each of it is documented.
#ifndef AIO_REMOTE_ENGINE_PROFILE_H_
#define AIO_REMOTE_ENGINE_PROFILE_H_

#include <optional>
#include <string>
#include <string_view>

namespace aio {

// How the next token can be kept to the labels of a probe.
enum class LabelChoice {
  kNone,               // not at all: labels are looked for among the most probable tokens
  kStructuredOutputs,  // "structured_outputs": {"choice": [...]}
  kRegex,              // "regex": "(a|b)"
  kGrammar,            // "grammar": GBNF
};

// How a request can say which strategy decodes it.
enum class StrategyField {
  kNone,             // replicas differ in it, or nothing does
  kSpeculativeNMax,  // "speculative.n_max": 0 is off
  kAio,              // this project's own: "aio": {"strategy": ...}
};

struct EngineProfile {
  std::string_view name = {};
  std::string_view health_path = {};           // GET: any 2xx is well; empty: not to be asked
  std::string_view max_tokens = "max_tokens";  // what the field is called
  std::string_view repetition_penalty = {};    // likewise; empty: there is none, as the next
  // top_k, min_p and the repetition penalty are as the engine or the model's files have them,
  // unless a request says otherwise.
  bool own_sampling_defaults = false;
  int top_k_off = 0;  // what means that there is none
  bool top_k = false;
  bool min_p = false;
  bool ignore_eos = false;
  bool priority = false;
  // temperature and top_p are those of the engine or the model's files where they are left out;
  // else OpenAI's, and some models refuse to be told them at all.
  bool needs_temperature = true;
  // Fields of clients that change an answer (VendorField::mend) and that the engine knows:
  bool tool_choice = false;          // "required"
  bool tool_choice_by_name = false;  // {"function": {"name": ...}}
  bool min_tokens = false;
  bool stop_token_ids = false;
  bool echo = false;
  bool suffix = false;
  bool web_search_options = false;
  bool refuses_itself = false;  // in words, whatever of these it does not know
  bool token_prompts = false;   // completions take token ids
  bool logit_bias = true;
  int top_logprobs_max = 20;         // of chats
  int completion_logprobs_max = 20;  // of completions
  bool regex = false;                // of AnswerFormat: how, `label_choice` says
  bool choice = false;               // likewise
  bool gbnf = false;                 // likewise
  LabelChoice label_choice = LabelChoice::kNone;
  StrategyField strategy = StrategyField::kNone;

  friend bool operator==(const EngineProfile&, const EngineProfile&) = default;
};

// "vllm", "vllm-ascend", "sglang", "mindie", "llama-server", "ollama", "openai", "aio".
std::optional<EngineProfile> FindEngineProfile(std::string_view name);
std::string EngineProfileNames();  // for messages: "vllm, vllm-ascend, ..."

}  // namespace aio

#endif  // AIO_REMOTE_ENGINE_PROFILE_H_
