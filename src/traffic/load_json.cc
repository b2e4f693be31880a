#include "traffic/load_json.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/utf8.h"

namespace aio {
namespace {

using Json = nlohmann::ordered_json;

// To the microsecond.
double Rounded(double ms) { return std::round(ms * 1000) / 1000; }
double Ms(Duration d) { return Rounded(ToMs(d)); }

Json ToJson(const Traffic& traffic) {
  return {{"weights", traffic.weight_bytes},
          {"kv", traffic.kv_bytes},
          {"total", traffic.weight_bytes + traffic.kv_bytes},
          {"static_large", traffic.static_large_bytes}};
}

void AddDecision(const Decision& decision, Json& json) {
  json["role"] = decision.role;
  if (!decision.weights.empty()) json["weights"] = decision.weights;
  json["strategy"] = StrategyName(decision.strategy.kind);
  json["rule"] = decision.rule;
  json["reason"] = decision.reason;
  if (!decision.probed) return;
  json["intent"] = decision.intent;
  json["entropy"] = decision.entropy;
}

void AddAnswer(const LoadRecord& record, Json& json) {
  const FinishEvent& finish = record.finish;
  json["model"] = record.model;
  if (record.decision) AddDecision(*record.decision, json);
  json["prompt_tokens"] = finish.usage.prompt_tokens;
  json["cached_tokens"] = finish.usage.cached_prompt_tokens;
  json["output_tokens"] = finish.usage.completion_tokens;
  json["finish_reason"] = FinishReasonName(finish.reason);
  json["tokens_per_second"] = Rounded(record.tokens_per_second());
  json["drafted"] = finish.speculation.draft_tokens;
  json["accepted"] = finish.speculation.draft_accepted_tokens;
  const Timings& timings = finish.timings;
  json["server_ms"] = {{"probe", Rounded(timings.probe_ms)},
                       {"queue", Rounded(timings.queue_ms)},
                       {"prompt", Rounded(timings.prompt_ms)},
                       {"decode", Rounded(timings.predicted_ms)}};
  json["bytes"] = ToJson(finish.traffic);
}

Json ToJson(const Percentiles& p) {
  return {{"count", p.count}, {"mean", p.mean}, {"p50", p.p50}, {"p90", p.p90},
          {"p95", p.p95},     {"p99", p.p99},   {"max", p.max}};
}

Json ToJson(const OverheadMs& overhead) {
  return {{"probe", overhead.probe},   {"queue", overhead.queue},
          {"prompt", overhead.prompt}, {"decode", overhead.decode},
          {"other", overhead.other},   {"routing_share", overhead.share}};
}

}  // namespace

std::string RecordLine(const LoadRecord& record, const RecordTags& tags) {
  Json json;
  for (const auto& [key, value] : tags) json[key] = ReplaceInvalidUtf8(value);
  json["id"] = record.id;
  json["intended_ms"] = Ms(record.intended);
  json["sent_ms"] = Ms(record.sent);
  if (!record.arrivals.empty()) json["first_token_ms"] = Ms(record.arrivals.front().at);
  json["end_ms"] = Ms(record.end);
  if (record.error.ok()) {
    AddAnswer(record, json);
  } else {
    json["error"] = ReplaceInvalidUtf8(record.error.ToString());
  }
  Json& times = json["token_ms"] = Json::array();
  Json& counts = json["token_counts"] = Json::array();
  for (const TokenArrival& arrival : record.arrivals) {
    times.push_back(Ms(arrival.at));
    counts.push_back(arrival.tokens);
  }
  json["text"] = ReplaceInvalidUtf8(record.text);
  return json.dump();
}

std::string SummaryJson(const LoadSummary& summary, bool pretty) {
  Json json = {{"requests", summary.requests},
               {"errors", summary.errors},
               {"prompt_tokens", summary.prompt_tokens},
               {"output_tokens", summary.output_tokens},
               {"seconds", summary.seconds},
               {"tokens_per_second",
                {{"arithmetic_mean", summary.rates.arithmetic},
                 {"harmonic_mean", summary.rates.harmonic},
                 {"wall_clock", summary.rates.total}}},
               {"first_token_ms", ToJson(summary.first_token_ms)},
               {"per_token_ms", ToJson(summary.per_token_ms)},
               {"token_gap_ms", ToJson(summary.token_gap_ms)},
               {"end_to_end_ms", ToJson(summary.end_to_end_ms)},
               {"sender_late_ms", ToJson(summary.sender_late_ms)},
               {"mean_ms", ToJson(summary.overhead)},
               {"bytes", ToJson(summary.traffic)},
               {"small_model_answers", summary.small_answers}};
  if (summary.costs) {
    json["costs"] = {{"price", summary.costs->price},
                     {"price_per_million_tokens", summary.costs->price_per_million_tokens},
                     {"joules", summary.costs->joules},
                     {"joules_per_token", summary.costs->joules_per_token}};
  }
  return json.dump(pretty ? 2 : -1);
}

}  // namespace aio
