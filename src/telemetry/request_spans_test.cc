#include "telemetry/request_spans.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace aio {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

constexpr int64_t kArrivalNs = 1'000'000'000;

TimePoint At(int ms) { return TimePoint{} + std::chrono::seconds(5) + milliseconds(ms); }
int64_t NsAt(int ms) { return kArrivalNs + int64_t{ms} * 1'000'000; }

Decision CodeDecision() {
  Decision decision;
  decision.model = "pocket-small";
  decision.role = "small";
  decision.strategy = {.kind = StrategyKind::kPromptLookup};
  decision.rule = "small-code";
  decision.reason = "code, entropy 0.03 <= 0.45";
  decision.probed = true;
  decision.intent = "code";
  decision.entropy = 0.03;
  return decision;
}

FinishEvent Finish() {
  FinishEvent finish;
  finish.usage = {.prompt_tokens = 12, .cached_prompt_tokens = 11, .completion_tokens = 7};
  finish.timings = {.queue_ms = 5, .probe_ms = 0, .prompt_ms = 10, .predicted_ms = 20};
  finish.speculation.draft_tokens = 6;
  finish.speculation.draft_accepted_tokens = 4;
  finish.traffic = {.weight_bytes = 100, .kv_bytes = 20, .static_large_bytes = 900};
  return finish;
}

