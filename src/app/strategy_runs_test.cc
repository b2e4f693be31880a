#include "app/strategy_runs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace aio {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;

Outcome Example() {
  Outcome outcome;
  outcome.text = "Hello";
  outcome.tokens = {1, 2, 3};
  outcome.logprobs = {{.token = 1, .bytes = "He", .logprob = -0.5f, .top = {}},
                      {.token = 2,
                       .bytes = "l",
                       .logprob = -0.25f,
                       .top = {{.token = 2, .bytes = "l", .logprob = -0.25f, .top = {}}}}};
  outcome.finish.usage.completion_tokens = 3;
  return outcome;
}

std::string WhereOf(const Outcome& actual) {
  const auto difference = FirstDifference(Example(), actual);
  return difference ? difference->where : "";
}

TEST(StrategyRunsTest, EveryNameIsAStrategyAndPlainIsFirst) {
  const auto named = [](const char* name) { return Field(&NamedStrategy::name, name); };
  EXPECT_THAT(AllStrategies(),
              ElementsAre(named("plain"), named("prompt_lookup"), named("prompt_lookup_paper"),
                          named("draft_model"), named("auto")));
}

TEST(StrategyRunsTest, SameAnswersDoNotDiffer) {
  Outcome other = Example();
  other.finish.timings.predicted_ms = 5;
  other.finish.speculation.draft_tokens = 7;
  other.finish.usage.cached_prompt_tokens = 3;
  EXPECT_EQ(WhereOf(other), "");
}

TEST(StrategyRunsTest, NamesThePlaceOfADifference) {
  Outcome other = Example();
  other.tokens[2] = 9;
  EXPECT_EQ(WhereOf(other), "token 2");
  const auto difference = FirstDifference(Example(), other);
  EXPECT_EQ(difference->expected, "3");
  EXPECT_EQ(difference->actual, "9");

  other = Example();
  other.tokens.pop_back();
  EXPECT_EQ(WhereOf(other), "token 2");
  EXPECT_EQ(FirstDifference(Example(), other)->actual, "none");

  other = Example();
  other.text = "Help";
  EXPECT_EQ(WhereOf(other), "text at byte 3");

  other = Example();
  other.finish.reason = FinishReason::kLength;
  EXPECT_EQ(WhereOf(other), "finish reason");

  other = Example();
  other.error = Unavailable("gone");
  EXPECT_EQ(WhereOf(other), "outcome");
  EXPECT_EQ(FirstDifference(Example(), other)->actual, "unavailable: gone");
}

TEST(StrategyRunsTest, OneBitOfAFloatIsADifference) {
  Outcome other = Example();
  other.logprobs[1].logprob = std::nextafter(-0.25f, 0.0f);
  EXPECT_EQ(WhereOf(other), "log-probability of token 1");
  other = Example();
  other.logprobs[1].top[0].logprob = std::nextafter(-0.25f, 0.0f);
  EXPECT_EQ(WhereOf(other), "log-probability of token 1, alternative 0");

  Outcome zero = Example();
  zero.logprobs[0].logprob = 0.0f;
  Outcome minus_zero = zero;
  minus_zero.logprobs[0].logprob = -0.0f;
  EXPECT_TRUE(FirstDifference(zero, minus_zero));
  Outcome nan = zero;
  nan.logprobs[0].logprob = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(FirstDifference(nan, nan));
}

TEST(StrategyRunsTest, ComparesLabelScores) {
  LabelScores scores;
  scores.logits = {1.0f, 2.0f};
  LabelScores other = scores;
  EXPECT_FALSE(FirstDifference(Result<LabelScores>(scores), Result<LabelScores>(other)));
  other.logits[1] = std::nextafter(2.0f, 3.0f);
  EXPECT_EQ(FirstDifference(Result<LabelScores>(scores), Result<LabelScores>(other))->where,
            "score of label 1");
  EXPECT_EQ(FirstDifference(Result<LabelScores>(scores), Result<LabelScores>(Internal("x")))->where,
            "probe");
}

TEST(StrategyRunsTest, OnlyARefusedDraftModelDoesNotApply) {
  Outcome refused;
  refused.error = InvalidArgument("no draft model");
  EXPECT_TRUE(IsWithoutDraftModel(DefaultStrategy(StrategyKind::kDraftModel), refused));
  EXPECT_FALSE(IsWithoutDraftModel(DefaultStrategy(StrategyKind::kAuto), refused));
  refused.error = Internal("broken");
  EXPECT_FALSE(IsWithoutDraftModel(DefaultStrategy(StrategyKind::kDraftModel), refused));
}

}  // namespace
}  // namespace aio
