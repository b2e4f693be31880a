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
requires SameAs<T, LoadSignals>
void ListFields(Fields& fields, T& load) {
  fields("running", load.running);
  fields("waiting", load.waiting);
  fields("step_ms", load.step_ms);
  fields("tokens_per_second", load.tokens_per_second);
}

template <typename Fields, typename T>
requires SameAs<T, RoleSignals>
void ListFields(Fields& fields, T& role) {
  fields("context", role.context);
  fields("variants", role.variants);
  fields("load", role.load);
  fields("weight_bytes", role.weight_bytes);
}

template <typename Fields, typename T>
requires SameAs<T, SessionSignals>
void ListFields(Fields& fields, T& session) {
  fields("role", session.role);
  fields("weights", session.weights);
  fields("turns", session.turns);
  fields("confidence", session.confidence);
}

template <typename Fields, typename T>
requires SameAs<T, DriftSignals>
void ListFields(Fields& fields, T& drift) {
  fields("drifted", drift.drifted);
  fields("what", drift.what);
}

template <typename Fields, typename T>
requires SameAs<T, FirstTokens>
void ListFields(Fields& fields, T& first) {
  fields("tokens", first.tokens);
  fields("entropy_mean", first.entropy_mean);
}

template <typename Fields, typename T>
requires SameAs<T, Signals>
void ListFields(Fields& fields, T& signals) {
  fields("intent", signals.intent);
  fields("label_logits", signals.label_logits);
  fields("prompt_tokens", signals.prompt_tokens);
  fields("answer_tokens_max", signals.answer_tokens_max);
  fields("entropy_threshold", signals.entropy_threshold);
  fields("strategy", signals.strategy);
  fields("weights", signals.weights);
  fields("small", signals.small);
  fields("large", signals.large);
  fields("probe_fault", signals.probe_fault);
  fields("doubts", signals.doubts);
  fields("request_hash", signals.request_hash);
  fields("true_label", signals.true_label);
  fields("session", signals.session);
  fields("drift", signals.drift);
  fields("first_tokens", signals.first_tokens);
}

template <typename Fields, typename T>
requires SameAs<T, ChatMessage>
void ListFields(Fields& fields, T& message) {
  fields("role", message.role);
  fields("content", message.content);
}

namespace {

std::string Text(const FieldJson& json) {
  return json.dump(-1, ' ', false, FieldJson::error_handler_t::replace);
}

// No text may make the parser recurse without end.
constexpr size_t kTextBytesMax = size_t{1} << 20;
constexpr int kDepthMax = 16;

Result<FieldJson> ParseText(std::string_view text, std::string_view what) {
  if (text.size() > kTextBytesMax) {
    return InvalidArgument(
        fmt::format("{}: {} bytes; at most {} are read", what, text.size(), kTextBytesMax));
  }
  const auto shallow = [](int depth, FieldJson::parse_event_t, FieldJson&) {
    return depth <= kDepthMax;
  };
  FieldJson json = FieldJson::parse(text, shallow, /*allow_exceptions=*/false);
  if (json.is_discarded()) return InvalidArgument(fmt::format("{}: is not JSON", what));
  return json;
}

Status CheckIntent(const Signals& signals) {
  if (!signals.intent) return Status::Ok();
  const IntentDistribution& intent = *signals.intent;
  const size_t labels = intent.labels.size();
  if (labels == 0 || labels != intent.probabilities.size()) {
    return InvalidArgument(fmt::format("signals.intent: {} probabilities for {} labels",
                                       intent.probabilities.size(), labels));
  }
  if (signals.label_logits.empty() || signals.label_logits.size() == labels) return Status::Ok();
  return InvalidArgument(fmt::format("signals.label_logits: {} scores for {} labels",
                                     signals.label_logits.size(), labels));
}

}  // namespace

std::string SignalsToJson(const Signals& signals) { return Text(ToJson(signals)); }

Result<Signals> SignalsFromJson(std::string_view text) {
  AIO_ASSIGN_OR_RETURN(const FieldJson json, ParseText(text, "signals"));
  Signals signals;
  AIO_RETURN_IF_ERROR(FromJson(json, "signals", signals));
  AIO_RETURN_IF_ERROR(CheckIntent(signals));
  return signals;
}

std::string StrategyToJson(const Strategy& strategy) { return Text(ToJson(strategy)); }

Result<Strategy> StrategyFromJson(std::string_view text) {
  AIO_ASSIGN_OR_RETURN(const FieldJson json, ParseText(text, "strategy"));
  Strategy strategy;
  AIO_RETURN_IF_ERROR(FromJson(json, "strategy", strategy));
  return strategy;
}

std::string PromptToJson(const Prompt& prompt) {
  return std::visit([](const auto& kind) { return Text(ToJson(kind)); }, prompt);
}

}  // namespace aio
