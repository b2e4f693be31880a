#include "engine/request_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

namespace aio {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr int kVocabulary = 100;

// The param that CheckSampling() complains about after `change`; empty: none.
template <typename Change>
std::string Complaint(const Change& change) {
  SamplingParams params;
  change(params);
  const Status status = CheckSampling(params, kVocabulary);
  if (!status.ok()) {
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(status.message(), HasSubstr(status.param()));
  }
  return status.param();
}

TEST(RequestChecksTest, TheDefaultsAreFine) {
  EXPECT_TRUE(CheckSampling(SamplingParams(), kVocabulary).ok());
  EXPECT_TRUE(CheckStrategy(Strategy()).ok());
}

TEST(RequestChecksTest, SamplingParametersOutOfRangeAreNamed) {
  const float nan = std::nanf("");
  const float inf = std::numeric_limits<float>::infinity();
  for (float bad : {-0.1f, nan, inf}) {
    EXPECT_EQ(Complaint([&](SamplingParams& p) { p.temperature = bad; }), "temperature");
  }
  for (float bad : {0.0f, -1.0f, 1.01f, nan}) {
    EXPECT_EQ(Complaint([&](SamplingParams& p) { p.top_p = bad; }), "top_p");
  }
  for (float bad : {-0.1f, 1.0f, nan}) {
    EXPECT_EQ(Complaint([&](SamplingParams& p) { p.min_p = bad; }), "min_p");
  }
  for (float bad : {0.0f, -1.0f, nan, inf}) {
    EXPECT_EQ(Complaint([&](SamplingParams& p) { p.repetition_penalty = bad; }),
              "repetition_penalty");
  }
  for (float bad : {-2.1f, 2.1f, nan}) {
    EXPECT_EQ(Complaint([&](SamplingParams& p) { p.presence_penalty = bad; }), "presence_penalty");
    EXPECT_EQ(Complaint([&](SamplingParams& p) { p.frequency_penalty = bad; }),
              "frequency_penalty");
  }
  EXPECT_EQ(Complaint([](SamplingParams& p) { p.top_k = -1; }), "top_k");
  EXPECT_EQ(Complaint([](SamplingParams& p) { p.max_tokens = 0; }), "max_tokens");
  EXPECT_EQ(Complaint([](SamplingParams& p) { p.top_logprobs = 21; }), "top_logprobs");
  EXPECT_EQ(Complaint([](SamplingParams& p) { p.top_logprobs = -2; }), "top_logprobs");
}

TEST(RequestChecksTest, LogitBias) {
  EXPECT_EQ(Complaint([](SamplingParams& p) {
              p.logit_bias = {{kVocabulary, 1.0f}};
            }),
            "logit_bias");
  EXPECT_EQ(Complaint([](SamplingParams& p) { p.logit_bias = {{-1, 1.0f}}; }), "logit_bias");
  EXPECT_EQ(Complaint([](SamplingParams& p) { p.logit_bias = {{3, 100.5f}}; }), "logit_bias");
  EXPECT_EQ(Complaint([](SamplingParams& p) {
              p.logit_bias = {{3, std::nanf("")}};
            }),
            "logit_bias");
  EXPECT_EQ(Complaint([](SamplingParams& p) { p.logit_bias = {{3, -100}, {99, 100}}; }), "");
}

TEST(RequestChecksTest, StopStrings) {
  EXPECT_EQ(Complaint([](SamplingParams& p) { p.stop = {""}; }), "stop");
  EXPECT_EQ(Complaint([](SamplingParams& p) { p.stop = {"\xFF"}; }), "stop");
  EXPECT_EQ(Complaint([](SamplingParams& p) { p.stop = {std::string(1025, 'x')}; }), "stop");
  EXPECT_EQ(Complaint([](SamplingParams& p) { p.stop.assign(17, "x"); }), "stop");
  EXPECT_EQ(Complaint([](SamplingParams& p) { p.stop = {"\n", "\u00e9"}; }), "");
}

TEST(RequestChecksTest, Strategy) {
  Strategy strategy{StrategyKind::kPromptLookup};
  EXPECT_TRUE(CheckStrategy(strategy).ok());
  strategy.prompt_lookup_max = 65;
  EXPECT_EQ(CheckStrategy(strategy).param(), "strategy.prompt_lookup_max");
  strategy.prompt_lookup_max = 2;
  strategy.prompt_lookup_min = 3;
  EXPECT_EQ(CheckStrategy(strategy).param(), "strategy.prompt_lookup_min");
  strategy.prompt_lookup_min = 1;
  strategy.num_speculative_tokens = 17;
  EXPECT_EQ(CheckStrategy(strategy).param(), "strategy.num_speculative_tokens");
}

TEST(RequestChecksTest, AnswerTokens) {
  const ContextLimits limits{/*model_tokens=*/100, /*kv_cache_tokens=*/1000};
  const Prompt text = std::string("x");
  EXPECT_EQ(AnswerTokensMax(text, 60, std::nullopt, limits).value(), 40);
  EXPECT_EQ(AnswerTokensMax(text, 60, 40, limits).value(), 40);
  EXPECT_EQ(AnswerTokensMax(text, 60, 3, limits).value(), 3);
  EXPECT_EQ(AnswerTokensMax(text, 99, std::nullopt, limits).value(), 1);
}

TEST(RequestChecksTest, TooLongIsRefusedWithTheNumbers) {
  const ContextLimits limits{/*model_tokens=*/100, /*kv_cache_tokens=*/1000};
  const Prompt chat = std::vector<ChatMessage>{{"user", "x"}};
  const Status sum = AnswerTokensMax(chat, 60, 41, limits).status();
  EXPECT_EQ(sum.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(sum.reason(), "context_length_exceeded");
  EXPECT_EQ(sum.param(), "messages");
  EXPECT_THAT(sum.message(), AllOf(HasSubstr("maximum context length is 100 tokens"),
                                   HasSubstr("101 tokens (60 in the messages, 41 in the")));
  const Status prompt = AnswerTokensMax(std::string("x"), 100, std::nullopt, limits).status();
  EXPECT_EQ(prompt.reason(), "context_length_exceeded");
  EXPECT_EQ(prompt.param(), "prompt");
  EXPECT_THAT(prompt.message(), HasSubstr("100 tokens"));
  // No overflow.
  EXPECT_FALSE(AnswerTokensMax(chat, 60, std::numeric_limits<int>::max(), limits).ok());
}

TEST(RequestChecksTest, TheKvCacheIsNamedWhereItIsTheBound) {
  const ContextLimits limits{/*model_tokens=*/1000, /*kv_cache_tokens=*/64};
  const Status status = AnswerTokensMax(std::string("x"), 70, std::nullopt, limits).status();
  EXPECT_EQ(status.reason(), "context_length_exceeded");
  EXPECT_THAT(status.message(), AllOf(HasSubstr("1000"), HasSubstr("64 (kv_cache_tokens)")));
  EXPECT_EQ(AnswerTokensMax(std::string("x"), 60, std::nullopt, limits).value(), 4);
}

TEST(RequestChecksTest, ProbesMayFillTheContext) {
  const ContextLimits limits{100, 1000};
  EXPECT_TRUE(CheckProbeFits(std::string("x"), 100, limits).ok());
  EXPECT_EQ(CheckProbeFits(std::string("x"), 101, limits).reason(), "context_length_exceeded");
}

TEST(RequestChecksTest, VendorFieldsThatChangeTheAnswerAreRefused) {
  EXPECT_TRUE(CheckVendorFields({{"user", R"("u")", ""}}).ok());
  const Status refused =
      CheckVendorFields({{"user", R"("u")", ""}, {"min_tokens", "4", "Leave it out."}});
  EXPECT_EQ(refused.param(), "min_tokens");
  EXPECT_EQ(refused.reason(), "unsupported_parameter");
  EXPECT_NE(refused.message().find("Leave it out."), std::string::npos);
}

}  // namespace
}  // namespace aio
