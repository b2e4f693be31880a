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
void WriteAcceptedPerStep(const Speculation& speculation, JsonWriter& json) {
  const auto& steps = speculation.steps_by_accepted;
  const auto last = std::find_if(steps.rbegin(), steps.rend(), [](int n) { return n != 0; });
  json.BeginArray();
  for (auto n = steps.begin(); n != last.base(); ++n) json.Value(*n);
  json.EndArray();
}

void WriteBytes(const Traffic& traffic, JsonWriter& json) {
  const int64_t total = traffic.weight_bytes + traffic.kv_bytes;
  json.BeginObject();
  json.Member("weights", traffic.weight_bytes);
  json.Member("kv", traffic.kv_bytes);
  json.Member("total", total);
  if (traffic.static_large_bytes != 0) {
    const double fraction =
        static_cast<double>(total) / static_cast<double>(traffic.static_large_bytes);
    json.Member("static_large", traffic.static_large_bytes);
    json.Member("saved_fraction", 1 - fraction);
  }
  json.EndObject();
}

// The parameters that a strategy of this kind has, as a request gives them.
void WriteStrategyOptions(const Strategy& strategy, JsonWriter& json) {
  json.BeginObject();
  if (strategy.kind == StrategyKind::kPromptLookup || strategy.kind == StrategyKind::kAuto) {
    json.Member("prompt_lookup_max", strategy.prompt_lookup_max);
    json.Member("prompt_lookup_min", strategy.prompt_lookup_min);
  }
  json.Member("num_speculative_tokens", strategy.num_speculative_tokens);
  json.EndObject();
}

void WriteDecisionMembers(const Decision& decision, JsonWriter& json) {
  if (decision.probed) {
    json.Member("intent", decision.intent);
    json.Key("probabilities");
    json.BeginObject();
    for (const auto& [label, probability] : decision.probabilities) json.Member(label, probability);
    json.EndObject();
    json.Member("entropy", decision.entropy);
  } else {
    for (const char* name : {"intent", "probabilities", "entropy"}) json.Member(name, nullptr);
  }
  json.Member("prompt_tokens", decision.prompt_tokens);
  json.Member("model", decision.model);
  json.Member("role", decision.role);
  json.Member("strategy", StrategyName(decision.strategy.kind));
  if (decision.strategy.kind != StrategyKind::kPlain) {
    json.Key("strategy_options");
    WriteStrategyOptions(decision.strategy, json);
  }
  if (!decision.weights.empty()) json.Member("weights", decision.weights);
  json.Member("reason", decision.reason);
  json.Member("rule", decision.rule);
  json.Member("probed", decision.probed);
  json.Member("probe_ms", decision.probe_ms);
}

void WriteAccounting(const FinishEvent& finish, JsonWriter& json) {
  json.BeginObject();
  json.Key("tokens");
  json.BeginObject();
  json.Member("prompt", finish.usage.prompt_tokens);
  json.Member("cached", finish.usage.cached_prompt_tokens);
  json.Member("generated", finish.usage.completion_tokens);
  json.Member("drafted", finish.speculation.draft_tokens);
  json.Member("accepted", finish.speculation.draft_accepted_tokens);
  json.EndObject();
  json.Key("accepted_per_step");
  WriteAcceptedPerStep(finish.speculation, json);
  if (finish.traffic.weight_bytes + finish.traffic.kv_bytes > 0) {
    json.Key("bytes");
    WriteBytes(finish.traffic, json);
  }
  json.Key("ms");
  json.BeginObject();
  json.Member("queue", finish.timings.queue_ms);
  json.Member("probe", finish.timings.probe_ms);
  json.Member("prefill", finish.timings.prompt_ms);
  json.Member("decode", finish.timings.predicted_ms);
  json.EndObject();
  json.EndObject();
}

OrderedJson Parsed(JsonWriter& json) { return OrderedJson::parse(json.Take()); }

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

void WriteUsage(const FinishEvent& finish, JsonWriter& json) {
  const Usage& usage = finish.usage;
  json.BeginObject();
  json.Member("prompt_tokens", usage.prompt_tokens);
  json.Member("completion_tokens", usage.completion_tokens);
  json.Member("total_tokens", usage.prompt_tokens + usage.completion_tokens);
  json.Key("prompt_tokens_details");
  json.BeginObject();
  json.Member("cached_tokens", usage.cached_prompt_tokens);
  json.EndObject();
  if (const Speculation& speculation = finish.speculation; speculation.draft_tokens != 0) {
    const int rejected = speculation.draft_tokens - speculation.draft_accepted_tokens;
    json.Key("completion_tokens_details");
    json.BeginObject();
    json.Member("accepted_prediction_tokens", speculation.draft_accepted_tokens);
    json.Member("rejected_prediction_tokens", rejected);
    json.EndObject();
  }
  json.EndObject();
}

void WriteTimings(const FinishEvent& finish, JsonWriter& json) {
  const Timings& timings = finish.timings;
  const int computed = finish.usage.prompt_tokens - finish.usage.cached_prompt_tokens;
  const int predicted = finish.usage.completion_tokens;
  json.BeginObject();
  json.Member("queue_ms", timings.queue_ms);
  json.Member("probe_ms", timings.probe_ms);
  json.Member("cache_n", finish.usage.cached_prompt_tokens);
  json.Member("prompt_n", computed);
  json.Member("prompt_ms", timings.prompt_ms);
  json.Member("prompt_per_second", PerSecond(computed, timings.prompt_ms));
  json.Member("predicted_n", predicted);
  json.Member("predicted_ms", timings.predicted_ms);
  // The span runs from the first token to the last, so it holds one token less.
  json.Member("predicted_per_second", PerSecond(predicted - 1, timings.predicted_ms));
  json.Member("draft_n", finish.speculation.draft_tokens);
  json.Member("draft_n_accepted", finish.speculation.draft_accepted_tokens);
  json.EndObject();
}

void WriteDecision(const Decision& decision, JsonWriter& json) {
  json.BeginObject();
  WriteDecisionMembers(decision, json);
  json.EndObject();
}

void WriteAio(const StartEvent& start, const FinishEvent& finish, JsonWriter& json) {
  json.BeginObject();
  if (start.decision) WriteDecisionMembers(*start.decision, json);
  json.Key("accounting");
  WriteAccounting(finish, json);
  json.EndObject();
}

OrderedJson UsageObject(const FinishEvent& finish) {
  JsonWriter json;
  WriteUsage(finish, json);
  return Parsed(json);
}

OrderedJson TimingsObject(const FinishEvent& finish) {
  JsonWriter json;
  WriteTimings(finish, json);
  return Parsed(json);
}

OrderedJson DecisionObject(const Decision& decision) {
  JsonWriter json;
  WriteDecision(decision, json);
  return Parsed(json);
}

OrderedJson AioObject(const StartEvent& start, const FinishEvent& finish) {
  JsonWriter json;
  WriteAio(start, finish, json);
  return Parsed(json);
}

}  // namespace aio
