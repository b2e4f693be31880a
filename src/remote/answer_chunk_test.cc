#include "remote/answer_chunk.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aio {
namespace {

using testing::HasSubstr;

TEST(AnswerChunk, ReadsOpenAisChunks) {
  const auto delta = ParseAnswerChunk(
      R"({"model": "m", "choices": [{"delta": {"content": "Hi"}, "finish_reason": null}]})");
  ASSERT_TRUE(delta.ok());
  EXPECT_EQ(delta->model, "m");
  EXPECT_EQ(delta->text, "Hi");
  EXPECT_FALSE(delta->reason.has_value());
  const auto last =
      ParseAnswerChunk(R"({"choices": [{"delta": {}, "finish_reason": "length"}], "usage": null})");
  ASSERT_TRUE(last.ok());
  EXPECT_EQ(last->reason, FinishReason::kLength);
  const auto usage = ParseAnswerChunk(
      R"({"choices": [], "usage": {"prompt_tokens": 12, "completion_tokens": 3}})");
  ASSERT_TRUE(usage.ok() && usage->usage.has_value());
  EXPECT_EQ(usage->usage->prompt_tokens, 12);
  EXPECT_EQ(usage->usage->completion_tokens, 3);
}

TEST(AnswerChunk, ReadsWhatThisProjectsServerSaysBeside) {
  const auto chunk = ParseAnswerChunk(R"({"choices": [], "aio": {
      "intent": "code", "entropy": 0.1, "model": "pocket-small", "role": "small",
      "strategy": "auto", "rule": "code-small", "reason": "r", "probe_ms": 3.5,
      "accounting": {"tokens": {"drafted": 8, "accepted": 5},
                     "bytes": {"weights": 100, "kv": 7, "static_large": 900},
                     "ms": {"queue": 1, "probe": 3.5, "prefill": 2, "decode": 40}}}})");
  ASSERT_TRUE(chunk.ok());
  ASSERT_TRUE(chunk->decision.has_value());
  EXPECT_EQ(chunk->decision->role, "small");
  EXPECT_EQ(chunk->decision->strategy.kind, StrategyKind::kAuto);
  EXPECT_TRUE(chunk->decision->probed);
  ASSERT_TRUE(chunk->totals.has_value());
  EXPECT_EQ(chunk->totals->traffic.static_large_bytes, 900);
  EXPECT_EQ(chunk->totals->timings.predicted_ms, 40);
  EXPECT_EQ(chunk->totals->speculation.draft_accepted_tokens, 5);
}

TEST(AnswerChunk, TakesNonsenseForNothing) {
  EXPECT_EQ(ParseAnswerChunk("nonsense").status().code(), StatusCode::kInternal);
  const auto chunk = ParseAnswerChunk(
      R"({"choices": [{"delta": 3}], "usage": {"completion_tokens": -1e300}, "aio": []})");
  ASSERT_TRUE(chunk.ok());
  EXPECT_EQ(chunk->text, "");
  EXPECT_EQ(chunk->usage->completion_tokens, 0);
}

TEST(AnswerChunk, SaysWhatWentWrong) {
  const auto broken = ParseAnswerChunk(R"({"error": {"message": "out of memory"}})");
  ASSERT_TRUE(broken.ok());
  EXPECT_THAT(broken->error.message(), HasSubstr("out of memory"));
  const Status full = StatusOfResponse(429, R"({"error": {"message": "busy"}})");
  EXPECT_EQ(full.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(full.message(), "HTTP 429: busy");
  EXPECT_EQ(StatusOfResponse(500, "<html>").message(), "HTTP 500: <html>");
  EXPECT_EQ(StatusOfResponse(404, "").code(), StatusCode::kNotFound);
}

TEST(AnswerChunk, AnAnswerThatTheEngineGaveUpHasNotEnded) {
  for (const char* reason : {"abort", "error"}) {
    const auto chunk = ParseAnswerChunk(std::string(R"({"choices": [{"delta": {"content": ""}, )") +
                                        R"("finish_reason": ")" + reason + "\"}]}");
    ASSERT_TRUE(chunk.ok());
    EXPECT_FALSE(chunk->reason.has_value()) << reason;
    EXPECT_EQ(chunk->error.code(), StatusCode::kUnavailable) << reason;
  }
}

