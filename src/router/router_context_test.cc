// Router: prompts that do not fit one of the models, or neither.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "router/router_test_fixture.h"

namespace aio {
namespace {

using ::testing::HasSubstr;

TEST_P(RouterTest, ContextFitGoesBeforeThePolicy) {
  RouterFixture f(GetParam(), /*small_context=*/100, /*large_context=*/1000);
  Request request = Ask(Words("code", 60));
  request.sampling.max_tokens = 40;  // exactly fits
  EXPECT_EQ(f.DecisionFor(request).model, kSmall);
  request.sampling.max_tokens = 41;
  const Decision decision = f.DecisionFor(request);
  EXPECT_EQ(decision.model, kLarge);
  EXPECT_EQ(decision.rule, "code-small");
  EXPECT_EQ(decision.reason,
            "60 + 41 tokens > small context 100: large model answers (rule code-small, context "
            "fit)");
  EXPECT_FALSE(f.large.generations().back().had_held_prompt);
  EXPECT_EQ(f.small.held_prompts(), 0);
}

TEST_P(RouterTest, ContextFitAlsoTheOtherWayRound) {
  RouterFixture f(GetParam(), /*small_context=*/1000, /*large_context=*/100);
  const Decision decision = f.DecisionFor(Ask(Words("qa", 100)));
  EXPECT_EQ(decision.model, kSmall);
  EXPECT_EQ(decision.strategy, PromptLookup());
  EXPECT_EQ(decision.reason,
            "100 + 1 tokens > large context 100: small model answers with prompt_lookup (rule "
            "knowledge, context fit)");
  EXPECT_TRUE(f.small.generations().back().had_held_prompt);
}

TEST_P(RouterTest, WhatFitsNowhereIsRefusedBeforeTheProbe) {
  RouterFixture f(GetParam(), /*small_context=*/100, /*large_context=*/200);
  Request request = Ask(Words("code", 190));
  request.sampling.max_tokens = 20;
  Status status = f.RunToRefusal(request);
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(status.reason(), "context_length_exceeded");
  EXPECT_EQ(status.param(), "prompt");
  EXPECT_EQ(status.message(),
            "the prompt's 190 tokens and 20 for the answer are 210, more than the largest context, "
            "200 tokens; shorten the prompt or lower max_tokens");
  EXPECT_EQ(f.router->Decide(request, nullptr).reason(), "context_length_exceeded");
  request.prompt = std::vector<ChatMessage>{{"user", Words("code", 200)}};
  request.sampling.max_tokens.reset();
  status = f.RunToRefusal(request);
  EXPECT_EQ(status.param(), "messages");
  EXPECT_THAT(status.message(), HasSubstr("shorten the prompt"));
  request.sampling.max_tokens = std::numeric_limits<int>::max();
  EXPECT_EQ(f.RunToRefusal(request).reason(), "context_length_exceeded");
  EXPECT_TRUE(f.small.probes().empty());
}

TEST_P(RouterTest, EachModelCountsForItself) {
  RouterFixture f(GetParam(), /*small_context=*/100, /*large_context=*/100);
  f.large.Update(kLarge, [](FakeModel& m) {
    m.count_tokens = [](const Prompt& prompt) { return 2 * FakeTokenCount(prompt); };
  });
  const Decision decision = f.DecisionFor(Ask(Words("qa", 60)));
  EXPECT_EQ(decision.model, kSmall);
  EXPECT_THAT(decision.reason, HasSubstr("120 + 1 tokens > large context 100"));
  // Far from the limit nobody counts twice.
  const int before = f.large.count_calls();
  EXPECT_EQ(f.DecisionFor(Ask(Words("qa", 20))).model, kLarge);
  EXPECT_EQ(f.large.count_calls(), before);
}

TEST_P(RouterTest, AContextNotKnownIsLargeEnough) {
  RouterFixture f(GetParam(), /*small_context=*/0, /*large_context=*/0);
  Request request = Ask(Words("code", 2000));
  request.sampling.max_tokens = 1000000;
  EXPECT_EQ(f.DecisionFor(request).model, kSmall);
  EXPECT_EQ(f.router->Models()[0].context_length, 0);
}

TEST_P(RouterTest, APromptTooLongForTheProbesTemplateIsUnprobed) {
  // "code" and 99 more fit the context of 101 with one token to answer; three more words of
  // template do not.
  RouterFixture f(GetParam(), /*small_context=*/101, /*large_context=*/1000);
  const Decision decision = f.DecisionFor(Ask(Words("code", 100)));
  EXPECT_FALSE(decision.probed);
  EXPECT_EQ(decision.model, kLarge);
  EXPECT_EQ(decision.reason,
            "not probed, too long with the probe's template: large model answers "
            "(rule otherwise)");
  // The same if it comes out later.
  f.small.Update(kSmall, [](FakeModel& m) {
    m.probe_fault = InvalidArgument("too long").WithReason("context_length_exceeded");
  });
  EXPECT_EQ(f.DecisionFor(Ask("code x")).rule, "otherwise");
}

// --- counts that are guesses -------------------------------------------------------------

class GuessedContextTest : public ::testing::Test, public RouterFixture {
 protected:
  GuessedContextTest() : RouterFixture(FakeBackend::Delivery::kImmediate, 100, 200) {
    // Twice too many.
    large.Update(kLarge, [](FakeModel& m) {
      m.info.counts_exactly = false;
      m.count_tokens = [](const Prompt& prompt) { return 2 * FakeTokenCount(prompt); };
    });
    auto made = Router::Create(Options(), clock);
    EXPECT_TRUE(made.ok());
    router = *std::move(made);
    // The fake would refuse by its own guess.
    large.Update(kLarge, [](FakeModel& m) { m.info.context_length = 0; });
  }
};

TEST_F(GuessedContextTest, AGuessRefusesNothing) {
  const Decision decision = DecisionFor(Ask(Words("qa", 150)));  // guessed to be 300
  EXPECT_EQ(decision.model, kLarge) << "the engine has the last word";
}

TEST_F(GuessedContextTest, WhatItMustHaveAtLeastDoes) {
  const Status status = RunToRefusal(Ask(Words("qa", 1200)));  // 2,400 bytes
  EXPECT_EQ(status.reason(), "context_length_exceeded");
  EXPECT_THAT(status.message(), HasSubstr("the prompt's at least 240 tokens"));
}

}  // namespace
}  // namespace aio
