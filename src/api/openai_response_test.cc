#include "api/openai_response.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "api/golden_test_file.h"
#include "api/test_answers.h"
#include "base/utf8.h"

namespace aio {
namespace {

using Json = nlohmann::json;

Decision ProbedDecision() {
  Decision decision;
  decision.model = "pocket-small";
  decision.role = "small";
  decision.strategy = {.kind = StrategyKind::kPromptLookup, .prompt_lookup_max = 6};
  decision.reason = "code, entropy 0.03 <= 0.45";
  decision.rule = "small-code";
  decision.probed = true;
  decision.intent = "code";
  decision.probabilities = {{"code", 0.75}, {"qa", 0.25}};
  decision.entropy = 0.5;
  decision.prompt_tokens = 57;
  decision.probe_ms = 1.5;
  return decision;
}

AnswerInfo Info(ApiKind kind) {
  AnswerInfo info;
  info.kind = kind;
  info.id = "chatcmpl-1";
  info.created = 1700000000;
  info.start.model = "pocket-small";
  info.start.decision = ProbedDecision();
  info.start.prompt_tokens = 57;
  return info;
}

FinishEvent Finish() {
  FinishEvent finish;
  finish.reason = FinishReason::kLength;
  finish.usage = {.prompt_tokens = 57, .cached_prompt_tokens = 50, .completion_tokens = 3};
  finish.timings = {.queue_ms = 1, .probe_ms = 2, .prompt_ms = 7, .predicted_ms = 10};
  finish.speculation.draft_tokens = 4;
  finish.speculation.draft_accepted_tokens = 1;
  finish.speculation.steps_by_accepted[0] = 3;
  finish.speculation.steps_by_accepted[1] = 1;
  finish.traffic = {.weight_bytes = 700, .kv_bytes = 50, .static_large_bytes = 3000};
  return finish;
}

std::string Encode(const AnswerInfo& info, WholeAnswer answer, bool with_logprobs,
                   const FinishEvent& finish) {
  answer.reason = finish.reason;
  return EncodeAnswer(info, {std::move(answer)}, with_logprobs, finish);
}

TokenLogprob Token(std::string bytes, float logprob) {
  return {.token = 1, .bytes = std::move(bytes), .logprob = logprob, .top = {}};
}

TEST(OpenaiResponseTest, ChatCompletion) {
  const Json json =
      Json::parse(Encode(Info(ApiKind::kChat), {.text = "Hi", .logprobs = {}}, false, Finish()));
  EXPECT_EQ(json["object"], "chat.completion");
  EXPECT_EQ(json["id"], "chatcmpl-1");
  EXPECT_EQ(json["created"], 1700000000);
  EXPECT_EQ(json["model"], "pocket-small");
  EXPECT_EQ(json["choices"], Json::parse(R"([{"index": 0, "logprobs": null,
      "message": {"role": "assistant", "content": "Hi", "refusal": null},
      "finish_reason": "length"}])"));
  EXPECT_EQ(json["usage"], Json::parse(R"({"prompt_tokens": 57, "completion_tokens": 3,
      "total_tokens": 60, "prompt_tokens_details": {"cached_tokens": 50},
      "completion_tokens_details": {"accepted_prediction_tokens": 1,
                                    "rejected_prediction_tokens": 3}})"));
  EXPECT_EQ(json["timings"]["queue_ms"], 1);
  EXPECT_EQ(json["timings"]["probe_ms"], 2);
  EXPECT_EQ(json["timings"]["prompt_ms"], 7);
  EXPECT_EQ(json["timings"]["prompt_per_second"], 1000);    // 7 tokens were computed
  EXPECT_EQ(json["timings"]["predicted_per_second"], 200);  // 2 tokens after the first in 10 ms
  EXPECT_EQ(json["timings"]["cache_n"], 50);
  EXPECT_EQ(json["timings"]["draft_n"], 4);
  EXPECT_EQ(json["timings"]["draft_n_accepted"], 1);
  EXPECT_EQ(json["aio"]["intent"], "code");
  EXPECT_EQ(json["aio"]["strategy"], "prompt_lookup");
  EXPECT_EQ(json["aio"]["strategy_options"]["prompt_lookup_max"], 6);
}

TEST(OpenaiResponseTest, CallsOfTools) {
  WholeAnswer answer{.text = "", .logprobs = {}};
  answer.tool_calls = {{"c1", "f", R"({"a": 1})"}};
  FinishEvent finish = Finish();
  finish.reason = FinishReason::kStop;
  const Json json = Json::parse(Encode(Info(ApiKind::kChat), answer, false, finish));
  EXPECT_EQ(json["choices"], Json::parse(R"([{"index": 0, "logprobs": null, "message":
      {"role": "assistant", "content": null, "refusal": null, "tool_calls": [{"id": "c1",
       "type": "function", "function": {"name": "f", "arguments": "{\"a\": 1}"}}]},
      "finish_reason": "tool_calls"}])"));

