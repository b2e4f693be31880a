#include "telemetry/request_spans.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

namespace aio {
namespace {

constexpr int kServerError = 500;
constexpr int kClientLeft = 499;

// What is known goes in, by name.
class Attributes {
 public:
  explicit Attributes(Span& span) : out_(span.attributes) {}

  void Add(const char* key, std::string_view text) {
    if (!text.empty()) out_.push_back({key, std::string(text)});
  }
  void Add(const char* key, int64_t value) { out_.push_back({key, value}); }
  void Add(const char* key, int value) { Add(key, static_cast<int64_t>(value)); }
  void Add(const char* key, double value) { out_.push_back({key, value}); }
  void Add(const char* key, bool value) { out_.push_back({key, value}); }
  void Add(const char* key, const char* text) { Add(key, std::string_view(text)); }
  void Add(const char* key, std::vector<std::string> texts) {
    out_.push_back({key, std::move(texts)});
  }
  template <typename T>
  void Add(const char* key, const std::optional<T>& value) {
    if (value) Add(key, *value);
  }

 private:
  std::vector<SpanAttribute>& out_;
};

class SpanMaker {
 public:
  explicit SpanMaker(const RequestRecord& record) : record_(record) {}

  std::vector<Span> Make();

 private:
  // A nanosecond is as long on either clock.
  int64_t UnixNs(TimePoint at) const { return record_.arrival_ns + (at - record_.arrival).count(); }
  Span& Child(const char* name, TimePoint begin, TimePoint end);
  void AddRequest();
  void AddAdmission();
  void AddProbe(const ProbeRecord& probe);
  void AddDecide();
  void AddGeneration(const GenerationRecord& generation);

