#include "traffic/chat_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace aio {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;

TEST(ChatStream, WritesABody) {
  Request request;
  request.model = "auto";
  request.prompt = std::vector<ChatMessage>{{"system", "s"}, {"user", "u"}};
  request.sampling.temperature = 0;
  request.sampling.max_tokens = 7;
  request.strategy = Strategy{.kind = StrategyKind::kPromptLookup};
  const Result<std::string> body = EncodeChatBody(request);
  ASSERT_TRUE(body.ok());
  const Json json = Json::parse(*body);
  EXPECT_EQ(json["model"], "auto");
  EXPECT_EQ(json["messages"][1]["content"], "u");
  EXPECT_EQ(json["max_tokens"], 7);
  EXPECT_EQ(json["stream"], true);
  EXPECT_EQ(json["stream_options"]["include_usage"], true);
  EXPECT_EQ(json["aio"]["strategy"], "prompt_lookup");
  EXPECT_FALSE(json.contains("ignore_eos"));
  request.format = {AnswerFormatKind::kJsonObject, "", "response_format"};
  EXPECT_EQ(EncodeChatBody(request).status().param(), "response_format");
  request.format = {};
  request.prompt = std::vector<int32_t>{1, 2};
  EXPECT_EQ(EncodeChatBody(request).status().code(), StatusCode::kUnimplemented);
}

TEST(ChatStream, ReadsOpenAisChunks) {
  const auto delta = ParseChatChunk(
      R"({"model": "m", "choices": [{"delta": {"content": "Hi"}, "finish_reason": null}]})");
  ASSERT_TRUE(delta.ok());
  EXPECT_EQ(delta->model, "m");
  EXPECT_EQ(delta->text, "Hi");
  EXPECT_FALSE(delta->reason.has_value());
  const auto last =
      ParseChatChunk(R"({"choices": [{"delta": {}, "finish_reason": "length"}], "usage": null})");
  ASSERT_TRUE(last.ok());
  EXPECT_EQ(last->reason, FinishReason::kLength);
  const auto usage =
      ParseChatChunk(R"({"choices": [], "usage": {"prompt_tokens": 12, "completion_tokens": 3}})");
  ASSERT_TRUE(usage.ok() && usage->usage.has_value());
  EXPECT_EQ(usage->usage->prompt_tokens, 12);
  EXPECT_EQ(usage->usage->completion_tokens, 3);
}

TEST(ChatStream, ReadsWhatThisProjectsServerSaysBeside) {
  const auto chunk = ParseChatChunk(R"({"choices": [], "aio": {
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

TEST(ChatStream, TakesNonsenseForNothing) {
  EXPECT_EQ(ParseChatChunk("nonsense").status().code(), StatusCode::kInternal);
  const auto chunk = ParseChatChunk(
      R"({"choices": [{"delta": 3}], "usage": {"completion_tokens": -1e300}, "aio": []})");
  ASSERT_TRUE(chunk.ok());
  EXPECT_EQ(chunk->text, "");
  EXPECT_EQ(chunk->usage->completion_tokens, 0);
}

TEST(ChatStream, SaysWhatWentWrong) {
  const auto broken = ParseChatChunk(R"({"error": {"message": "out of memory"}})");
  ASSERT_TRUE(broken.ok());
  EXPECT_THAT(broken->error.message(), HasSubstr("out of memory"));
  const Status full = StatusOfResponse(429, R"({"error": {"message": "busy"}})");
  EXPECT_EQ(full.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(full.message(), "HTTP 429: busy");
  EXPECT_EQ(StatusOfResponse(500, "<html>").message(), "HTTP 500: <html>");
  EXPECT_EQ(StatusOfResponse(404, "").code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace aio