  StreamEncoder stream(Info(ApiKind::kChat), 1);
  TokenEvent event;
  event.text = "Well";
  event.tool_calls = {{"c1", "f", "{}"}, {"c2", "g", "{}"}};
  EXPECT_EQ(Json::parse(stream.Delta(event, 0))["choices"][0]["delta"], Json::parse(R"(
      {"content": "Well", "tool_calls": [
       {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
       {"index": 1, "id": "c2", "type": "function", "function": {"name": "g", "arguments": "{}"}}]}
      )"));
  event.text = "";
  event.tool_calls = {{"c3", "f", "{}"}};
  const Json third = Json::parse(stream.Delta(event, 0))["choices"][0]["delta"];
  EXPECT_EQ(third["tool_calls"][0]["index"], 2);
  EXPECT_FALSE(third.contains("content"));
  EXPECT_EQ(Json::parse(stream.Last(finish, 0)[0])["choices"][0]["finish_reason"], "tool_calls");
  finish.reason = FinishReason::kLength;
  EXPECT_EQ(Json::parse(stream.Last(finish, 0)[0])["choices"][0]["finish_reason"], "length");
}

TEST(OpenaiResponseTest, ThoughtsAreBesideTheAnswer) {
  StreamEncoder stream(Info(ApiKind::kChat), 1);
  TokenEvent event;
  event.reasoning = "Hm";
  EXPECT_EQ(Json::parse(stream.Delta(event, 0))["choices"][0]["delta"],
            Json::parse(R"({"reasoning_content": "Hm"})"));
  EXPECT_EQ(StreamEncoder(Info(ApiKind::kCompletion), 1).Delta(event, 0), "");
  const Json whole = Json::parse(Encode(
      Info(ApiKind::kChat), {.text = "Hi", .logprobs = {}, .reasoning = "Hm"}, false, Finish()));
  EXPECT_EQ(whole["choices"][0]["message"]["content"], "Hi");
  EXPECT_EQ(whole["choices"][0]["message"]["reasoning_content"], "Hm");
}

TEST(OpenaiResponseTest, Completion) {
  const Json json = Json::parse(
      Encode(Info(ApiKind::kCompletion), {.text = "Hi", .logprobs = {}}, false, Finish()));
  EXPECT_EQ(json["object"], "text_completion");
  EXPECT_EQ(json["choices"], Json::parse(R"([{"index": 0, "text": "Hi", "logprobs": null,
      "finish_reason": "length"}])"));
}

TEST(OpenaiResponseTest, AnswersSayWhatTheyTook) {
  const Json json = Json::parse(Encode(Info(ApiKind::kChat), {}, false, Finish()));
  EXPECT_EQ(json["aio"]["accounting"], Json::parse(R"({
      "tokens": {"prompt": 57, "cached": 50, "generated": 3, "drafted": 4, "accepted": 1},
      "accepted_per_step": [3, 1],
      "bytes": {"weights": 700, "kv": 50, "total": 750, "static_large": 3000,
                "saved_fraction": 0.75},
      "ms": {"queue": 1.0, "probe": 2.0, "prefill": 7.0, "decode": 10.0}})"));
}

TEST(OpenaiResponseTest, WhatIsNotKnownIsLeftOut) {
  FinishEvent finish = Finish();
  finish.speculation = {};
  finish.traffic.static_large_bytes = 0;
  Json json = Json::parse(Encode(Info(ApiKind::kChat), {}, false, finish));
  EXPECT_FALSE(json["usage"].contains("completion_tokens_details"));
  EXPECT_EQ(json["aio"]["accounting"]["accepted_per_step"], Json::array());
  EXPECT_EQ(json["aio"]["accounting"]["bytes"],
            Json::parse(R"({"weights": 700, "kv": 50, "total": 750})"));
  finish.traffic = {};
  json = Json::parse(Encode(Info(ApiKind::kChat), {}, false, finish));
  EXPECT_FALSE(json["aio"]["accounting"].contains("bytes"));
}

TEST(OpenaiResponseTest, WithoutADecisionThereIsOnlyTheAccount) {
  AnswerInfo info = Info(ApiKind::kChat);
  info.start.decision.reset();
  const Json json = Json::parse(Encode(info, {}, false, Finish()));
  EXPECT_EQ(json["aio"].size(), 1u);
  EXPECT_EQ(json["aio"]["accounting"]["tokens"]["generated"], 3);
  EXPECT_FALSE(Json::parse(StreamEncoder(info).First()).contains("aio"));
}

TEST(OpenaiResponseTest, ChatLogprobs) {
  WholeAnswer answer{.text = "\xC3\xA9", .logprobs = {Token("\xC3", -0.5f), Token("\xA9", -1.0f)}};
  answer.logprobs[0].top = {Token("\xC3", -0.5f), Token("e", -1.5f)};
  const Json json = Json::parse(Encode(Info(ApiKind::kChat), answer, true, Finish()));
  const Json& logprobs = json["choices"][0]["logprobs"];
  ASSERT_EQ(logprobs["content"].size(), 2u);
  EXPECT_EQ(logprobs["content"][0], Json::parse(R"({"token": "\ufffd", "logprob": -0.5,
      "bytes": [195], "top_logprobs": [
        {"token": "\ufffd", "logprob": -0.5, "bytes": [195]},
        {"token": "e", "logprob": -1.5, "bytes": [101]}]})"));
  EXPECT_EQ(logprobs["content"][1]["bytes"], Json::parse("[169]"));
  EXPECT_TRUE(logprobs["refusal"].is_null());
}

TEST(OpenaiResponseTest, CompletionLogprobs) {
  WholeAnswer answer{.text = "a\xC3\xA9z",
                     .logprobs = {Token("a", -0.5f), Token("\xC3", -1.0f), Token("\xA9", -1.0f),
                                  Token("z", -std::numeric_limits<float>::infinity())}};
  answer.logprobs[0].top = {Token("b", -0.25f)};
  const Json json = Json::parse(Encode(Info(ApiKind::kCompletion), answer, true, Finish()));
  EXPECT_EQ(json["choices"][0]["logprobs"], Json::parse(R"({
      "tokens": ["a", "\ufffd", "\ufffd", "z"],
      "token_logprobs": [-0.5, -1.0, -1.0, -9999.0],
      "top_logprobs": [{"a": -0.5, "b": -0.25}, {"\ufffd": -1.0}, {"\ufffd": -1.0},
                       {"z": -9999.0}],
      "text_offset": [0, 1, 2, 2]})"));
}

TEST(OpenaiResponseTest, ChatStream) {
  AnswerInfo info = Info(ApiKind::kChat);
  StreamEncoder stream(info);
  const Json first = Json::parse(stream.First());
  EXPECT_EQ(first["object"], "chat.completion.chunk");
  EXPECT_EQ(first["choices"], Json::parse(R"([{"index": 0,
      "delta": {"role": "assistant", "content": ""}, "logprobs": null, "finish_reason": null}])"));
  EXPECT_EQ(first["aio"]["rule"], "small-code");
  EXPECT_FALSE(first.contains("usage"));
  const Json delta = Json::parse(stream.Delta({.text = "x", .tokens = {1}, .logprobs = {}}));
  EXPECT_EQ(delta["choices"][0]["delta"], Json::parse(R"({"content": "x"})"));
  EXPECT_FALSE(delta.contains("aio"));
  EXPECT_EQ(stream.Delta({}), "");
  const std::vector<std::string> last = stream.Last(Finish());
  ASSERT_EQ(last.size(), 1u);
  const Json final = Json::parse(last[0]);
  EXPECT_EQ(final["choices"][0]["delta"], Json::object());
  EXPECT_EQ(final["choices"][0]["finish_reason"], "length");
  EXPECT_EQ(final["aio"]["model"], "pocket-small");
  EXPECT_FALSE(first["aio"].contains("accounting"));
  EXPECT_EQ(final["aio"]["accounting"]["tokens"]["accepted"], 1);
  EXPECT_EQ(final["timings"]["cache_n"], 50);
}