  const RequestRecord& record_;
  std::vector<Span> spans_;
};

void Fail(Span& span, const Status& status) {
  if (status.ok()) return;
  Attributes(span).Add("error.type", StatusCodeName(status.code()));
  // Who goes away does not fail what they leave.
  span.failed = status.code() != StatusCode::kCancelled;
}

void AddQuestion(const QuestionFacts& question, Span& span) {
  Attributes to(span);
  if (question.operation.empty()) return;
  to.Add("gen_ai.operation.name", question.operation);
  to.Add("gen_ai.provider.name", "aio");
  to.Add("gen_ai.request.model", question.model);
  to.Add("gen_ai.request.stream", question.stream);
  if (question.choices != 1) to.Add("gen_ai.request.choice.count", question.choices);
  to.Add("gen_ai.request.max_tokens", question.max_tokens);
  if (question.temperature) {
    to.Add("gen_ai.request.temperature", static_cast<double>(*question.temperature));
  }
  if (question.top_p) to.Add("gen_ai.request.top_p", static_cast<double>(*question.top_p));
  if (question.seed) to.Add("gen_ai.request.seed", static_cast<int64_t>(*question.seed));
  if (question.json) to.Add("gen_ai.output.type", "json");
  to.Add("gen_ai.conversation.id", question.session);
}

void AddWork(const FinishEvent& finish, Span& span) {
  Attributes to(span);
  to.Add("aio.weight_bytes_read", finish.traffic.weight_bytes);
  to.Add("aio.kv_bytes_read", finish.traffic.kv_bytes);
  if (finish.speculation.draft_tokens == 0) return;
  to.Add("aio.draft_tokens", finish.speculation.draft_tokens);
  to.Add("aio.accepted_draft_tokens", finish.speculation.draft_accepted_tokens);
}

void AddAnswer(const RequestFacts& facts, Span& span) {
  if (facts.model.empty() || facts.question.operation.empty()) return;
  Attributes to(span);
  to.Add("gen_ai.response.model", facts.model);
  std::vector<std::string> reasons;
  reasons.reserve(facts.finish_reasons.size());
  for (const FinishReason reason : facts.finish_reasons) {
    reasons.emplace_back(FinishReasonName(reason));
  }
  if (!reasons.empty()) to.Add("gen_ai.response.finish_reasons", std::move(reasons));
  to.Add("gen_ai.usage.input_tokens", facts.prompt_tokens);
  if (facts.question.operation != "embeddings") {
    to.Add("gen_ai.usage.output_tokens", facts.completion_tokens);
  }
  if (facts.question.stream && facts.first_token) {
    to.Add("gen_ai.response.time_to_first_chunk",
           std::chrono::duration<double>(*facts.first_token).count());
  }
  if (!facts.finish) return;
  to.Add("gen_ai.usage.cache_read.input_tokens", facts.finish->usage.cached_prompt_tokens);
  AddWork(*facts.finish, span);
  to.Add("aio.static_large_bytes", facts.finish->traffic.static_large_bytes);
}

void AddDecision(const Decision& decision, Span& span) {
  Attributes to(span);
  to.Add("aio.arm", ArmOf(decision));
  to.Add("aio.role", decision.role);
  to.Add("aio.strategy", StrategyName(decision.strategy.kind));
  to.Add("aio.rule", decision.rule);
  to.Add("aio.reason", decision.reason);
  if (!decision.probed) return;
  to.Add("aio.intent", decision.intent);
  to.Add("aio.entropy", decision.entropy);
}

void SpanMaker::AddRequest() {
  const RequestFacts& facts = record_.facts;
  Span& span = spans_.emplace_back();
  span.trace_id = record_.context.trace_id;
  span.id = record_.context.span_id;
  span.parent = record_.parent;
  span.parent_is_remote = record_.parent != SpanId{};
  span.tracestate = record_.context.tracestate;
  span.name = fmt::format("{} {}", facts.method, facts.route);
  span.kind = SpanKind::kServer;
  span.start_unix_ns = record_.arrival_ns;
  span.end_unix_ns = UnixNs(record_.end);
  Attributes to(span);
  to.Add("http.request.method", facts.method);
  to.Add("http.route", facts.route);
  to.Add("url.path", facts.path);
  to.Add("http.response.status_code", facts.status);
  AddQuestion(facts.question, span);
  AddAnswer(facts, span);
  to.Add("aio.request_id", facts.id);
  if (record_.shares_id) to.Add("aio.request_id_shared", true);
  to.Add("aio.key", facts.key);
  if (facts.decision) AddDecision(*facts.decision, span);
  if (facts.status >= kServerError) {
    to.Add("error.type", std::to_string(facts.status));
    span.failed = true;
    span.failure = StatusCodeName(facts.failure.code());
  } else if (facts.status == kClientLeft) {
    to.Add("error.type", StatusCodeName(StatusCode::kCancelled));
  }
}

// Nothing of a request is outside of it, though clocks are read by several threads.
Span& SpanMaker::Child(const char* name, TimePoint begin, TimePoint end) {
  begin = std::clamp(begin, record_.arrival, record_.end);
  end = std::clamp(end, begin, record_.end);
  Span& span = spans_.emplace_back();
  span.trace_id = record_.context.trace_id;
  span.id = NewSpanId();
  span.parent = record_.context.span_id;
  span.tracestate = record_.context.tracestate;
  span.name = name;
  span.start_unix_ns = UnixNs(begin);
  span.end_unix_ns = UnixNs(end);
  return span;
}

void SpanMaker::AddAdmission() {
  if (!record_.asked) return;
  Span& span = Child("queue", *record_.asked, record_.admitted.value_or(record_.end));
  Attributes(span).Add("aio.queue", "admission");
  if (!record_.admitted) Fail(span, record_.facts.failure);
}

void SpanMaker::AddProbe(const ProbeRecord& probe) {
  Span& span = Child("probe", probe.begin, probe.end.value_or(record_.end));
  Attributes to(span);
  to.Add("aio.model", probe.model);
  Fail(span, probe.status);
  if (!probe.end || !probe.status.ok()) return;
  to.Add("aio.probe_tokens", probe.tokens);
  to.Add("aio.weight_bytes_read", probe.traffic.weight_bytes);
  to.Add("aio.kv_bytes_read", probe.traffic.kv_bytes);
}

void SpanMaker::AddDecide() {
  if (!record_.admitted) return;
  TimePoint begin = *record_.admitted;
  for (const ProbeRecord& probe : record_.probes) {
    if (!probe.end) return;  // it never came to a decision
    begin = std::max(begin, *probe.end);
  }
  if (record_.generations.empty() && !record_.facts.decision) return;
  const TimePoint end =
      record_.generations.empty() ? record_.end : record_.generations.front().asked;
  Span& span = Child("decide", begin, end);
  if (record_.facts.decision) AddDecision(*record_.facts.decision, span);
}

// When the model's phases ended. What the model itself measured goes before what was seen of it: it
// may hold back a token whose text is not whole yet.
struct Phases {
  TimePoint begun;
  TimePoint first_token;
  TimePoint end;
};

Duration Milliseconds(double ms) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double, std::milli>(ms));
}