TEST(AnswerChunk, WhatAChatTemplateRefusesIsTheClientsToMend) {
  const Status refused = StatusOfResponse(500, R"({"error": {"code": 500, "message":
      "\n------------\nWhile executing CallExpression at line 47, column 32 in source:\n...\nError: Jinja Exception: After the optional system message, conversation roles must alternate.",
      "type": "server_error"}})");
  EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(refused.param(), "messages");
  EXPECT_THAT(refused.message(), HasSubstr("roles must alternate"));
  EXPECT_THAT(refused.message(), testing::Not(HasSubstr("CallExpression")));
  EXPECT_EQ(StatusOfResponse(500, R"({"error": {"message": "out of memory"}})").code(),
            StatusCode::kInternal);
}

TEST(AnswerChunk, TellsErrorObjectsFromOtherBodies) {
  EXPECT_TRUE(IsErrorObject(R"({"error": {"message": "boom"}})"));
  EXPECT_TRUE(IsErrorObject(R"({"error": "boom", "error_type": "x"})"));
  EXPECT_TRUE(IsErrorObject(R"({"object": "error", "message": "boom"})"));
  for (const char* body : {"", "<html>", "[]", "{}", "Internal Server Error"}) {
    EXPECT_FALSE(IsErrorObject(body)) << body;
  }
}

TEST(AnswerChunk, ReadsCompletionsAndTheirLogProbabilities) {
  const auto chunk = ParseAnswerChunk(R"({"choices": [{"text": "Hi", "finish_reason": null,
      "logprobs": {"tokens": ["Hi"], "token_logprobs": [-0.5],
                   "top_logprobs": [{"Ho": -2.0, "Hi": -0.5}]}}]})");
  ASSERT_TRUE(chunk.ok());
  EXPECT_EQ(chunk->text, "Hi");
  ASSERT_EQ(chunk->logprobs.size(), 1u);
  EXPECT_FLOAT_EQ(chunk->logprobs[0].logprob, -0.5f);
  ASSERT_EQ(chunk->logprobs[0].top.size(), 2u);
  EXPECT_EQ(chunk->logprobs[0].top[0].bytes, "Hi");
  EXPECT_EQ(chunk->logprobs[0].top[1].bytes, "Ho");
}

TEST(AnswerChunk, ReadsLogProbabilitiesOfChatsByTheirBytes) {
  const auto chunk = ParseAnswerChunk(R"({"choices": [{"delta": {"content": ""}, "logprobs":
      {"content": [{"token": "?", "bytes": [227, 129], "logprob": -1.5,
                    "top_logprobs": [{"token": "a", "bytes": null, "logprob": -0.25}]}]}}]})");
  ASSERT_TRUE(chunk.ok());
  ASSERT_EQ(chunk->logprobs.size(), 1u);
  EXPECT_EQ(chunk->logprobs[0].bytes, "\xe3\x81");
  ASSERT_EQ(chunk->logprobs[0].top.size(), 1u);
  EXPECT_EQ(chunk->logprobs[0].top[0].bytes, "a");
}

TEST(AnswerChunk, ReadsPiecesOfCalls) {
  const auto first = ParseAnswerChunk(R"({"choices": [{"delta": {"tool_calls": [{"index": 1,
      "id": "c1", "type": "function", "function": {"name": "add", "arguments": "{\"a\""}}]}}]})");
  ASSERT_TRUE(first.ok());
  ASSERT_EQ(first->tool_calls.size(), 1u);
  EXPECT_EQ(first->tool_calls[0].index, 1);
  EXPECT_EQ(first->tool_calls[0].name, "add");
  EXPECT_EQ(first->tool_calls[0].arguments, "{\"a\"");
  const auto hostile = ParseAnswerChunk(
      R"({"choices": [{"delta": {"tool_calls": [{"index": 2000000000, "id": "x"}, 3, null]}}]})");
  ASSERT_TRUE(hostile.ok());
  for (const ToolCallPiece& piece : hostile->tool_calls) EXPECT_LT(piece.index, 128);
}

