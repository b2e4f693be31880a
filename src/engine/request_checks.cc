#include "engine/request_checks.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "backend/probe_head.h"
#include "base/utf8.h"

namespace aio {

namespace {

Status Refuse(std::string param, std::string message) {
  return InvalidArgument(std::move(message)).WithParam(std::move(param));
}

Status CheckLogitBias(const SamplingParams& params, int vocabulary_size) {
  for (const auto& [token, bias] : params.logit_bias) {
    if (token < 0 || token >= vocabulary_size) {
      return Refuse("logit_bias", fmt::format("logit_bias names token {}; the model's tokens are "
                                              "0 to {}",
                                              token, vocabulary_size - 1));
    }
    if (!(std::fabs(bias) <= kLogitBiasMax)) {
      return Refuse("logit_bias", fmt::format("logit_bias of token {} is {}; it must be between "
                                              "-{} and {}",
                                              token, bias, kLogitBiasMax, kLogitBiasMax));
    }
  }
  return Status::Ok();
}

Status CheckStop(const SamplingParams& params) {
  if (params.stop.size() > kStopStringsMax) {
    return Refuse("stop", fmt::format("{} stop strings; at most {} are allowed", params.stop.size(),
                                      kStopStringsMax));
  }
  for (const std::string& stop : params.stop) {
    if (stop.empty()) return Refuse("stop", "a stop string is empty");
    if (stop.size() > kStopStringBytesMax) {
      return Refuse("stop", fmt::format("a stop string has {} bytes; at most {} are allowed",
                                        stop.size(), kStopStringBytesMax));
    }
    if (!IsValidUtf8(stop)) return Refuse("stop", "a stop string is not valid UTF-8");
  }
  return Status::Ok();
}

Status CheckFilters(const SamplingParams& params) {
  // Written so that NaN fails every one of them.
  if (!(params.temperature >= 0 && std::isfinite(params.temperature))) {
    return Refuse("temperature",
                  fmt::format("temperature is {}; it must be 0 or more", params.temperature));
  }
  if (params.top_k < 0) {
    return Refuse("top_k", fmt::format("top_k is {}; it must be 0 (off) or more", params.top_k));
  }
  if (!(params.top_p > 0 && params.top_p <= 1)) {
    return Refuse("top_p",
                  fmt::format("top_p is {}; it must be more than 0, at most 1", params.top_p));
  }
  if (!(params.min_p >= 0 && params.min_p < 1)) {
    return Refuse("min_p", fmt::format("min_p is {}; it must be 0 or more, below 1", params.min_p));
  }
  return Status::Ok();
}

Status CheckPenalties(const SamplingParams& params) {
  if (!(params.repetition_penalty > 0 && std::isfinite(params.repetition_penalty))) {
    return Refuse("repetition_penalty", fmt::format("repetition_penalty is {}; it must be more "
                                                    "than 0",
                                                    params.repetition_penalty));
  }
  const auto check = [](const char* name, float penalty) {
    if (std::fabs(penalty) <= kPenaltyMax) return Status::Ok();
    return Refuse(name, fmt::format("{} is {}; it must be between -{} and {}", name, penalty,
                                    kPenaltyMax, kPenaltyMax));
  };
  AIO_RETURN_IF_ERROR(check("presence_penalty", params.presence_penalty));
  return check("frequency_penalty", params.frequency_penalty);
}

// "4096 tokens", and what to change when the KV cache is the tighter bound.
std::string DescribeLimit(const ContextLimits& limits) {
  if (limits.model_tokens <= limits.kv_cache_tokens) {
    return fmt::format("This model's maximum context length is {} tokens", limits.model_tokens);
  }
  return fmt::format(
      "This model's maximum context length is {} tokens, of which the KV cache holds {} "
      "(kv_cache_tokens)",
      limits.model_tokens, limits.kv_cache_tokens);
}

Status ContextExceeded(const Prompt& prompt, std::string message) {
  return Refuse(std::string(PromptParam(prompt)), std::move(message))
      .WithReason("context_length_exceeded");
}

}  // namespace

Status CheckSampling(const SamplingParams& params, int vocabulary_size) {
  AIO_RETURN_IF_ERROR(CheckFilters(params));
  AIO_RETURN_IF_ERROR(CheckPenalties(params));
  AIO_RETURN_IF_ERROR(CheckLogitBias(params, vocabulary_size));
  AIO_RETURN_IF_ERROR(CheckStop(params));
  if (params.max_tokens && *params.max_tokens < 1) {
    return Refuse("max_tokens",
                  fmt::format("max_tokens is {}; it must be 1 or more", *params.max_tokens));
  }
  if (params.top_logprobs < -1 || params.top_logprobs > kTopLogprobsMax) {
    return Refuse("top_logprobs", fmt::format("top_logprobs is {}; it must be between 0 and {}",
                                              params.top_logprobs, kTopLogprobsMax));
  }
  return Status::Ok();
}

Status CheckVendorFields(const std::vector<VendorField>& fields) {
  for (const VendorField& field : fields) {
    if (field.mend.empty()) continue;
    return InvalidArgument(fmt::format("Unsupported parameter: '{}' is not supported here. {}",
                                       field.name, field.mend))
        .WithParam(field.name)
        .WithReason("unsupported_parameter");
  }
  return Status::Ok();
}

Status CheckStrategy(const Strategy& strategy) {
  if (strategy.kind == StrategyKind::kPlain) return Status::Ok();
  if (strategy.prompt_lookup_max < 1 || strategy.prompt_lookup_max > kPromptLookupMax) {
    return Refuse("strategy.prompt_lookup_max",
                  fmt::format("prompt_lookup_max is {}; it must be between 1 and {}",
                              strategy.prompt_lookup_max, kPromptLookupMax));
  }
  if (strategy.prompt_lookup_min < 1 || strategy.prompt_lookup_min > strategy.prompt_lookup_max) {
    return Refuse(
        "strategy.prompt_lookup_min",
        fmt::format("prompt_lookup_min is {}; it must be between 1 and prompt_lookup_max ({})",
                    strategy.prompt_lookup_min, strategy.prompt_lookup_max));
  }
  if (strategy.num_speculative_tokens < 1 ||
      strategy.num_speculative_tokens > kSpeculativeTokensMax) {
    return Refuse("strategy.num_speculative_tokens",
                  fmt::format("num_speculative_tokens is {}; it must be between 1 and {}",
                              strategy.num_speculative_tokens, kSpeculativeTokensMax));
  }
  return Status::Ok();
}

Status CheckHead(const LabelQuery& query, const ModelConfig& config) {
  const ProbeHead& head = *query.head;
  if (const Status status = CheckProbeHead(head); !status.ok()) {
    return Refuse("labels", status.message());
  }
  if (head.num_labels() != static_cast<int>(query.labels.size())) {
    return Refuse("labels", fmt::format("the probe head tells {} labels apart, there are {}",
                                        head.num_labels(), query.labels.size()));
  }
  if (head.hidden_size != config.hidden_size || head.layers > config.num_layers) {
    return Refuse(
        "labels",
        fmt::format("the probe head reads a hidden state of {} after {} layers, but the "
                    "model has {} and {} layers: it was fitted on another",
                    head.hidden_size, head.layers, config.hidden_size, config.num_layers));
  }
  return Status::Ok();
}

Status CheckHiddenLayers(const std::vector<int>& layers, int window_tokens,
                         const ModelConfig& config) {
  if (layers.empty()) return Refuse("layers", "no layers are asked for");
  if (window_tokens < 1) return Refuse("window_tokens", "windows must have at least one token");
  for (const int num_layers : layers) {
    if (num_layers < 0 || num_layers > config.num_layers) {
      return Refuse("layers",
                    fmt::format("{} layers; the model has 0 to {}", num_layers, config.num_layers));
    }
    if (std::count(layers.begin(), layers.end(), num_layers) > 1) {
      return Refuse("layers", fmt::format("{} layers are asked for twice", num_layers));
    }
  }
  return Status::Ok();
}

std::string_view PromptParam(const Prompt& prompt) {
  return std::holds_alternative<std::vector<ChatMessage>>(prompt) ? "messages" : "prompt";
}

Result<int> AnswerTokensMax(const Prompt& prompt, int prompt_tokens, std::optional<int> max_tokens,
                            const ContextLimits& limits) {
  const int left = limits.tokens() - prompt_tokens;
  if (left < 1) {
    return ContextExceeded(
        prompt, fmt::format("{}. However, your {} resulted in {} tokens, which leaves no room for "
                            "an answer. Please reduce the length of the {}.",
                            DescribeLimit(limits), PromptParam(prompt), prompt_tokens,
                            PromptParam(prompt)));
  }
  if (!max_tokens) return left;
  if (*max_tokens > left) {
    return ContextExceeded(
        prompt,
        fmt::format("{}. However, you requested {} tokens ({} in the {}, {} in the completion). "
                    "Please reduce the length of the {} or max_tokens.",
                    DescribeLimit(limits), static_cast<int64_t>(prompt_tokens) + *max_tokens,
                    prompt_tokens, PromptParam(prompt), *max_tokens, PromptParam(prompt)));
  }
  return *max_tokens;
}

Status CheckCanFit(const Prompt& prompt, int fewest_tokens, const ContextLimits& limits) {
  if (fewest_tokens < limits.tokens()) return Status::Ok();
  return ContextExceeded(
      prompt, fmt::format("{}. However, your {} has {} tokens or more. Please reduce its length.",
                          DescribeLimit(limits), PromptParam(prompt), fewest_tokens));
}

Status CheckProbeFits(const Prompt& prompt, int probe_tokens, const ContextLimits& limits) {
  if (probe_tokens <= limits.tokens()) return Status::Ok();
  return ContextExceeded(
      prompt, fmt::format("{}. However, the probe of your {} has {} tokens.", DescribeLimit(limits),
                          PromptParam(prompt), probe_tokens));
}

}  // namespace aio
