#include "decisions/log_values.h"

#include <fmt/format.h>

#include <utility>

#include "decisions/json_fields.h"
#include "decisions/signals_json.h"

namespace aio {
namespace {

std::string ProbabilitiesToJson(const Decision& decision) {
  FieldJson object = FieldJson::object();
  for (const auto& [label, probability] : decision.probabilities) object[label] = probability;
  return object.dump(-1, ' ', false, FieldJson::error_handler_t::replace);
}

Prompt Redacted(Prompt prompt, const Redactor& redactor) {
  if (auto* messages = std::get_if<std::vector<ChatMessage>>(&prompt)) {
    for (ChatMessage& message : *messages) {
      message.role = redactor.Redact(std::move(message.role));
      message.content = redactor.Redact(std::move(message.content));
    }
  } else if (auto* text = std::get_if<std::string>(&prompt)) {
    *text = redactor.Redact(std::move(*text));
  }
  return prompt;
}

// Gathers values in the order of the columns.
class Gather {
 public:
  Gather& operator<<(std::string text) {
    values_.emplace_back(std::move(text));
    return *this;
  }
  Gather& operator<<(std::string_view text) { return *this << std::string(text); }
  Gather& operator<<(int64_t value) {
    values_.emplace_back(value);
    return *this;
  }
  Gather& operator<<(int value) { return *this << int64_t{value}; }
  Gather& operator<<(double value) {
    values_.emplace_back(value);
    return *this;
  }
  template <typename T>
  Gather& operator<<(std::optional<T> value) {
    if (value) return *this << *std::move(value);
    values_.emplace_back();
    return *this;
  }
  std::vector<LogValue> Take() { return std::move(values_); }

 private:
  std::vector<LogValue> values_;
};

}  // namespace

std::vector<LogValue> DecisionValues(const DecisionRecord& record, const Redactor& redactor) {
  std::optional<std::string> prompt, signals, intent, probabilities;
  std::optional<double> entropy;
  if (record.prompt) prompt = PromptToJson(Redacted(*record.prompt, redactor));
  if (record.signals) signals = SignalsToJson(*record.signals);
  const Decision& decision = record.decision;
  if (decision.probed) {
    intent = decision.intent;
    probabilities = ProbabilitiesToJson(decision);
    entropy = decision.entropy;
  }
  Gather values;
  values << record.request_id << record.unix_seconds << record.prompt_hash << std::move(prompt)
         << record.small_model << record.large_model << record.small_fingerprint
         << record.large_fingerprint << record.policy_hash << std::move(signals)
         << std::move(intent) << std::move(probabilities) << entropy << decision.prompt_tokens
         << decision.model << decision.role << decision.weights
         << StrategyName(decision.strategy.kind) << StrategyToJson(decision.strategy)
         << decision.rule << decision.reason;
  return values.Take();
}

std::vector<LogValue> EndValues(const RequestOutcome& outcome) {
  std::optional<std::string> error;
  std::string_view finish = "error";
  FinishEvent event;
  if (outcome.finish) {
    event = *outcome.finish;
    finish = FinishReasonName(event.reason);
  } else {
    error = outcome.error.ToString();
  }
  Gather values;
  values << finish << std::move(error) << outcome.model << event.usage.prompt_tokens
         << event.usage.completion_tokens << event.usage.cached_prompt_tokens
         << event.speculation.draft_tokens << event.speculation.draft_accepted_tokens
         << event.timings.queue_ms << event.timings.probe_ms << event.timings.prompt_ms
         << event.timings.predicted_ms << event.traffic.weight_bytes << event.traffic.kv_bytes
         << event.traffic.static_large_bytes;
  return values.Take();
}

LogValue CommentValue(const Feedback& feedback, const Redactor& redactor) {
  if (!feedback.comment) return {};
  return redactor.Redact(*feedback.comment);
}

Status UnknownRequest(const Feedback& feedback) {
  return NotFound(fmt::format("No request with the id '{}' is in the decision log.",
                              feedback.request_id))
      .WithParam("id")
      .WithReason("request_not_found");
}

}  // namespace aio