TEST(AnswerChunk, KnowsAFullContextInAnyEnginesWords) {
  // vLLM: an integer as `code`.
  const Status vllm = StatusOfResponse(400, R"({"object": "error", "code": 400, "message":
      "This model's maximum context length is 2048 tokens. However, you requested 9000."})");
  EXPECT_EQ(vllm.reason(), "context_length_exceeded");
  EXPECT_THAT(vllm.message(), HasSubstr("maximum context length"));
  const Status llama = StatusOfResponse(400, R"({"error": {"code": 400, "type":
      "exceed_context_size_error", "message": "too large"}})");
  EXPECT_EQ(llama.reason(), "context_length_exceeded");
  const Status other = StatusOfResponse(400, R"({"error": {"message": "bad", "param": "top_k",
      "code": "bad_value"}})");
  EXPECT_EQ(other.reason(), "bad_value");
  EXPECT_EQ(other.param(), "top_k");
}

TEST(AnswerChunk, AFullContextIsAlsoMindIes424) {
  const Status full = StatusOfResponse(424, R"({"error_type": "Generation Error", "error":
      "Failed to enqueue inferRequest. This model's maximum input ids length cannot be greater than maxSeqLen 4096,the input ids length is 5000"})");
  EXPECT_EQ(full.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(full.reason(), "context_length_exceeded");
}

TEST(AnswerChunk, OnlyWhatTheClientSentIsItsFault) {
  for (const int status : {400, 413, 414, 422, 424}) {
    EXPECT_EQ(StatusOfResponse(status, "").code(), StatusCode::kInvalidArgument) << status;
  }
  for (const int status : {402, 405, 407, 409, 421, 426}) {
    EXPECT_EQ(StatusOfResponse(status, "").code(), StatusCode::kUnavailable) << status;
  }
  EXPECT_EQ(StatusOfResponse(500, "").code(), StatusCode::kInternal);
}

TEST(AnswerChunk, ReadsThoughtsByEitherName) {
  for (const char* name : {"reasoning_content", "reasoning"}) {
    const auto chunk = ParseAnswerChunk(
        fmt::format(R"({{"choices": [{{"delta": {{"content": null, "{}": "Hm"}}}}]}})", name));
    ASSERT_TRUE(chunk.ok());
    EXPECT_EQ(chunk->reasoning, "Hm") << name;
    EXPECT_EQ(chunk->text, "");
  }
}

TEST(AnswerChunk, ReadsTheStringThatEndedTheAnswer) {
  const auto stop = [](const std::string& member) {
    const auto chunk = ParseAnswerChunk(R"({"choices": [{"delta": {}, "finish_reason": "stop", )" +
                                        member + "}]}");
    EXPECT_TRUE(chunk.ok());
    return chunk.ok() ? chunk->stop_string : "";
  };
  EXPECT_EQ(stop(R"("stop_reason": "END")"), "END") << "vLLM";
  EXPECT_EQ(stop(R"("matched_stop": "END")"), "END") << "SGLang";
  EXPECT_EQ(stop(R"("matched_stop": 2)"), "") << "the end of sequence";
  EXPECT_EQ(stop(R"("stop_reason": null)"), "");
}

TEST(AnswerChunkTest, ARefusalIsTold) {
  const auto chunk = ParseAnswerChunk(
      R"({"choices": [{"delta": {"content": null, "refusal": "I cannot help with that."}}]})");
  ASSERT_TRUE(chunk.ok());
  EXPECT_EQ(chunk->text, "I cannot help with that.");
}

}  // namespace
}  // namespace aio