TEST(OpenaiResponseTest, StreamWithUsage) {
  AnswerInfo info = Info(ApiKind::kChat);
  info.include_usage = true;
  StreamEncoder stream(info);
  EXPECT_TRUE(Json::parse(stream.First()).at("usage").is_null());
  const std::vector<std::string> last = stream.Last(Finish());
  ASSERT_EQ(last.size(), 2u);
  const Json final = Json::parse(last[0]);
  EXPECT_EQ(final["choices"][0]["finish_reason"], "length");
  EXPECT_TRUE(final.at("usage").is_null());
  EXPECT_FALSE(final.contains("aio"));
  const Json usage = Json::parse(last[1]);
  EXPECT_EQ(usage["choices"], Json::array());
  EXPECT_EQ(usage["usage"]["total_tokens"], 60);
  EXPECT_EQ(usage["usage"]["completion_tokens_details"]["accepted_prediction_tokens"], 1);
  EXPECT_EQ(usage["aio"]["intent"], "code");
  EXPECT_TRUE(usage["aio"].contains("accounting"));
  EXPECT_TRUE(usage.contains("timings"));
}

TEST(OpenaiResponseTest, SeveralChoicesAreIndexed) {
  WholeAnswer first{.text = "a", .logprobs = {}};
  WholeAnswer second{.text = "b", .logprobs = {}, .reason = FinishReason::kLength};
  const Json choices =
      Json::parse(EncodeAnswer(Info(ApiKind::kChat), {first, second}, false, Finish()))["choices"];
  ASSERT_EQ(choices.size(), 2u);
  EXPECT_EQ(choices[0]["message"]["content"], "a");
  EXPECT_EQ(choices[0]["finish_reason"], "stop");
  EXPECT_EQ(choices[1]["index"], 1);
  EXPECT_EQ(choices[1]["message"]["content"], "b");
  EXPECT_EQ(choices[1]["finish_reason"], "length");
}

