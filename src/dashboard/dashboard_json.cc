#include "dashboard/dashboard_json.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

namespace aio {

namespace {

using Json = nlohmann::ordered_json;

// Names and texts may come from a client.
std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// To the microsecond.
double Rounded(double ms) { return std::round(ms * 1000) / 1000; }

Json ToJson(const ModelInfo& model, const ModelLoad* load) {
  Json json = {{"name", model.name},       {"role", model.role},
               {"weights", model.weights}, {"parameters", model.parameters},
               {"bytes", model.bytes},     {"context_length", model.context_length}};
  if (load == nullptr) return json;
  json["running"] = load->running;
  json["waiting"] = load->waiting;
  json["kv_blocks"] = {{"used", load->kv_blocks_used},
                       {"idle", load->kv_blocks_idle},
                       {"total", load->kv_blocks_total}};
  json["step_ms"] = Rounded(load->step_ms);
  json["tokens_per_second"] = load->tokens_per_second;
  json["preemptions"] = load->preemptions;
  json["prefix_tokens"] = {{"asked", load->prefix_tokens_asked},
                           {"found", load->prefix_tokens_found}};
  return json;
}

Json ModelsJson(const Backend& backend) {
  const std::vector<ModelLoad> loads = backend.Load();
  Json models = Json::array();
  for (const ModelInfo& model : backend.Models()) {
    if (model.role == "router") continue;
    const auto load = std::find_if(loads.begin(), loads.end(),
                                   [&](const ModelLoad& l) { return l.name == model.name; });
    models.push_back(ToJson(model, load == loads.end() ? nullptr : &*load));
  }
  return models;
}

// The thresholds that the policy's rules have, for the page's scale.
Json PolicyJson(const RoutingPolicy& policy) {
  Json thresholds = Json::array();
  for (const RoutingRule& rule : policy.rules()) {
    if (rule.entropy_max)
      thresholds.push_back({{"rule", rule.name}, {"entropy_max", *rule.entropy_max}});
  }
  return {{"name", policy.name()},
          {"kind", PolicyKindName(policy.settings().kind)},
          {"hash", policy.hash()},
          {"thresholds", std::move(thresholds)}};
}

Json OutcomeJson(const RecentDecision& decision) {
  const RequestOutcome& outcome = *decision.outcome;
  if (!outcome.finish) return {{"error", outcome.error.message()}};
  const FinishEvent& finish = *outcome.finish;
  const Timings& timings = finish.timings;
  const double decode_s = timings.predicted_ms / 1000;
  const int decoded = std::max(0, finish.usage.completion_tokens - 1);
  return {{"finish", FinishReasonName(finish.reason)},
          {"completion_tokens", finish.usage.completion_tokens},
          {"cached_tokens", finish.usage.cached_prompt_tokens},
          {"tokens_per_second", decode_s > 0 ? decoded / decode_s : 0.0},
          {"first_token_ms", Rounded(timings.probe_ms + timings.queue_ms + timings.prompt_ms)},
          {"decode_ms", Rounded(timings.predicted_ms)},
          {"drafted", finish.speculation.draft_tokens},
          {"accepted", finish.speculation.draft_accepted_tokens},
          {"bytes", finish.traffic.weight_bytes + finish.traffic.kv_bytes},
          {"static_large_bytes", finish.traffic.static_large_bytes}};
}

Json ToJson(const RecentDecision& recent, TimePoint now) {
  const Decision& decision = recent.record.decision;
  Json json = {{"number", recent.number},
               {"id", recent.record.request_id},
               {"decided_ms_ago", Rounded(ToMs(now - recent.decided_at))},
               {"model", decision.model},
               {"role", decision.role},
               {"weights", decision.weights},
               {"strategy", StrategyName(decision.strategy.kind)},
               {"rule", decision.rule},
               {"reason", decision.reason},
               {"prompt_tokens", decision.prompt_tokens}};
  if (decision.probed) {
    Json probabilities = Json::object();
    for (const auto& [label, probability] : decision.probabilities) {
      probabilities[label] = probability;
    }
    json["intent"] = decision.intent;
    json["probabilities"] = std::move(probabilities);
    json["entropy"] = decision.entropy;
    json["probe_ms"] = Rounded(decision.probe_ms);
  }
  if (recent.outcome) {
    json["ended_ms_ago"] = Rounded(ToMs(now - recent.ended_at));
    json["outcome"] = OutcomeJson(recent);
  }
  return json;
}

std::string ArmText(std::string_view role, std::string_view weights) {
  std::string text(role);
  if (!weights.empty()) text += "-" + std::string(weights);
  return text;
}

// Bytes of weights that an answer reads by decoding plainly.
double WeightBytes(const std::map<std::string, double>& bytes_of, const std::string& arm,
                   const RecentDecision& recent) {
  const auto bytes = bytes_of.find(arm);
  const bool ended = recent.outcome && recent.outcome->finish;
  if (bytes == bytes_of.end() || !ended) return 0;
  return bytes->second * recent.outcome->finish->usage.completion_tokens;
}

}  // namespace

std::string LiveJson(const LiveView& view, uint64_t since) {
  Json decisions = Json::array();
  uint64_t version = since;
  for (const RecentDecision& recent : view.decisions.ChangedSince(since)) {
    version = std::max(version, recent.version);
    decisions.push_back(ToJson(recent, view.now));
  }
  return Dump({{"models", ModelsJson(view.backend)},
               {"policy", PolicyJson(view.policy)},
               {"read_bytes_per_second", view.read_bytes_per_second},
               {"version", version},
               {"decisions", std::move(decisions)}});
}

std::string WhatIfJson(const LiveView& view, double entropy_max) {
  std::map<std::string, double> bytes_of;  // by arm
  for (const ModelInfo& model : view.backend.Models()) {
    bytes_of[ArmText(model.role, model.weights)] = static_cast<double>(model.bytes);
  }
  int64_t requests = 0, small_now = 0, small_then = 0;
  double bytes_now = 0, bytes_then = 0;
  Json changed = Json::array();
  for (const RecentDecision& recent : view.decisions.ChangedSince(0)) {
    if (!recent.record.signals) continue;  // asked for by name
    Signals signals = *recent.record.signals;
    signals.entropy_threshold = entropy_max;
    const PolicyOutcome then = view.policy.Decide(signals);
    const Decision& now = recent.record.decision;
    const std::string from = ArmText(now.role, now.weights);
    const std::string to = ArmText(then.role, then.weights);
    ++requests;
    small_now += now.role == kSmallRole ? 1 : 0;
    small_then += then.role == kSmallRole ? 1 : 0;
    bytes_now += WeightBytes(bytes_of, from, recent);
    bytes_then += WeightBytes(bytes_of, to, recent);
    if (from == to) continue;
    changed.push_back(
        {{"number", recent.number}, {"from", from}, {"to", to}, {"reason", then.reason}});
  }
  return Dump({{"entropy_max", entropy_max},
               {"requests", requests},
               {"on_small", {{"now", small_now}, {"then", small_then}}},
               {"bytes", {{"now", bytes_now}, {"then", bytes_then}}},
               {"changed", std::move(changed)}});
}

}  // namespace aio
