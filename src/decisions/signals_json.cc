#include "decisions/signals_json.h"

#include <fmt/format.h>

#include "decisions/json_fields.h"

namespace aio {

// --- the fields: a new one is one line here ---------------------------------------------

template <typename Fields, typename T>
requires SameAs<T, Strategy>
void ListFields(Fields& fields, T& strategy) {
  fields("kind", strategy.kind);
  fields("prompt_lookup_max", strategy.prompt_lookup_max);
  fields("prompt_lookup_min", strategy.prompt_lookup_min);
  fields("num_speculative_tokens", strategy.num_speculative_tokens);
}

template <typename Fields, typename T>
requires SameAs<T, IntentDistribution>
void ListFields(Fields& fields, T& intent) {
  fields("labels", intent.labels);
  fields("probabilities", intent.probabilities);
  fields("entropy", intent.entropy);
}

template <typename Fields, typename T>
requires SameAs<T, ContextNeed>
void ListFields(Fields& fields, T& need) {
  fields("prompt_tokens", need.prompt_tokens);
  fields("answer_tokens", need.answer_tokens);
  fields("context_length", need.context_length);
}

template <typename Fields, typename T>
requires SameAs<T, RoleSignals>
void ListFields(Fields& fields, T& role) {
  fields("context", role.context);
  fields("variants", role.variants);
}

template <typename Fields, typename T>
requires SameAs<T, Signals>
void ListFields(Fields& fields, T& signals) {
  fields("intent", signals.intent);
  fields("prompt_tokens", signals.prompt_tokens);
  fields("entropy_threshold", signals.entropy_threshold);
  fields("strategy", signals.strategy);
  fields("weights", signals.weights);
  fields("small", signals.small);
  fields("large", signals.large);
  fields("probe_fault", signals.probe_fault);
}

template <typename Fields, typename T>
requires SameAs<T, ChatMessage>
void ListFields(Fields& fields, T& message) {
  fields("role", message.role);
  fields("content", message.content);
}

namespace {

std::string Text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// No text may make the parser recurse without end.
constexpr size_t kTextBytesMax = size_t{1} << 20;
constexpr int kDepthMax = 16;

Result<Json> ParseText(std::string_view text, std::string_view what) {
  if (text.size() > kTextBytesMax) {
    return InvalidArgument(
        fmt::format("{}: {} bytes; at most {} are read", what, text.size(), kTextBytesMax));
  }
  const auto shallow = [](int depth, Json::parse_event_t, Json&) { return depth <= kDepthMax; };
  Json json = Json::parse(text, shallow, /*allow_exceptions=*/false);
  if (json.is_discarded()) return InvalidArgument(fmt::format("{}: is not JSON", what));
  return json;
}

Status CheckIntent(const IntentDistribution& intent) {
  if (!intent.labels.empty() && intent.labels.size() == intent.probabilities.size()) {
    return Status::Ok();
  }
  return InvalidArgument(fmt::format("signals.intent: {} probabilities for {} labels",
                                     intent.probabilities.size(), intent.labels.size()));
}

}  // namespace

std::string SignalsToJson(const Signals& signals) { return Text(ToJson(signals)); }

Result<Signals> SignalsFromJson(std::string_view text) {
  AIO_ASSIGN_OR_RETURN(const Json json, ParseText(text, "signals"));
  Signals signals;
  AIO_RETURN_IF_ERROR(FromJson(json, "signals", signals));
  if (signals.intent) AIO_RETURN_IF_ERROR(CheckIntent(*signals.intent));
  return signals;
}

std::string StrategyToJson(const Strategy& strategy) { return Text(ToJson(strategy)); }

Result<Strategy> StrategyFromJson(std::string_view text) {
  AIO_ASSIGN_OR_RETURN(const Json json, ParseText(text, "strategy"));
  Strategy strategy;
  AIO_RETURN_IF_ERROR(FromJson(json, "strategy", strategy));
  return strategy;
}

std::string PromptToJson(const Prompt& prompt) {
  return std::visit([](const auto& kind) { return Text(ToJson(kind)); }, prompt);
}

}  // namespace aio