TEST(OpenaiResponseTest, StreamOfTwoChoicesByteForByte) {
  AnswerInfo info = Info(ApiKind::kChat);
  info.include_usage = true;
  const auto encoder = MakeOpenaiEncoder(info, false, 2);
  std::string bytes = encoder->Start(RoutedStart());
  bytes += encoder->Delta(0, Text("a"));
  bytes += encoder->Delta(1, Text("b"));
  bytes += encoder->Delta(0, Text("c"));
  FinishEvent finish = FinishedBy(FinishReason::kStop);
  bytes += encoder->End(1, finish);
  finish.reason = FinishReason::kLength;
  bytes += encoder->End(0, finish);
  bytes += encoder->Finish(finish);
  ExpectGolden(AIO_SOURCE_DIR "/src/api/golden", "chat_two_choices.txt", bytes);
}

TEST(OpenaiResponseTest, CompletionStreamCountsOffsets) {
  StreamEncoder stream(Info(ApiKind::kCompletion));
  EXPECT_EQ(Json::parse(stream.First())["choices"][0]["text"], "");
  const auto offset = [&](std::string text) {
    const Json json =
        Json::parse(stream.Delta({.text = text, .tokens = {1}, .logprobs = {Token(text, -1.0f)}}));
    EXPECT_EQ(json["object"], "text_completion");
    EXPECT_EQ(json["choices"][0]["text"], text);
    return json["choices"][0]["logprobs"]["text_offset"][0].get<int>();
  };
  EXPECT_EQ(offset("ab"), 0);
  EXPECT_EQ(offset("\xC3\xA9"), 2);
  EXPECT_EQ(offset("c"), 3);
  EXPECT_EQ(Json::parse(stream.Last(Finish())[0])["choices"][0]["text"], "");
}

