#include "app/random_requests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/utf8.h"

namespace aio {
namespace {

using ::testing::HasSubstr;

const PromptSources kSources{.vocabulary_size = 500, .chats = true, .prompts = {}};

Request Make(uint64_t seed, int index, const PromptSources& sources = kSources) {
  RandomChoices random(seed, /*stream=*/0, index);
  return RandomRequest(sources, random);
}

TEST(RandomRequestsTest, AreAFunctionOfSeedAndIndex) {
  EXPECT_EQ(DescribeRequest(Make(1, 7)), DescribeRequest(Make(1, 7)));
  EXPECT_EQ(Make(1, 7).prompt, Make(1, 7).prompt);
  EXPECT_NE(Make(1, 7).sampling.seed, Make(1, 8).sampling.seed);
  EXPECT_NE(Make(1, 7).sampling.seed, Make(2, 7).sampling.seed);
  // A request that someone reports must be the same elsewhere, and later.
  EXPECT_EQ(RandomChoices(1, 2, 3).Next(), 16362493885974328174u);
}

TEST(RandomRequestsTest, AreOfEveryKind) {
  std::set<size_t> kinds;
  std::set<float> temperatures;
  std::set<AnswerFormatKind> formats;
  int biased = 0, limited = 0, with_logprobs = 0;
  for (int i = 0; i < 500; ++i) {
    const Request request = Make(3, i);
    kinds.insert(request.prompt.index());
    temperatures.insert(request.sampling.temperature);
    formats.insert(request.format.kind);
    biased += !request.sampling.logit_bias.empty();
    limited += *request.sampling.max_tokens < 4;
    with_logprobs += request.sampling.top_logprobs >= 0;
    EXPECT_GE(*request.sampling.max_tokens, 1);
    if (const auto* tokens = std::get_if<std::vector<int32_t>>(&request.prompt)) {
      ASSERT_FALSE(tokens->empty());
      EXPECT_LT(*std::max_element(tokens->begin(), tokens->end()), 500);
    } else if (const auto* text = std::get_if<std::string>(&request.prompt)) {
      EXPECT_FALSE(text->empty());
      EXPECT_TRUE(IsValidUtf8(*text));
    }
  }
  EXPECT_EQ(kinds.size(), 3u);
  EXPECT_GT(temperatures.size(), 4u);
  EXPECT_EQ(formats.size(), 6u);
  EXPECT_GT(biased, 50);
  EXPECT_GT(limited, 50);
  EXPECT_GT(with_logprobs, 100);
}

TEST(RandomRequestsTest, WithoutChatTemplateThereAreNoConversations) {
  const PromptSources sources{
      .vocabulary_size = 9, .chats = false, .prompts = {{{"user", "a question"}}}};
  int given = 0;
  for (int i = 0; i < 100; ++i) {
    const Prompt prompt = Make(4, i, sources).prompt;
    EXPECT_FALSE(std::holds_alternative<std::vector<ChatMessage>>(prompt));
    given += prompt == Prompt("a question");
  }
  EXPECT_GT(given, 20);
}

TEST(RandomRequestsTest, LongGivenPromptsAreCutBetweenCharacters) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "é…";
  const PromptSources sources{.vocabulary_size = 9, .chats = true, .prompts = {{{"user", text}}}};
  for (int i = 0; i < 50; ++i) {
    const Prompt prompt = Make(5, i, sources).prompt;
    if (const auto* cut = std::get_if<std::string>(&prompt)) {
      EXPECT_LE(cut->size(), 1200u);
      EXPECT_TRUE(IsValidUtf8(*cut));
    }
  }
}

TEST(RandomRequestsTest, ParametersStayInTheirLimits) {
  RandomChoices random(1, 0, 0);
  for (int i = 0; i < 200; ++i) {
    const Strategy strategy =
        RandomParameters(DefaultStrategy(StrategyKind::kPromptLookup), random);
    EXPECT_EQ(strategy.kind, StrategyKind::kPromptLookup);
    EXPECT_GE(strategy.prompt_lookup_min, 1);
    EXPECT_LE(strategy.prompt_lookup_min, strategy.prompt_lookup_max);
    EXPECT_LE(strategy.prompt_lookup_max, kPromptLookupMax);
    EXPECT_GE(strategy.num_speculative_tokens, 1);
    EXPECT_LE(strategy.num_speculative_tokens, kSpeculativeTokensMax);
  }
  EXPECT_EQ(RandomParameters(Strategy(), random), Strategy());
}

TEST(RandomRequestsTest, StopsOccurInTheText) {
  RandomChoices random(1, 0, 0);
  const std::string text = "naïve 猫🙂";
  for (int i = 0; i < 50; ++i) {
    const std::string stop = RandomStop(text, random);
    EXPECT_THAT(text, HasSubstr(stop));
    EXPECT_FALSE(stop.empty());
    EXPECT_TRUE(IsValidUtf8(stop));
  }
  EXPECT_EQ(RandomStop("", random), "");
}

TEST(RandomRequestsTest, ShortensEveryKindOfPrompt) {
  Prompt tokens = std::vector<int32_t>(100, 1);
  ShortenPrompt(tokens);
  EXPECT_EQ(std::get<std::vector<int32_t>>(tokens).size(), 51u);
  Prompt text = std::string("ééé");
  ShortenPrompt(text);
  EXPECT_EQ(std::get<std::string>(text), "éé");
  Prompt chat = std::vector<ChatMessage>{{"user", "a"}, {"assistant", "b"}, {"user", "cdef"}};
  ShortenPrompt(chat);
  EXPECT_EQ(chat, Prompt(std::vector<ChatMessage>{{"user", "cd"}}));
}

}  // namespace
}  // namespace aio
