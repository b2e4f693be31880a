#include "server/request_log.h"

#include <fmt/format.h>
#include <spdlog/logger.h>

#include <cmath>
#include <string>

#include "base/json_writer.h"

namespace aio {
namespace {

// Microseconds are enough, and all that the clock is good for.
double RoundedMs(double ms) { return std::round(ms * 1000) / 1000; }

class LogObject {
 public:
  void Add(std::string_view key, std::string_view text) {
    if (!text.empty()) json_.Member(key, text);
  }
  void Add(std::string_view key, int value) { json_.Member(key, value); }
  void AddMs(std::string_view key, double ms) { json_.Member(key, RoundedMs(ms)); }
  void AddNumber(std::string_view key, double value) { json_.Member(key, value); }
  void AddTrace(const std::optional<TraceContext>& trace) {
    if (!trace) return;
    Add("trace_id", ToHex(trace->trace_id));
    Add("span_id", ToHex(trace->span_id));
  }
  std::string TakeMembers() { return json_.Take(); }

 private:
  JsonWriter json_;
};

void AddDecision(const Decision& decision, LogObject& object) {
  object.Add("role", decision.role);
  object.Add("strategy", StrategyName(decision.strategy.kind));
  object.Add("rule", decision.rule);
  object.Add("reason", decision.reason);
  if (!decision.probed) return;
  object.Add("intent", decision.intent);
  object.AddNumber("entropy", std::round(decision.entropy * 1e4) / 1e4);
}

void AddAnswer(const RequestFacts& facts, LogObject& object) {
  if (facts.model.empty()) return;
  object.Add("model", facts.model);
  if (facts.decision) AddDecision(*facts.decision, object);
  object.Add("prompt_tokens", facts.prompt_tokens);
  object.Add("completion_tokens", facts.completion_tokens);
  if (!facts.finish_reasons.empty()) {
    object.Add("finish_reason", FinishReasonName(facts.finish_reasons.front()));
  }
  if (facts.first_token) object.AddMs("first_token_ms", ToMs(*facts.first_token));
  if (!facts.finish) return;
  const Timings& timings = facts.finish->timings;
  object.AddMs("queue_ms", timings.queue_ms);
  object.AddMs("probe_ms", timings.probe_ms);
  object.AddMs("prompt_ms", timings.prompt_ms);
  object.AddMs("predicted_ms", timings.predicted_ms);
}

std::string JsonLine(const RequestFacts& facts, const std::optional<TraceContext>& trace,
                     Duration took) {
  LogObject object;
  object.Add("message", "request");
  object.Add("request_id", facts.id);
  object.AddTrace(trace);
  object.Add("method", facts.method);
  object.Add("path", facts.path);
  object.Add("route", facts.route);
  object.Add("status", facts.status);
  object.AddMs("duration_ms", ToMs(took));
  object.Add("key", facts.key);
  object.Add("requested_model", facts.question.model);
  AddAnswer(facts, object);
  if (!facts.failure.ok()) object.Add("error", StatusCodeName(facts.failure.code()));
  return object.TakeMembers();
}

std::string TextLine(const RequestFacts& facts, const std::optional<TraceContext>& trace,
                     Duration took) {
  std::string line =
      fmt::format("{} {} {} {:.1f} ms", facts.method, facts.path, facts.status, ToMs(took));
  if (!facts.model.empty()) {
    line += fmt::format(" model={} prompt_tokens={} completion_tokens={}", facts.model,
                        facts.prompt_tokens, facts.completion_tokens);
  }
  if (!facts.key.empty()) line += " key=" + facts.key;
  line += " id=" + facts.id;
  if (trace) line += " trace=" + ToHex(trace->trace_id);
  return line;
}

}  // namespace

void LogRequest(const ServerContext& context, const RequestFacts& facts,
                const std::optional<TraceContext>& trace, Duration took) {
  if (context.logger == nullptr || !context.logger->should_log(spdlog::level::info)) return;
  const bool is_json = context.log_format == LogFormat::kJson;
  context.logger->info(is_json ? JsonLine(facts, trace, took) : TextLine(facts, trace, took));
}

void LogFailure(const ServerContext& context, const RequestFacts& facts,
                const std::optional<TraceContext>& trace) {
  if (context.logger == nullptr) return;
  if (context.log_format == LogFormat::kText) {
    context.logger->warn("request {} failed: {}", facts.id, facts.failure.ToString());
    return;
  }
  LogObject object;
  object.Add("message", "request failed");
  object.Add("request_id", facts.id);
  object.AddTrace(trace);
  object.Add("error", StatusCodeName(facts.failure.code()));
  object.Add("reason", facts.failure.message());
  context.logger->warn(object.TakeMembers());
}

void LogRefusal(const ServerContext& context, const Refusal& refusal) {
  if (context.logger == nullptr) return;
  if (context.log_format == LogFormat::kText) {
    context.logger->info("refused {} from {}: {} id={}", refusal.status, refusal.remote,
                         refusal.message, refusal.id);
    return;
  }
  LogObject object;
  object.Add("message", "refused");
  object.Add("request_id", refusal.id);
  object.Add("status", refusal.status);
  object.Add("remote", refusal.remote);
  object.Add("reason", refusal.message);
  context.logger->info(object.TakeMembers());
}

}  // namespace aio
