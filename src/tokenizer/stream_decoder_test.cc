#include "tokenizer/stream_decoder.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "base/utf8.h"
#include "tokenizer/tokenizer_testing.h"

namespace aio {
namespace {

std::shared_ptr<const Tokenizer> Bytes() {
  VocabularyBuilder builder = VocabularyBuilder::Bpe();
  builder.Add("<|im_end|>", TokenKind::kControl);
  return *builder.Load();
}

TEST(StreamDecoderTest, HoldsBackUnfinishedCharacters) {
  const auto tokenizer = Bytes();
  StreamDecoder decoder(*tokenizer);
  EXPECT_EQ(decoder.Push('a'), "a");
  EXPECT_EQ(decoder.Push(0xF0), "");
  EXPECT_EQ(decoder.Push(0x9F), "");
  EXPECT_EQ(decoder.Push(0xA6), "");
  EXPECT_EQ(decoder.Push(0x99), "🦙");
  EXPECT_EQ(decoder.Flush(), "");
}

TEST(StreamDecoderTest, ReplacesWhatCannotBecomeACharacter) {
  const auto tokenizer = Bytes();
  StreamDecoder decoder(*tokenizer);
  EXPECT_EQ(decoder.Push(0xFF), "\uFFFD");
  EXPECT_EQ(decoder.Push(0xE4), "");
  EXPECT_EQ(decoder.Push('b'),
            "\uFFFD"
            "b");
  EXPECT_EQ(decoder.Push(0xE4), "");
  EXPECT_EQ(decoder.Push(0xE4), "\uFFFD");
  EXPECT_EQ(decoder.Flush(), "\uFFFD");
  EXPECT_EQ(decoder.Flush(), "");
}

TEST(StreamDecoderTest, LeavesOutControlTokens) {
  const auto tokenizer = Bytes();
  StreamDecoder decoder(*tokenizer);
  EXPECT_EQ(decoder.Push(0xC3), "");
  EXPECT_EQ(decoder.Push(256), "");
  EXPECT_EQ(decoder.Push(0xA9), "é");
  EXPECT_EQ(decoder.Push(-1), "");
}

TEST(StreamDecoderTest, GivesTheSameTextAsAllAtOnce) {
  const auto tokenizer = Bytes();
  std::mt19937 random(2);
  for (int round = 0; round < 500; ++round) {
    StreamDecoder decoder(*tokenizer);
    std::string bytes, text;
    for (size_t n = random() % 30; n > 0; --n) {
      const auto byte = static_cast<uint8_t>("aé我🦙\xFF\xE4\xF0"[random() % 13]);
      bytes += static_cast<char>(byte);
      const std::string next = decoder.Push(byte);
      EXPECT_TRUE(IsValidUtf8(next));
      text += next;
    }
    EXPECT_EQ(text + decoder.Flush(), ReplaceInvalidUtf8(bytes));
  }
}

TEST(StreamDecoderTest, DropsTheSpaceBeforeTheFirstWord) {
  VocabularyBuilder builder = VocabularyBuilder::Spm();
  const int32_t hi = builder.Add("▁hi");
  const int32_t spaces = builder.Add("▁▁");
  const auto tokenizer = *builder.Load();

  StreamDecoder answer(*tokenizer);
  EXPECT_EQ(answer.Push(1), "");  // <s> is not text
  EXPECT_EQ(answer.Push(hi), "hi");
  EXPECT_EQ(answer.Push(hi), " hi");

  StreamDecoder indented(*tokenizer);
  EXPECT_EQ(indented.Push(spaces), " ");
  EXPECT_EQ(indented.Push(hi), " hi");

  StreamDecoder continued(*tokenizer, /*continues_text=*/true);
  EXPECT_EQ(continued.Push(hi), " hi");

  StreamDecoder newline(*tokenizer);
  EXPECT_EQ(newline.Push(3 + '\n'), "\n");
  EXPECT_EQ(newline.Push(hi), " hi");
}

TEST(StreamDecoderTest, ByteLevelAnswersKeepTheirSpaces) {
  const auto tokenizer = Bytes();
  StreamDecoder decoder(*tokenizer);
  EXPECT_EQ(decoder.Push(' '), " ");
}

}  // namespace
}  // namespace aio