Phases PhasesOf(const GenerationRecord& generation, TimePoint record_end) {
  Phases phases;
  phases.end = generation.end.value_or(record_end);
  phases.first_token = generation.first_token.value_or(phases.end);
  const bool has_begun = generation.started || generation.first_token;
  phases.begun = has_begun ? generation.asked : phases.end;
  if (!generation.finish) return phases;
  const Timings& timings = generation.finish->timings;
  phases.begun = std::min(generation.asked + Milliseconds(timings.queue_ms), phases.first_token);
  if (generation.first_token && timings.prompt_ms > 0) {
    phases.first_token =
        std::min(phases.first_token, phases.begun + Milliseconds(timings.prompt_ms));
  }
  return phases;
}

void SpanMaker::AddGeneration(const GenerationRecord& generation) {
  const Phases phases = PhasesOf(generation, record_.end);
  const auto child = [&](const char* name, TimePoint from, TimePoint to) -> Span& {
    Span& span = Child(name, from, to);
    Attributes attributes(span);
    attributes.Add("aio.model", generation.model);
    if (generation.choice > 0) attributes.Add("aio.choice", generation.choice);
    return span;
  };
  Span* last = &child("queue", generation.asked, phases.begun);
  Attributes(*last).Add("aio.queue", "model");
  if (generation.started || generation.first_token) {
    last = &child("prefill", phases.begun, phases.first_token);
    if (generation.finish) {
      const Usage& usage = generation.finish->usage;
      Attributes(*last).Add("gen_ai.usage.input_tokens", usage.prompt_tokens);
      Attributes(*last).Add("gen_ai.usage.cache_read.input_tokens", usage.cached_prompt_tokens);
    }
  }
  if (generation.first_token) {
    last = &child("decode", phases.first_token, phases.end);
    if (generation.finish) {
      Attributes to(*last);
      to.Add("gen_ai.usage.output_tokens", generation.finish->usage.completion_tokens);
      to.Add("gen_ai.response.finish_reasons",
             std::vector<std::string>{std::string(FinishReasonName(generation.finish->reason))});
      AddWork(*generation.finish, *last);
    }
  }
  Fail(*last, generation.error);
}

std::vector<Span> SpanMaker::Make() {
  constexpr size_t kSpansOfPhases = 3;
  spans_.reserve(3 + record_.probes.size() + kSpansOfPhases * record_.generations.size());
  AddRequest();
  AddAdmission();
  for (const ProbeRecord& probe : record_.probes) AddProbe(probe);
  AddDecide();
  for (const GenerationRecord& generation : record_.generations) AddGeneration(generation);
  return std::move(spans_);
}

}  // namespace

std::string ArmOf(const Decision& decision) {
  std::string arm = decision.role;
  if (!decision.weights.empty()) arm += "-" + decision.weights;
  if (decision.strategy.kind != StrategyKind::kPlain) {
    arm += fmt::format("+{}", StrategyName(decision.strategy.kind));
  }
  return arm;
}

std::vector<Span> SpansOf(const RequestRecord& record) { return SpanMaker(record).Make(); }

}  // namespace aio
