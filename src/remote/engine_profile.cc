#include "remote/engine_profile.h"

#include <array>

namespace aio {
namespace {

// What most engines have beside OpenAI's fields.
constexpr EngineProfile Engine(std::string_view name) {
  EngineProfile engine;
  engine.name = name;
  engine.health_path = "/health";
  engine.repetition_penalty = "repetition_penalty";
  engine.top_k = true;
  engine.min_p = true;
  engine.ignore_eos = true;
  engine.token_prompts = true;
  engine.choice = true;
  return engine;
}

constexpr EngineProfile Vllm(std::string_view name) {
  EngineProfile engine = Engine(name);
  engine.own_sampling_defaults = true;
  engine.top_k_off = -1;
  engine.priority = true;
  engine.tool_choice = true;
  engine.tool_choice_by_name = true;
  engine.min_tokens = true;
  engine.stop_token_ids = true;
  engine.echo = true;
  engine.regex = true;
  engine.label_choice = LabelChoice::kStructuredOutputs;
  return engine;
}

constexpr EngineProfile Sglang() {
  EngineProfile engine = Vllm("sglang");
  engine.health_path = "/v1/models";  // /health has the model make a token
  engine.label_choice = LabelChoice::kRegex;
  return engine;
}

constexpr EngineProfile MindIe() {
  EngineProfile engine = Engine("mindie");
  engine.min_p = false;
  engine.token_prompts = false;
  engine.choice = false;
  engine.logit_bias = false;
  engine.completion_logprobs_max = 5;
  engine.tool_choice = true;
  engine.tool_choice_by_name = true;
  engine.stop_token_ids = true;
  return engine;
}

constexpr EngineProfile LlamaServer() {
  EngineProfile engine = Engine("llama-server");
  engine.tool_choice = true;  // an object it takes for "auto"
  engine.repetition_penalty = "repeat_penalty";
  engine.own_sampling_defaults = true;
  engine.gbnf = true;
  engine.label_choice = LabelChoice::kGrammar;
  engine.strategy = StrategyField::kSpeculativeNMax;
  return engine;
}

constexpr EngineProfile Ollama() {
  EngineProfile engine;
  engine.name = "ollama";
  engine.health_path = "/v1/models";
  engine.logit_bias = false;
  engine.suffix = true;
  engine.completion_logprobs_max = 0;
  return engine;
}

constexpr EngineProfile OpenAi() {
  EngineProfile engine;
  engine.name = "openai";
  engine.max_tokens = "max_completion_tokens";
  engine.needs_temperature = false;
  engine.tool_choice = true;
  engine.tool_choice_by_name = true;
  engine.echo = true;
  engine.suffix = true;
  engine.web_search_options = true;
  engine.completion_logprobs_max = 5;
  return engine;
}

constexpr EngineProfile Aio() {
  EngineProfile engine = Engine("aio");
  engine.refuses_itself = true;
  engine.priority = true;
  engine.regex = true;
  engine.completion_logprobs_max = 5;
  engine.label_choice = LabelChoice::kStructuredOutputs;
  engine.strategy = StrategyField::kAio;
  return engine;
}

constexpr std::array kProfiles = {
    Vllm("vllm"), Vllm("vllm-ascend"), Sglang(), MindIe(), LlamaServer(), Ollama(), OpenAi(),
    Aio()};

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
