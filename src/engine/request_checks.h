// Everything about a request that can be refused before any work is done.
#ifndef AIO_ENGINE_REQUEST_CHECKS_H_
#define AIO_ENGINE_REQUEST_CHECKS_H_

#include <optional>
#include <string_view>
#include <vector>

#include "backend/request.h"
#include "base/status.h"
#include "model/config.h"

namespace aio {

// kInvalidArgument with the parameter's name in the OpenAI API (or vLLM's, for those that
// only it has) as param.
Status CheckSampling(const SamplingParams& params, int vocabulary_size);
Status CheckStrategy(const Strategy& strategy);
// Refuses the first that would change the answer.
Status CheckVendorFields(const std::vector<VendorField>& fields);

// That the query's head is one for this model and for as many labels, with param "labels".
Status CheckHead(const LabelQuery& query, const ModelConfig& config);
// That the model has so many layers; distinct, at least one.
Status CheckHiddenLayers(const std::vector<int>& layers, int window_tokens,
                         const ModelConfig& config);

// What bounds the tokens of one sequence, prompt and answer together.
struct ContextLimits {
  int model_tokens = 0;     // the model's context
  int kv_cache_tokens = 0;  // the whole KV cache

  int tokens() const { return model_tokens < kv_cache_tokens ? model_tokens : kv_cache_tokens; }
};

// The field of the API that holds the prompt: "messages" or "prompt".
std::string_view PromptParam(const Prompt& prompt);

// Most tokens that the answer to a prompt of `prompt_tokens` can have: `max_tokens`, or
// what is left of the context when absent. kInvalidArgument with reason
// "context_length_exceeded" and the numbers when that does not fit.
Result<int> AnswerTokensMax(const Prompt& prompt, int prompt_tokens, std::optional<int> max_tokens,
                            const ContextLimits& limits);

// The same for a prompt of which only a lower bound of the tokens is known.
Status CheckCanFit(const Prompt& prompt, int fewest_tokens, const ContextLimits& limits);

// The same for a probe of `probe_tokens`, of which none are an answer.
Status CheckProbeFits(const Prompt& prompt, int probe_tokens, const ContextLimits& limits);

}  // namespace aio

#endif  // AIO_ENGINE_REQUEST_CHECKS_H_