TEST(OpenaiResponseTest, LogprobsWithoutTextAreShown) {
  StreamEncoder stream(Info(ApiKind::kChat));
  const Json json =
      Json::parse(stream.Delta({.text = "", .tokens = {1}, .logprobs = {Token("\xC3", -1.0f)}}));
  EXPECT_EQ(json["choices"][0]["delta"]["content"], "");
  EXPECT_EQ(json["choices"][0]["logprobs"]["content"].size(), 1u);
}

TEST(OpenaiResponseTest, BadBytesNeverBreakTheEncoding) {
  AnswerInfo info = Info(ApiKind::kChat);
  info.start.decision->reason = "\xFF\xFE";
  info.start.decision->entropy = std::nan("");
  const std::string body = Encode(info, {.text = "\xC3(", .logprobs = {}}, false, Finish());
  EXPECT_TRUE(IsValidUtf8(body));
  EXPECT_TRUE(Json::parse(body)["aio"]["entropy"].is_null());
}

TEST(OpenaiResponseTest, DecisionObject) {
  const Json json = Json::parse(EncodeDecision(ProbedDecision()));
  EXPECT_EQ(json, Json::parse(R"({"object": "decision", "intent": "code",
      "probabilities": {"code": 0.75, "qa": 0.25}, "entropy": 0.5, "prompt_tokens": 57,
      "model": "pocket-small", "role": "small", "strategy": "prompt_lookup",
      "strategy_options": {"prompt_lookup_max": 6, "prompt_lookup_min": 1, "num_speculative_tokens": 2},
      "reason": "code, entropy 0.03 <= 0.45", "rule": "small-code", "probed": true,
      "probe_ms": 1.5})"));
  Decision unprobed = ProbedDecision();
  unprobed.probed = false;
  unprobed.strategy.kind = StrategyKind::kPlain;
  const Json other = Json::parse(EncodeDecision(unprobed));
  EXPECT_TRUE(other.at("intent").is_null());
  EXPECT_TRUE(other.at("entropy").is_null());
  EXPECT_TRUE(other.at("probabilities").is_null());
  EXPECT_FALSE(other.contains("strategy_options"));
  EXPECT_FALSE(other.contains("weights"));
}

TEST(OpenaiResponseTest, DecisionsShowTheParametersTheirStrategyHas) {
  Decision decision = ProbedDecision();
  decision.weights = kW8A16;
  decision.strategy = DefaultStrategy(StrategyKind::kDraftModel);
  const Json draft = Json::parse(EncodeDecision(decision));
  EXPECT_EQ(draft["strategy"], "draft_model");
  EXPECT_EQ(draft["strategy_options"], Json::parse(R"({"num_speculative_tokens": 4})"));
  EXPECT_EQ(draft["weights"], "w8a16");
  decision.strategy = DefaultStrategy(StrategyKind::kAuto);
  EXPECT_EQ(Json::parse(EncodeDecision(decision))["strategy_options"], Json::parse(R"({
      "prompt_lookup_max": 6, "prompt_lookup_min": 1, "num_speculative_tokens": 16})"));
}

TEST(OpenaiResponseTest, Models) {
  ModelInfo model;
  model.name = "pocket-small";
  model.role = "small";
  model.context_length = 2048;
  const Json list = Json::parse(EncodeModels({model}, 5));
  EXPECT_EQ(list["object"], "list");
  ASSERT_EQ(list["data"].size(), 1u);
  EXPECT_EQ(list["data"][0], Json::parse(EncodeModel(model, 5)));
  EXPECT_EQ(list["data"][0], Json::parse(R"({"id": "pocket-small", "object": "model",
      "created": 5, "owned_by": "aio", "aio": {"role": "small", "architecture": null,
      "parameters": null, "bytes": null, "context_length": 2048, "vocabulary_size": null}})"));
  EXPECT_EQ(Json::parse(EncodeModels({}, 5))["data"], Json::array());

  model.weights = kW8A16;
  model.draft_model = "pocket-tiny";
  const Json variant = Json::parse(EncodeModel(model, 5))["aio"];
  EXPECT_EQ(variant["weights"], "w8a16");
  EXPECT_EQ(variant["draft_model"], "pocket-tiny");
}

TEST(OpenaiResponseTest, SseFraming) { EXPECT_EQ(SseEvent("{}"), "data: {}\n\n"); }

}  // namespace
}  // namespace aio
