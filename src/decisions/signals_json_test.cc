#include "decisions/signals_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "decisions/testing/signals.h"

namespace aio {
namespace {

using ::testing::HasSubstr;

TEST(SignalsJsonTest, EverySignalComesBackAsItWas) {
  const Signals signals = FullSignals();
  const std::string text = SignalsToJson(signals);
  const auto back = SignalsFromJson(text);
  ASSERT_TRUE(back.ok()) << back.status().ToString();
  EXPECT_EQ(*back, signals);
  EXPECT_EQ(SignalsToJson(*back), text);
  EXPECT_EQ(text.find('\n'), std::string::npos) << "one line";
}

TEST(SignalsJsonTest, WhatIsAbsentStaysAbsent) {
  const auto back = SignalsFromJson(SignalsToJson(Signals{}));
  ASSERT_TRUE(back.ok()) << back.status().ToString();
  EXPECT_EQ(*back, Signals{});
}

TEST(SignalsJsonTest, OwnWeightsAskedForAreNotNone) {
  Signals signals;
  signals.weights = "";
  const auto back = SignalsFromJson(SignalsToJson(signals));
  ASSERT_TRUE(back.ok()) << back.status().ToString();
  EXPECT_EQ(back->weights, "");
}

TEST(SignalsJsonTest, NumbersThatJsonHasNoWordFor) {
  Signals signals;
  signals.entropy_threshold = std::numeric_limits<double>::infinity();
  auto back = SignalsFromJson(SignalsToJson(signals));
  ASSERT_TRUE(back.ok()) << back.status().ToString();
  EXPECT_EQ(back->entropy_threshold, signals.entropy_threshold);
  signals.entropy_threshold = std::numeric_limits<double>::quiet_NaN();
  back = SignalsFromJson(SignalsToJson(signals));
  ASSERT_TRUE(back.ok() && back->entropy_threshold);
  EXPECT_TRUE(std::isnan(*back->entropy_threshold));
  signals.entropy_threshold = std::numeric_limits<double>::denorm_min();
  back = SignalsFromJson(SignalsToJson(signals));
  ASSERT_TRUE(back.ok()) << back.status().ToString();
  EXPECT_EQ(back->entropy_threshold, signals.entropy_threshold);
}

TEST(SignalsJsonTest, DecidesTheSameFromWhatCameBack) {
  const RoutingPolicy policy = RoutingPolicy::Paper();
  Signals signals = FullSignals();
  // One step of a double beyond the paper's bound: rounding would move the request.
  signals.entropy_threshold.reset();
  signals.intent->entropy = std::nextafter(0.45, 1.0);
  const auto back = SignalsFromJson(SignalsToJson(signals));
  ASSERT_TRUE(back.ok()) << back.status().ToString();
  EXPECT_EQ(policy.Decide(*back).reason, policy.Decide(signals).reason);
  EXPECT_EQ(policy.Decide(*back).role, policy.Decide(signals).role);
}

TEST(SignalsJsonTest, FaultsNameTheField) {
  const auto message = [](const char* text) { return SignalsFromJson(text).status().message(); };
  EXPECT_EQ(message("nonsense"), "signals: is not JSON");
  EXPECT_EQ(message("[]"), "signals: is not an object");
  EXPECT_EQ(message(R"({"prompt_tokens": "many"})"),
            "signals.prompt_tokens: is not a whole number");
  EXPECT_EQ(message(R"({"prompt_tokens": 3000000000})"),
            "signals.prompt_tokens: is not within its range");
  EXPECT_EQ(message(R"({"small": {"context": {"context_length": 1.5}}})"),
            "signals.small.context.context_length: is not a whole number");
  EXPECT_EQ(message(R"({"strategy": {"kind": "magic"}})"),
            "signals.strategy.kind: is not a strategy's kind");
  EXPECT_THAT(message(R"({"novelty": 1})"), HasSubstr("unknown field 'novelty'"));
  EXPECT_EQ(message(R"({"intent": {"labels": ["code", "qa"], "probabilities": [1]}})"),
            "signals.intent: 1 probabilities for 2 labels");
  EXPECT_THAT(message(R"({"intent": {"labels": ["code"], "probabilities": ["1"]}})"),
              HasSubstr("signals.intent.probabilities[0]"));
  EXPECT_FALSE(SignalsFromJson(std::string(100000, '[')).ok());
}

TEST(SignalsJsonTest, PromptsAreWrittenAsRequestsSayThem) {
  EXPECT_EQ(PromptToJson(std::vector<ChatMessage>{{"user", "Hi \"you\""}}),
            R"([{"role":"user","content":"Hi \"you\""}])");
  EXPECT_EQ(PromptToJson(std::string("raw")), R"("raw")");
  EXPECT_EQ(PromptToJson(std::vector<int32_t>{1, 2}), "[1,2]");
}

TEST(SignalsJsonTest, StrategiesComeBack) {
  const Strategy strategy = {.kind = StrategyKind::kPromptLookup,
                             .prompt_lookup_max = 9,
                             .prompt_lookup_min = 2,
                             .num_speculative_tokens = 5};
  const auto back = StrategyFromJson(StrategyToJson(strategy));
  ASSERT_TRUE(back.ok()) << back.status().ToString();
  EXPECT_EQ(*back, strategy);
}

}  // namespace
}  // namespace aio
