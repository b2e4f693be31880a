#include "api/response_parts.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
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

// Steps by the guesses they kept, without the zeros at the end.
OrderedJson AcceptedPerStep(const Speculation& speculation) {
  const auto& steps = speculation.steps_by_accepted;
  const auto last = std::find_if(steps.rbegin(), steps.rend(), [](int n) { return n != 0; });
  OrderedJson json = OrderedJson::array();
  for (auto n = steps.begin(); n != last.base(); ++n) json.push_back(*n);
  return json;
}

OrderedJson BytesObject(const Traffic& traffic) {
  const int64_t total = traffic.weight_bytes + traffic.kv_bytes;
  OrderedJson json;
  json["weights"] = traffic.weight_bytes;
  json["kv"] = traffic.kv_bytes;
  json["total"] = total;
  if (traffic.static_large_bytes == 0) return json;
  json["static_large"] = traffic.static_large_bytes;
  json["saved_fraction"] =
      1 - static_cast<double>(total) / static_cast<double>(traffic.static_large_bytes);
  return json;
}

// The parameters that a strategy of this kind has, as a request gives them.
OrderedJson StrategyOptions(const Strategy& strategy) {
  OrderedJson json;
  if (strategy.kind == StrategyKind::kPromptLookup || strategy.kind == StrategyKind::kAuto) {
    json["prompt_lookup_max"] = strategy.prompt_lookup_max;
    json["prompt_lookup_min"] = strategy.prompt_lookup_min;
  }
  json["num_speculative_tokens"] = strategy.num_speculative_tokens;
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

OrderedJson UsageObject(const FinishEvent& finish) {
  const Usage& usage = finish.usage;
  OrderedJson json;
  json["prompt_tokens"] = usage.prompt_tokens;
  json["completion_tokens"] = usage.completion_tokens;
  json["total_tokens"] = usage.prompt_tokens + usage.completion_tokens;
  json["prompt_tokens_details"]["cached_tokens"] = usage.cached_prompt_tokens;
  if (finish.speculation.draft_tokens == 0) return json;
  OrderedJson& details = json["completion_tokens_details"];
  details["accepted_prediction_tokens"] = finish.speculation.draft_accepted_tokens;
  details["rejected_prediction_tokens"] =
      finish.speculation.draft_tokens - finish.speculation.draft_accepted_tokens;
  return json;
}

OrderedJson TimingsObject(const FinishEvent& finish) {
  const Timings& timings = finish.timings;
  const int computed = finish.usage.prompt_tokens - finish.usage.cached_prompt_tokens;
  const int predicted = finish.usage.completion_tokens;
  OrderedJson json;
  json["queue_ms"] = timings.queue_ms;
  json["probe_ms"] = timings.probe_ms;
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
  if (decision.strategy.kind != StrategyKind::kPlain) {
    json["strategy_options"] = StrategyOptions(decision.strategy);
  }
  if (!decision.weights.empty()) json["weights"] = decision.weights;
  json["reason"] = decision.reason;
  json["rule"] = decision.rule;
  json["probed"] = decision.probed;
  json["probe_ms"] = decision.probe_ms;
  return json;
}

OrderedJson AccountingObject(const FinishEvent& finish) {
  OrderedJson json;
  OrderedJson& tokens = json["tokens"];
  tokens["prompt"] = finish.usage.prompt_tokens;
  tokens["cached"] = finish.usage.cached_prompt_tokens;
  tokens["generated"] = finish.usage.completion_tokens;
  tokens["drafted"] = finish.speculation.draft_tokens;
  tokens["accepted"] = finish.speculation.draft_accepted_tokens;
  json["accepted_per_step"] = AcceptedPerStep(finish.speculation);
  const Traffic& traffic = finish.traffic;
  if (traffic.weight_bytes + traffic.kv_bytes > 0) json["bytes"] = BytesObject(traffic);
  OrderedJson& ms = json["ms"];
  ms["queue"] = finish.timings.queue_ms;
  ms["probe"] = finish.timings.probe_ms;
  ms["prefill"] = finish.timings.prompt_ms;
  ms["decode"] = finish.timings.predicted_ms;
  return json;
}

OrderedJson AioObject(const StartEvent& start, const FinishEvent& finish) {
  OrderedJson json = start.decision ? DecisionObject(*start.decision) : OrderedJson::object();
  json["accounting"] = AccountingObject(finish);
  return json;
}

}  // namespace aio
