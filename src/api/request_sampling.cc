#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <string>

#include "api/faults.h"
#include "api/request_parts.h"

namespace aio {
namespace {

// Below this a softmax over the scaled logits is greedy in all but the risk of overflow.
constexpr float kTemperatureMin = 1e-5f;

Status DecodeDistribution(const ObjectReader& body, SamplingParams& sampling) {
  AIO_RETURN_IF_ERROR(body.Read("temperature", {.min = 0, .max = 2}, sampling.temperature));
  if (sampling.temperature < kTemperatureMin) sampling.temperature = 0;
  AIO_RETURN_IF_ERROR(body.Read("top_p", {.min = 0, .max = 1, .min_open = true}, sampling.top_p));
  AIO_RETURN_IF_ERROR(body.Read("min_p", {.min = 0, .max = 1, .max_open = true}, sampling.min_p));
  AIO_RETURN_IF_ERROR(body.Read("top_k", IntRange{.min = -1}, sampling.top_k));
  if (sampling.top_k < 0) sampling.top_k = 0;  // -1 is what some clients send for "off"
  return Status::Ok();
}

Status DecodePenalties(const ObjectReader& body, SamplingParams& sampling) {
  constexpr FloatRange kAdditive = {.min = -kPenaltyMax, .max = kPenaltyMax};
  constexpr FloatRange kFactor = {.min = 0.01f, .max = 100};
  AIO_RETURN_IF_ERROR(body.Read("presence_penalty", kAdditive, sampling.presence_penalty));
  AIO_RETURN_IF_ERROR(body.Read("frequency_penalty", kAdditive, sampling.frequency_penalty));
  AIO_RETURN_IF_ERROR(body.Read("repeat_penalty", kFactor, sampling.repetition_penalty));
  return body.Read("repetition_penalty", kFactor, sampling.repetition_penalty);
}

Status DecodeLogitBias(const ObjectReader& body, SamplingParams& sampling) {
  const nlohmann::json* json = body.Find("logit_bias");
  if (json == nullptr) return Status::Ok();
  if (!json->is_object()) {
    return WrongType("logit_bias", "an object from token ids to numbers", *json);
  }
  if (json->size() > kLogitBiasEntriesMax) {
    return BadValue("logit_bias", fmt::format("{} entries were given; give at most {}.",
                                              json->size(), kLogitBiasEntriesMax));
  }
  for (const auto& [key, value] : json->items()) {
    int32_t token = 0;
    const char* end = key.data() + key.size();
    const auto [stop, error] = std::from_chars(key.data(), end, token);
    if (error != std::errc() || stop != end || token < 0) {
      return BadValue("logit_bias", "its keys must be token ids in decimal, such as \"50256\".");
    }
    float bias = 0;
    AIO_RETURN_IF_ERROR(ReadFloat(value, fmt::format("logit_bias.{}", token),
                                  {.min = -kLogitBiasMax, .max = kLogitBiasMax}, bias));
    sampling.logit_bias.emplace_back(token, bias);
  }
  return Status::Ok();
}

Status CheckStop(const std::string& stop, const std::string& path) {
  if (stop.empty()) return BadValue(path, "a stop string cannot be empty; leave it out.");
  if (stop.size() <= kStopStringBytesMax) return Status::Ok();
  return BadValue(path, fmt::format("a stop string has at most {} bytes.", kStopStringBytesMax));
}

Status DecodeStop(const ObjectReader& body, std::string_view literal, SamplingParams& sampling) {
  const nlohmann::json* json = body.Find(literal);
  if (json == nullptr) return Status::Ok();
  const std::string name(literal);
  if (json->is_string()) {
    sampling.stop.push_back(json->get<std::string>());
    return CheckStop(sampling.stop.back(), name);
  }
  if (!json->is_array()) return WrongType(name, "a string or an array of strings", *json);
  if (json->size() > kStopStringsMax) {
    return BadValue(name, fmt::format("{} strings were given; give at most {}.", json->size(),
                                      kStopStringsMax));
  }
  for (size_t i = 0; i < json->size(); ++i) {
    const std::string path = fmt::format("{}[{}]", name, i);
    const nlohmann::json& element = (*json)[i];
    if (!element.is_string()) return WrongType(path, "a string", element);
    sampling.stop.push_back(element.get<std::string>());
    AIO_RETURN_IF_ERROR(CheckStop(sampling.stop.back(), path));
  }
  return Status::Ok();
}

Status DecodeSeed(const ObjectReader& body, ApiRequest& out) {
  const nlohmann::json* json = body.Find("seed");
  if (json == nullptr) return Status::Ok();
  if (!json->is_number_integer()) {
    return WrongType("seed", "an integer between -2^63 and 2^64-1", *json);
  }
  out.has_seed = true;
  // A negative seed is its two's complement: distinct seeds stay distinct.
  out.request.sampling.seed = json->is_number_unsigned()
                                  ? json->get<uint64_t>()
                                  : static_cast<uint64_t>(json->get<int64_t>());
  return Status::Ok();
}

Status DecodeMaxTokens(const ObjectReader& body, ApiKind kind, SamplingParams& sampling) {
  if (kind == ApiKind::kResponse) {
    return body.Read("max_output_tokens", IntRange{.min = 1}, sampling.max_tokens);
  }
  if (kind == ApiKind::kMessage) {
    if (body.Find("max_tokens") == nullptr) {
      return MissingField("max_tokens", "the most tokens that the answer may have");
    }
    return body.Read("max_tokens", IntRange{.min = 1}, sampling.max_tokens);
  }
  if (kind == ApiKind::kCompletion) sampling.max_tokens = kCompletionMaxTokensDefault;
  AIO_RETURN_IF_ERROR(body.Read("max_tokens", IntRange{.min = 1}, sampling.max_tokens));
  // The newer name wins where a client sends both.
  return body.Read("max_completion_tokens", IntRange{.min = 1}, sampling.max_tokens);
}

Status DecodeChatLogprobs(const ObjectReader& body, SamplingParams& sampling) {
  bool logprobs = false;
  AIO_RETURN_IF_ERROR(body.Read("logprobs", logprobs));
  std::optional<int> top;
  AIO_RETURN_IF_ERROR(body.Read("top_logprobs", {.min = 0, .max = kTopLogprobsMax}, top));
  if (!logprobs && top.value_or(0) > 0) {
    return BadValue("top_logprobs", "it is only allowed with \"logprobs\": true.");
  }
  if (logprobs) sampling.top_logprobs = top.value_or(0);
  return Status::Ok();
}

// Asked for by `include`, or by a number of alternatives.
Status DecodeResponseLogprobs(const ObjectReader& body, SamplingParams& sampling) {
  std::optional<int> top;
  AIO_RETURN_IF_ERROR(body.Read("top_logprobs", {.min = 0, .max = kTopLogprobsMax}, top));
  if (top.value_or(0) > 0) sampling.top_logprobs = *top;
  const nlohmann::json* include = body.Find("include");
  if (include == nullptr) return Status::Ok();
  if (!include->is_array()) return WrongType("include", "an array of strings", *include);
  for (size_t i = 0; i < include->size(); ++i) {
    const std::string path = fmt::format("include[{}]", i);
    const nlohmann::json& element = (*include)[i];
    if (!element.is_string()) return WrongType(path, "a string", element);
    if (element == "message.output_text.logprobs") sampling.top_logprobs = top.value_or(0);
    // What is to be included of tools and reasoning is not there: nothing of it is.
  }
  return Status::Ok();
}

Status DecodeLogprobs(const ObjectReader& body, ApiKind kind, SamplingParams& sampling) {
  switch (kind) {
    case ApiKind::kChat:
      return DecodeChatLogprobs(body, sampling);
    case ApiKind::kCompletion:
      return body.Read("logprobs", {.min = 0, .max = kTopLogprobsMax}, sampling.top_logprobs);
    case ApiKind::kResponse:
      return DecodeResponseLogprobs(body, sampling);
    case ApiKind::kMessage:
      break;  // Anthropic's API has none
  }
  return Status::Ok();
}

Status DecodeChoices(const ObjectReader& body, int& choices) {
  AIO_RETURN_IF_ERROR(body.Read("n", {.min = 1, .max = kChoicesMax}, choices));
  std::optional<int> best_of;
  AIO_RETURN_IF_ERROR(body.Read("best_of", IntRange{.min = 1}, best_of));
  if (best_of.value_or(choices) == choices) return Status::Ok();
  return Unsupported("best_of", "Use best_of = n, or leave it out and choose yourself.");
}

}  // namespace

Status DecodeSampling(const ObjectReader& body, ApiRequest& out) {
  SamplingParams& sampling = out.request.sampling;
  AIO_RETURN_IF_ERROR(DecodeDistribution(body, sampling));
  AIO_RETURN_IF_ERROR(DecodePenalties(body, sampling));
  AIO_RETURN_IF_ERROR(DecodeLogitBias(body, sampling));
  const bool is_message = out.kind == ApiKind::kMessage;
  AIO_RETURN_IF_ERROR(DecodeStop(body, is_message ? "stop_sequences" : "stop", sampling));
  AIO_RETURN_IF_ERROR(DecodeSeed(body, out));
  AIO_RETURN_IF_ERROR(DecodeMaxTokens(body, out.kind, sampling));
  AIO_RETURN_IF_ERROR(body.Read("ignore_eos", sampling.ignore_eos));
  if (out.kind == ApiKind::kChat || out.kind == ApiKind::kCompletion) {
    AIO_RETURN_IF_ERROR(DecodeChoices(body, out.choices));
  }
  return DecodeLogprobs(body, out.kind, sampling);
}

}  // namespace aio
