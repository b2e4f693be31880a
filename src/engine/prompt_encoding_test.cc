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

// --- the probe's window ----------------------------------------------------------------

LabelQuery Windowed(int window_tokens) {
  return {.prefix = "<|im_start|>",
          .suffix = "<|im_end|>?",
          .labels = {},
          .window_tokens = window_tokens};
}

Tokens Range(int count) {
  Tokens tokens;
  for (int i = 0; i < count; ++i) tokens.push_back(i);
  return tokens;
}

TEST(PromptEncodingTest, AProbeOfAsManyTokensAsTheWindowIsUntouched) {
  for (const int count : {1, 63, 64}) {
    EXPECT_EQ(EncodeProbe(Tiny(), Range(count), Windowed(64)).value(),
              EncodeProbe(Tiny(), Range(count), Windowed(0)).value())
        << count;
  }
  EXPECT_EQ(EncodeProbe(Tiny(), Range(200), Windowed(0)).value().size(), 203u) << "0: all";
}

TEST(PromptEncodingTest, OneTokenMoreThanTheWindowLosesItsMiddleOne) {
  Tokens expected = Range(65);
  expected.erase(expected.begin() + 32);
  expected.insert(expected.begin(), 278);
  expected.insert(expected.end(), {279, '?'});
  EXPECT_EQ(EncodeProbe(Tiny(), Range(65), Windowed(64)).value(), expected);
}

TEST(PromptEncodingTest, AWindowOfAnOddNumberOfTokens) {
  const Tokens tokens = EncodeProbe(Tiny(), Range(200), Windowed(65)).value();
  ASSERT_EQ(tokens.size(), 3u + 65);
  EXPECT_EQ(tokens[1 + 32], 32);
  EXPECT_EQ(tokens[1 + 33], 200 - 32);
}

TEST(PromptEncodingTest, TheWindowKeepsBeginningAndEndOfAConversation) {
  std::string middle;
  for (int i = 0; i < 100; ++i) middle += "lorem ipsum ";
  const Prompt chat = Chat{{"user", "First this. " + middle + "At last that."}};
  const Tokens whole = EncodeProbe(Tiny(), chat, Windowed(0)).value();
  for (const int window : {64, 101, 512}) {
    const Tokens tokens = EncodeProbe(Tiny(), chat, Windowed(window)).value();
    EXPECT_EQ(tokens.size(), static_cast<size_t>(window) + 3)
        << "prefix and suffix are not counted";
    const std::string text = Decode(tokens);
    EXPECT_THAT(text, testing::StartsWith("<|im_start|><|im_start|>user\nFirst this. "));
    EXPECT_THAT(text, testing::EndsWith("At last that.<|im_end|>\n<|im_end|>?"));
  }
  const int all = static_cast<int>(whole.size()) - 3;
  EXPECT_EQ(EncodeProbe(Tiny(), chat, Windowed(all)).value(), whole);
  EXPECT_EQ(EncodeProbe(Tiny(), chat, Windowed(all - 1)).value().size(), whole.size() - 1);
}

// Where text and suffix share a token there is no clean cut; the suffix is whole all the same.
TEST(PromptEncodingTest, ASuffixThatMergesWithTheTextStaysWhole) {
  LabelQuery query = Windowed(64);
  query.suffix = "here is what?";
  const std::string text(200, 't');  // "t" and "he" make "the"
  const Tokens tokens = EncodeProbe(Tiny(), text, query).value();
  EXPECT_THAT(Decode(tokens), testing::EndsWith("tthere is what?"));
  EXPECT_LT(tokens.size(), 100u);
  query.prefix = query.suffix = std::string(200, 't');  // like the text between them
  EXPECT_EQ(Decode(EncodeProbe(Tiny(), std::string("t"), query).value()), std::string(401, 't'));
}

// --- labels ----------------------------------------------------------------------------

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
