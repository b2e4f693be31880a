// Decodes the bodies of the OpenAI API into aio::Request. No sockets, no backend: what can be
// refused by looking at the body alone is refused here, with the field named.
//
// Beyond OpenAI's own fields: top_k, min_p, repetition_penalty (repeat_penalty), ignore_eos,
// and an object `aio` that overrides the routing of this one request:
//   "aio": {"model": "...", "entropy_threshold": nats, "weights": "w8a16" | "" (the model's own),
//           "strategy": NAME | {"kind": NAME, "prompt_lookup_max": 1..16,
//           "prompt_lookup_min": 1..prompt_lookup_max, "num_speculative_tokens": 1..16}}
// NAME is plain, prompt_lookup, prompt_lookup_paper, draft_model or auto; an object may only have
// the parameters that its kind has.
//
// How to decode may also be said as other servers' clients say it; n is 0..16, 0 means plain:
//   prompt_lookup_num_tokens: n (Hugging Face)   prompt_lookup with n guesses a step
//   num_speculative_tokens: n (vLLM)             auto with at most n; beside a strategy that gives
//                                                no number, that strategy with n
//   speculative.n_max: n (llama-server)          likewise; or "speculative": {"n_max": n}
//   disable_spec_decode: true                    plain; false says nothing
// What contradicts is refused with both fields named; no field silently wins.
//
// `priority`: as vLLM has it, of those that wait the lowest is first.
//
// Unknown fields are ignored, as OpenAI's servers do, but not inside `aio`, where a typing
// error would silently route otherwise. Known fields that would change the answer and are
// not supported are refused unless their value is harmless (echo: false, tools: []).
#ifndef AIO_API_OPENAI_REQUEST_H_
#define AIO_API_OPENAI_REQUEST_H_

#include <string_view>

#include "backend/request.h"
#include "base/status.h"

namespace aio {

inline constexpr size_t kLogitBiasEntriesMax = 1024;
inline constexpr int kCompletionMaxTokensDefault = 16;  // OpenAI's, of /v1/completions only
inline constexpr int kChoicesMax = 128;                 // OpenAI's

// /v1/chat/completions, /v1/completions, /v1/responses, /v1/messages. They share what says how to
// sample, route and decode; names of fields differ.
enum class ApiKind { kChat, kCompletion, kResponse, kMessage };

struct ApiRequest {
  ApiKind kind = ApiKind::kChat;
  Request request;  // `id` and `deadline` are left to the caller, `sampling.seed` too if !has_seed
  bool has_seed = false;
  bool stream = false;
  bool include_usage = false;  // a stream ends with a chunk of usage
  int choices = 1;             // answers to the prompt, of seeds that follow each other
};

// Of POST /v1/chat/completions.
Result<ApiRequest> DecodeChatRequest(std::string_view body);

// Of POST /v1/completions.
Result<ApiRequest> DecodeCompletionRequest(std::string_view body);

// Of POST /v1/decision: either of the two, told apart by `messages` or `prompt`.
Result<ApiRequest> DecodeDecisionRequest(std::string_view body);

}  // namespace aio

#endif  // AIO_API_OPENAI_REQUEST_H_
