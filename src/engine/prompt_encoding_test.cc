#include "engine/prompt_encoding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/testing/tiny_model.h"

namespace aio {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using Tokens = std::vector<int32_t>;
using Chat = std::vector<ChatMessage>;

const EmbeddedModel& Tiny() {
  static const EmbeddedModel model = MakeTinyModel("tiny", "small");
  return model;
}

std::string Decode(const Tokens& tokens) {
  return Tiny().tokenizer->Decode(tokens, /*with_special=*/true);
}

void ExpectRefused(const Status& status, const std::string& param, const std::string& message) {
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(status.param(), param);
  EXPECT_THAT(status.message(), HasSubstr(message));
}

TEST(PromptEncodingTest, FewestTokensIsABoundFromBelow) {
  EXPECT_EQ(FewestPromptTokens(Tiny(), std::string("short")).value(), 0);
  EXPECT_EQ(FewestPromptTokens(Tiny(), Tokens(100'000, 1)).value(), 0);
  ExpectRefused(FewestPromptTokens(Tiny(), Chat{}).status(), "messages", "no messages");
  std::string text;
  while (text.size() < 100'000) text += "the same words again and again ";
  for (const Prompt& prompt : {Prompt(text), Prompt(Chat{{"user", text}})}) {
    const int fewest = FewestPromptTokens(Tiny(), prompt).value();
    EXPECT_GT(fewest, 0);
    EXPECT_LE(fewest, static_cast<int>(EncodePrompt(Tiny(), prompt).value().size()));
  }
}

TEST(PromptEncodingTest, ConversationsGetTheTemplate) {
  const Tokens tokens = EncodePrompt(Tiny(), Chat{{"user", "Hi"}}).value();
  EXPECT_EQ(Decode(tokens), "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(tokens.front(), *Tiny().tokenizer->FindSpecial("<|im_start|>"));
}

TEST(PromptEncodingTest, SpecialTokensInContentArePlainText) {
  const int32_t end = *Tiny().tokenizer->FindSpecial("<|im_end|>");
  const Tokens tokens = EncodePrompt(Tiny(), Chat{{"user", "<|im_end|>"}}).value();
  EXPECT_EQ(std::count(tokens.begin(), tokens.end(), end), 1);
  const Tokens text = EncodePrompt(Tiny(), std::string("<|im_end|>")).value();
  EXPECT_EQ(std::count(text.begin(), text.end(), end), 0);
}

TEST(PromptEncodingTest, TokensAreTakenAsTheyAre) {
  EXPECT_EQ(EncodePrompt(Tiny(), Tokens{5, 1, 279}).value(), (Tokens{5, 1, 279}));
}

TEST(PromptEncodingTest, EmptyAndOutOfRangePromptsAreRefused) {
  ExpectRefused(EncodePrompt(Tiny(), Tokens{}).status(), "prompt", "empty");
  ExpectRefused(EncodePrompt(Tiny(), std::string()).status(), "prompt", "empty");
  ExpectRefused(EncodePrompt(Tiny(), Chat{}).status(), "messages", "no messages");
  ExpectRefused(EncodePrompt(Tiny(), Tokens{1, 280}).status(), "prompt",
                "token 1 of the prompt is 280; the model's tokens are 0 to 279");
  ExpectRefused(EncodePrompt(Tiny(), Tokens{-1}).status(), "prompt", "is -1");
  ExpectRefused(EncodeProbe(Tiny(), Tokens{280}, {}).status(), "prompt", "280");
}

TEST(PromptEncodingTest, AConversationNeedsATemplate) {
  EmbeddedModel bare = Tiny();
  bare.chat_template.reset();
  const Status status = EncodePrompt(bare, Chat{{"user", "Hi"}}).status();
  ExpectRefused(status, "messages", "model \"tiny\" has no chat template");
  EXPECT_THAT(status.message(), HasSubstr("chatml"));
  EXPECT_TRUE(EncodePrompt(bare, std::string("Hi")).ok());
}

TEST(PromptEncodingTest, TheProbeStandsBetweenPrefixAndSuffixWithoutGenerationPrompt) {
  const LabelQuery query{"<|im_start|>", "<|im_end|>?", {}};
  EXPECT_EQ(Decode(EncodeProbe(Tiny(), Chat{{"user", "Hi"}}, query).value()),
            "<|im_start|><|im_start|>user\nHi<|im_end|>\n<|im_end|>?");
  EXPECT_EQ(Decode(EncodeProbe(Tiny(), std::string("Hi"), query).value()),
            "<|im_start|>Hi<|im_end|>?");
  EXPECT_EQ(EncodeProbe(Tiny(), Tokens{1, 2}, query).value(), (Tokens{278, 1, 2, 279, '?'}));
  EXPECT_EQ(EncodeProbe(Tiny(), Tokens{1, 2}, {}).value(), (Tokens{1, 2}));
}

TEST(PromptEncodingTest, LabelsAreTheFirstTokensAfterTheSuffix) {
  const LabelQuery query{"", "assistant\n", {{"a", "code"}, {"b", "here"}, {"c", "math"}}};
  EXPECT_EQ(EncodeLabels(Tiny(), query).value(), (Tokens{'c', 256, 'm'}));  // 256: "he"
}

TEST(PromptEncodingTest, LabelsThatCannotBeToldApartAreNamed) {
  const Status status =
      EncodeLabels(Tiny(), {"", "\n", {{"one", "math"}, {"two", "x"}, {"three", "music"}}})
          .status();
  ExpectRefused(status, "labels", "\"one\" and \"three\"");
  EXPECT_THAT(status.message(), HasSubstr("token 109 (\"m\")"));
}

TEST(PromptEncodingTest, EmptyWordsAndNoLabelsAreRefused) {
  ExpectRefused(EncodeLabels(Tiny(), {"", "\n", {{"one", ""}}}).status(), "labels", "\"one\"");
  ExpectRefused(EncodeLabels(Tiny(), {"", "\n", {}}).status(), "labels", "no labels");
}

TEST(PromptEncodingTest, AWordThatMergesWithTheSuffixIsRefused) {
  // " t" and "the" would become one token.
  ExpectRefused(EncodeLabels(Tiny(), {"", "Answer: ", {{"one", "the"}}}).status(), "labels",
                "merges");
}

}  // namespace
}  // namespace aio
