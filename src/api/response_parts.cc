#include "api/response_parts.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "base/utf8.h"

namespace aio {
namespace {

// OpenAI's stand-in for "no chance": JSON has no infinity.
constexpr double kLogprobMin = -9999.0;

double Logprob(float value) {
  return std::isnan(value) ? kLogprobMin : std::max(kLogprobMin, static_cast<double>(value));
}

// Characters that begin in `bytes`; a sequence split over two tokens counts in the first.
size_t CountCharacters(const std::string& bytes) {
  return static_cast<size_t>(std::count_if(bytes.begin(), bytes.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

OrderedJson ChatToken(const TokenLogprob& token) {
  OrderedJson json;
  json["token"] = ReplaceInvalidUtf8(token.bytes);
  json["logprob"] = Logprob(token.logprob);
  OrderedJson& bytes = json["bytes"] = OrderedJson::array();
  for (char c : token.bytes) bytes.push_back(static_cast<unsigned char>(c));
  return json;
}

double PerSecond(int tokens, double ms) { return tokens > 0 && ms > 0 ? tokens / ms * 1000 : 0; }

}  // namespace

OrderedJson ChatLogprobs(const std::vector<TokenLogprob>& logprobs) {
  OrderedJson content = OrderedJson::array();
  for (const TokenLogprob& token : logprobs) {
    OrderedJson entry = ChatToken(token);
    OrderedJson& top = entry["top_logprobs"] = OrderedJson::array();
    for (const TokenLogprob& alternative : token.top) top.push_back(ChatToken(alternative));
    content.push_back(std::move(entry));
  }
  OrderedJson json;
  json["content"] = std::move(content);
  json["refusal"] = nullptr;
  return json;
}

OrderedJson CompletionLogprobs(const std::vector<TokenLogprob>& logprobs, size_t& text_offset) {
  OrderedJson json;
  for (const char* name : {"tokens", "token_logprobs", "top_logprobs", "text_offset"}) {
    json[name] = OrderedJson::array();
  }
  for (const TokenLogprob& token : logprobs) {
    OrderedJson top = OrderedJson::object();
    for (const TokenLogprob& alternative : token.top) {
      // Parts of characters may look the same once replaced: the most probable stays.
      top.emplace(ReplaceInvalidUtf8(alternative.bytes), Logprob(alternative.logprob));
    }
    // The chosen token is always there, even when it is not among the most probable.
    const std::string text = ReplaceInvalidUtf8(token.bytes);
    top.emplace(text, Logprob(token.logprob));
    json["tokens"].push_back(text);
    json["token_logprobs"].push_back(Logprob(token.logprob));
    json["top_logprobs"].push_back(std::move(top));
    json["text_offset"].push_back(text_offset);
    text_offset += CountCharacters(token.bytes);
  }
  return json;
}

OrderedJson UsageObject(const Usage& usage) {
  OrderedJson json;
  json["prompt_tokens"] = usage.prompt_tokens;
  json["completion_tokens"] = usage.completion_tokens;
  json["total_tokens"] = usage.prompt_tokens + usage.completion_tokens;
  json["prompt_tokens_details"]["cached_tokens"] = usage.cached_prompt_tokens;
  return json;
}

OrderedJson TimingsObject(const FinishEvent& finish) {
  const Timings& timings = finish.timings;
  const int computed = finish.usage.prompt_tokens - finish.usage.cached_prompt_tokens;
  const int predicted = finish.usage.completion_tokens;
  OrderedJson json;
  json["queue_ms"] = timings.queue_ms;
  json["cache_n"] = finish.usage.cached_prompt_tokens;
  json["prompt_n"] = computed;
  json["prompt_ms"] = timings.prompt_ms;
  json["prompt_per_second"] = PerSecond(computed, timings.prompt_ms);
  json["predicted_n"] = predicted;
  json["predicted_ms"] = timings.predicted_ms;
  // The span runs from the first token to the last, so it holds one token less.
  json["predicted_per_second"] = PerSecond(predicted - 1, timings.predicted_ms);
  json["draft_n"] = finish.speculation.draft_tokens;
  json["draft_n_accepted"] = finish.speculation.draft_accepted_tokens;
  return json;
}

OrderedJson DecisionObject(const Decision& decision) {
  OrderedJson json;
  json["intent"] = nullptr;
  json["probabilities"] = nullptr;
  json["entropy"] = nullptr;
  if (decision.probed) {
    json["intent"] = decision.intent;
    OrderedJson& probabilities = json["probabilities"] = OrderedJson::object();
    for (const auto& [label, probability] : decision.probabilities) {
      probabilities[label] = probability;
    }
    json["entropy"] = decision.entropy;
  }
  json["prompt_tokens"] = decision.prompt_tokens;
  json["model"] = decision.model;
  json["role"] = decision.role;
  json["strategy"] = StrategyName(decision.strategy.kind);
  if (decision.strategy.kind == StrategyKind::kPromptLookup) {
    OrderedJson& options = json["strategy_options"];
    options["prompt_lookup_max"] = decision.strategy.prompt_lookup_max;
    options["prompt_lookup_min"] = decision.strategy.prompt_lookup_min;
    options["num_speculative_tokens"] = decision.strategy.num_speculative_tokens;
  }
  json["reason"] = decision.reason;
  json["rule"] = decision.rule;
  json["probed"] = decision.probed;
  json["probe_ms"] = decision.probe_ms;
  return json;
}

}  // namespace aio
