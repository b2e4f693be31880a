#include "remote/engine_profile.h"

#include <array>

namespace aio {
namespace {

constexpr EngineProfile kVllm = {.name = "vllm",
                                 .health_path = "/health",
                                 .repetition_penalty = "repetition_penalty",
                                 .own_sampling_defaults = true,
                                 .top_k_off = -1,
                                 .top_k = true,
                                 .min_p = true,
                                 .ignore_eos = true,
                                 .priority = true,
                                 .token_prompts = true,
                                 .regex = true,
                                 .choice = true,
                                 .label_choice = LabelChoice::kStructuredOutputs};

constexpr EngineProfile Named(EngineProfile profile, std::string_view name) {
  profile.name = name;
  return profile;
}

constexpr std::array kProfiles = {
    kVllm,
    Named(kVllm, "vllm-ascend"),
    EngineProfile{.name = "sglang",
                  .health_path = "/v1/models",  // /health has the model make a token
                  .repetition_penalty = "repetition_penalty",
                  .own_sampling_defaults = true,
                  .top_k_off = -1,
                  .top_k = true,
                  .min_p = true,
                  .ignore_eos = true,
                  .priority = true,
                  .token_prompts = true,
                  .regex = true,
                  .choice = true,
                  .label_choice = LabelChoice::kRegex},
    EngineProfile{.name = "mindie",
                  .health_path = "/health",
                  .repetition_penalty = "repetition_penalty",
                  .top_k = true,
                  .ignore_eos = true,
                  .logit_bias = false,
                  .completion_logprobs_max = 5},
    EngineProfile{.name = "llama-server",
                  .health_path = "/health",
                  .repetition_penalty = "repeat_penalty",
                  .own_sampling_defaults = true,
                  .top_k = true,
                  .min_p = true,
                  .ignore_eos = true,
                  .token_prompts = true,
                  .choice = true,
                  .gbnf = true,
                  .label_choice = LabelChoice::kGrammar,
                  .strategy = StrategyField::kSpeculativeNMax},
    EngineProfile{.name = "ollama",
                  .health_path = "/v1/models",
                  .logit_bias = false,
                  .completion_logprobs_max = 0},
    EngineProfile{
        .name = "openai", .health_path = "/v1/models", .max_tokens = "max_completion_tokens"},
    EngineProfile{.name = "aio",
                  .health_path = "/health",
                  .repetition_penalty = "repetition_penalty",
                  .top_k = true,
                  .min_p = true,
                  .ignore_eos = true,
                  .priority = true,
                  .token_prompts = true,
                  .completion_logprobs_max = 5,
                  .regex = true,
                  .choice = true,
                  .label_choice = LabelChoice::kStructuredOutputs,
                  .strategy = StrategyField::kAio},
};

}  // namespace

std::optional<EngineProfile> FindEngineProfile(std::string_view name) {
  for (const EngineProfile& profile : kProfiles) {
    if (profile.name == name) return profile;
  }
  return std::nullopt;
}

std::string EngineProfileNames() {
  std::string names;
  for (const EngineProfile& profile : kProfiles) {
    if (!names.empty()) names += ", ";
    names += profile.name;
  }
  return names;
}

}  // namespace aio