// A chat: 0 arrives, 1 asked, 3 admitted, 4 to 9 probed, 10 the model is asked, 15 it begins, 25
// its first token, 45 its last, 46 over.
RequestRecord ChatRecord() {
  RequestRecord record;
  record.context =
      *ParseTraceContext("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "");
  record.parent.fill(0x11);
  record.arrival = At(0);
  record.arrival_ns = kArrivalNs;
  record.asked = At(1);
  record.admitted = At(3);
  record.probes.push_back({.model = "pocket-small",
                           .begin = At(4),
                           .end = At(9),
                           .tokens = 12,
                           .traffic = {.weight_bytes = 50, .kv_bytes = 5},
                           .status = {}});
  record.generations.push_back({.model = "pocket-small",
                                .choice = 0,
                                .asked = At(10),
                                .first_token = At(26),
                                .end = At(45),
                                .started = true,
                                .finish = Finish(),
                                .error = {}});
  record.end = At(46);
  RequestFacts& facts = record.facts;
  facts.id = "id-1";
  facts.method = "POST";
  facts.path = facts.route = "/v1/chat/completions";
  facts.status = 200;
  facts.question = {.operation = "chat", .model = "auto", .stream = true};
  facts.question.max_tokens = 64;
  facts.model = "pocket-small";
  facts.decision = CodeDecision();
  facts.prompt_tokens = 12;
  facts.completion_tokens = 7;
  facts.first_token = milliseconds(26);
  facts.finish = Finish();
  facts.finish_reasons = {FinishReason::kStop};
  return record;
}

const AttributeValue* Find(const Span& span, const std::string& key) {
  for (const SpanAttribute& attribute : span.attributes) {
    if (attribute.key == key) return &attribute.value;
  }
  return nullptr;
}

template <typename T>
T Get(const Span& span, const std::string& key) {
  const AttributeValue* value = Find(span, key);
  if (value == nullptr || !std::holds_alternative<T>(*value)) {
    ADD_FAILURE() << span.name << " has no " << key;
    return T{};
  }
  return std::get<T>(*value);
}
std::string Text(const Span& span, const std::string& key) { return Get<std::string>(span, key); }
int64_t Int(const Span& span, const std::string& key) { return Get<int64_t>(span, key); }

std::vector<std::string> Names(const std::vector<Span>& spans) {
  std::vector<std::string> names;
  for (const Span& span : spans) names.push_back(span.name);
  return names;
}

TEST(RequestSpansTest, PhasesFollowEachOtherBelowTheRequest) {
  const RequestRecord record = ChatRecord();
  const std::vector<Span> spans = SpansOf(record);
  ASSERT_THAT(Names(spans), ElementsAre("POST /v1/chat/completions", "queue", "probe", "decide",
                                        "queue", "prefill", "decode"));
  const std::vector<std::pair<int, int>> times = {{0, 46},  {1, 3},   {4, 9},  {9, 10},
                                                  {10, 15}, {15, 25}, {25, 45}};
  for (size_t i = 0; i < spans.size(); ++i) {
    EXPECT_EQ(spans[i].start_unix_ns, NsAt(times[i].first)) << spans[i].name << " " << i;
    EXPECT_EQ(spans[i].end_unix_ns, NsAt(times[i].second)) << spans[i].name << " " << i;
    EXPECT_EQ(spans[i].trace_id, record.context.trace_id);
    EXPECT_FALSE(spans[i].failed);
    if (i == 0) continue;
    EXPECT_EQ(spans[i].parent, spans[0].id);
    EXPECT_FALSE(spans[i].parent_is_remote);
    EXPECT_EQ(spans[i].kind, SpanKind::kInternal);
    for (size_t j = 0; j < i; ++j) EXPECT_NE(spans[i].id, spans[j].id);
  }
  EXPECT_EQ(spans[0].id, record.context.span_id) << "what traceresponse said";
  EXPECT_EQ(spans[0].parent, record.parent);
  EXPECT_TRUE(spans[0].parent_is_remote);
  EXPECT_EQ(spans[0].kind, SpanKind::kServer);
}

TEST(RequestSpansTest, TheRequestHasTheConventionsOfGenAi) {
  const Span span = SpansOf(ChatRecord()).at(0);
  EXPECT_EQ(Text(span, "gen_ai.operation.name"), "chat");
  EXPECT_EQ(Text(span, "gen_ai.provider.name"), "aio");
  EXPECT_EQ(Text(span, "gen_ai.request.model"), "auto");
  EXPECT_EQ(Int(span, "gen_ai.request.max_tokens"), 64);
  EXPECT_TRUE(Get<bool>(span, "gen_ai.request.stream"));
  EXPECT_EQ(Text(span, "gen_ai.response.model"), "pocket-small");
  EXPECT_THAT(Get<std::vector<std::string>>(span, "gen_ai.response.finish_reasons"),
              ElementsAre("stop"));
  EXPECT_EQ(Int(span, "gen_ai.usage.input_tokens"), 12);
  EXPECT_EQ(Int(span, "gen_ai.usage.output_tokens"), 7);
  EXPECT_EQ(Int(span, "gen_ai.usage.cache_read.input_tokens"), 11);
  EXPECT_DOUBLE_EQ(Get<double>(span, "gen_ai.response.time_to_first_chunk"), 0.026);
  EXPECT_EQ(Find(span, "gen_ai.request.seed"), nullptr) << "the client gave none";
  EXPECT_EQ(Find(span, "gen_ai.request.choice.count"), nullptr) << "only if it is not 1";
  EXPECT_EQ(Text(span, "http.request.method"), "POST");
  EXPECT_EQ(Text(span, "http.route"), "/v1/chat/completions");
  EXPECT_EQ(Int(span, "http.response.status_code"), 200);
}

TEST(RequestSpansTest, SaysWhatWasDecidedAndWhatItTook) {
  const std::vector<Span> spans = SpansOf(ChatRecord());
  for (const Span& span : {spans[0], spans[3]}) {
    EXPECT_EQ(Text(span, "aio.arm"), "small+prompt_lookup");
    EXPECT_EQ(Text(span, "aio.strategy"), "prompt_lookup");
    EXPECT_EQ(Text(span, "aio.rule"), "small-code");
    EXPECT_EQ(Text(span, "aio.reason"), "code, entropy 0.03 <= 0.45");
    EXPECT_EQ(Text(span, "aio.intent"), "code");
    EXPECT_DOUBLE_EQ(Get<double>(span, "aio.entropy"), 0.03);
  }
  EXPECT_EQ(Int(spans[0], "aio.weight_bytes_read"), 100);
  EXPECT_EQ(Int(spans[0], "aio.kv_bytes_read"), 20);
  EXPECT_EQ(Int(spans[0], "aio.static_large_bytes"), 900);
  EXPECT_EQ(Text(spans[0], "aio.request_id"), "id-1");
  EXPECT_EQ(Text(spans[1], "aio.queue"), "admission");
  EXPECT_EQ(Int(spans[2], "aio.probe_tokens"), 12);
  EXPECT_EQ(Int(spans[2], "aio.weight_bytes_read"), 50);
  EXPECT_EQ(Text(spans[4], "aio.queue"), "model");
  EXPECT_EQ(Int(spans[6], "aio.draft_tokens"), 6);
  EXPECT_EQ(Int(spans[6], "aio.accepted_draft_tokens"), 4);
  EXPECT_EQ(Int(spans[6], "gen_ai.usage.output_tokens"), 7);
}

TEST(RequestSpansTest, ARequestByNameHasNoProbe) {
  RequestRecord record = ChatRecord();
  record.probes.clear();
  record.facts.decision->probed = false;
  const std::vector<Span> spans = SpansOf(record);
  ASSERT_THAT(Names(spans), ElementsAre("POST /v1/chat/completions", "queue", "decide", "queue",
                                        "prefill", "decode"));
  EXPECT_EQ(spans[2].start_unix_ns, NsAt(3));
  EXPECT_EQ(Find(spans[2], "aio.intent"), nullptr);
}

TEST(RequestSpansTest, ACascadeShowsBothModels) {
  RequestRecord record = ChatRecord();
  GenerationRecord large = record.generations[0];
  large.model = "pocket-large";
  large.asked = At(30);
  large.first_token = At(46);
  large.end = At(70);
  record.generations.push_back(large);
  record.generations[0].end = At(31);
  record.generations[0].finish->reason = FinishReason::kCancelled;
  record.end = At(71);
  const std::vector<Span> spans = SpansOf(record);
  ASSERT_THAT(Names(spans),
              ElementsAre("POST /v1/chat/completions", "queue", "probe", "decide", "queue",
                          "prefill", "decode", "queue", "prefill", "decode"));
  EXPECT_EQ(Text(spans[6], "aio.model"), "pocket-small");
  EXPECT_EQ(Text(spans[9], "aio.model"), "pocket-large");
  EXPECT_EQ(spans[7].start_unix_ns, NsAt(30));
}

TEST(RequestSpansTest, AClientThatLeftInTheQueueSeesNoFurther) {
  RequestRecord record = ChatRecord();
  record.admitted.reset();
  record.probes.clear();
  record.generations.clear();
  record.facts.status = 499;
  record.facts.model.clear();
  record.facts.decision.reset();
  record.facts.failure = Cancelled("left");
  const std::vector<Span> spans = SpansOf(record);
  ASSERT_THAT(Names(spans), ElementsAre("POST /v1/chat/completions", "queue"));
  EXPECT_EQ(spans[1].end_unix_ns, NsAt(46));
  EXPECT_EQ(Text(spans[0], "error.type"), "cancelled");
  EXPECT_FALSE(spans[0].failed) << "who leaves does not fail what they leave";
}

TEST(RequestSpansTest, AFailureIsAtThePhaseInWhichItHappened) {
  RequestRecord record = ChatRecord();
  GenerationRecord& generation = record.generations[0];
  generation.first_token.reset();
  generation.finish.reset();
  generation.error = Internal("boom, said the model of the user's text");
  record.facts.status = 500;
  record.facts.failure = generation.error;
  const std::vector<Span> spans = SpansOf(record);
  ASSERT_THAT(Names(spans), ElementsAre("POST /v1/chat/completions", "queue", "probe", "decide",
                                        "queue", "prefill"));
  EXPECT_TRUE(spans[0].failed);
  EXPECT_EQ(spans[0].failure, "internal") << "the message might quote the request";
  EXPECT_EQ(Text(spans[0], "error.type"), "500");
  EXPECT_FALSE(spans[4].failed);
  EXPECT_TRUE(spans[5].failed);
  EXPECT_EQ(spans[5].end_unix_ns, NsAt(45));
}

TEST(RequestSpansTest, AProbeThatFailedStillLedToADecision) {
  RequestRecord record = ChatRecord();
  record.probes[0].status = Unavailable("full");
  const std::vector<Span> spans = SpansOf(record);
  EXPECT_TRUE(spans[2].failed);
  EXPECT_EQ(Text(spans[2], "error.type"), "unavailable");
  EXPECT_EQ(spans[3].name, "decide");
  EXPECT_FALSE(spans[0].failed);
}

TEST(RequestSpansTest, NothingLiesOutsideOfTheRequest) {
  RequestRecord record = ChatRecord();
  record.generations[0].end.reset();  // still at it
  record.generations[0].finish.reset();
  record.admitted = At(-3);
  for (const Span& span : SpansOf(record)) {
    EXPECT_GE(span.start_unix_ns, NsAt(0));
    EXPECT_LE(span.start_unix_ns, span.end_unix_ns);
    EXPECT_LE(span.end_unix_ns, NsAt(46));
  }
}

TEST(RequestSpansTest, AnArmIsRoleWeightsAndStrategy) {
  Decision decision;
  decision.role = "large";
  EXPECT_EQ(ArmOf(decision), "large");
  decision.weights = "w8a16";
  decision.strategy.kind = StrategyKind::kAuto;
  EXPECT_EQ(ArmOf(decision), "large-w8a16+auto");
}

}  // namespace
}  // namespace aio
