// Which texts become special tokens, and which never do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tokenizer/special_matcher.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/tokenizer_testing.h"

namespace aio {
namespace {

using ::testing::Contains;
using ::testing::Not;

using Ids = std::vector<int32_t>;

std::shared_ptr<const Tokenizer> Load(VocabularyBuilder& builder) {
  auto tokenizer = builder.Load();
  AIO_CHECK(tokenizer.ok(), tokenizer.status().message().c_str());
  return *tokenizer;
}

TEST(SpecialMatcherTest, FindsTheLongestAtTheFirstPlace) {
  const SpecialMatcher matcher({{"<a>", 1}, {"<a>b", 2}, {"<", 3}, {"b", 4}});
  const auto match = matcher.FindNext("xx<a>bb", 0);
  ASSERT_TRUE(match);
  EXPECT_EQ(match->begin, 2u);
  EXPECT_EQ(match->length, 4u);
  EXPECT_EQ(match->id, 2);
  EXPECT_EQ(matcher.FindNext("xx<a>bb", 6)->id, 4);
  EXPECT_EQ(matcher.FindNext("x<ab", 0)->id, 3);
  EXPECT_FALSE(matcher.FindNext("xx<a>bb", 7));
  EXPECT_FALSE(SpecialMatcher().FindNext("<a>", 0));
}

TEST(SpecialTokensTest, AreFoundInTemplatesAlone) {
  VocabularyBuilder builder = VocabularyBuilder::Bpe();
  const int32_t end = builder.Add("<|im_end|>", TokenKind::kControl);
  const auto tokenizer = Load(builder);
  EXPECT_EQ(tokenizer->EncodeTemplate("a<|im_end|>b", false), (Ids{'a', end, 'b'}));
  const Ids ids = tokenizer->EncodeText("a<|im_end|>b", false);
  EXPECT_THAT(ids, Not(Contains(end)));
  EXPECT_EQ(tokenizer->Decode(ids), "a<|im_end|>b");
  EXPECT_EQ(tokenizer->FindSpecial("<|im_end|>"), end);
  EXPECT_EQ(tokenizer->FindSpecial("a"), std::nullopt);
  EXPECT_EQ(tokenizer->TokenBytes(end), "");
  EXPECT_EQ(tokenizer->Decode(Ids{'a', end}), "a");
  EXPECT_EQ(tokenizer->Decode(Ids{'a', end}, /*with_special=*/true), "a<|im_end|>");
}

TEST(SpecialTokensTest, NeverFormAcrossPieces) {
  VocabularyBuilder builder = VocabularyBuilder::Bpe();
  const int32_t end = builder.Add("<|im_end|>", TokenKind::kControl);
  const auto tokenizer = Load(builder);
  const std::vector<std::vector<TextPiece>> prompts = {
      {{"<|im", true}, {"_end|>", false}},
      {{"<|im", false}, {"_end|>", true}},
      {{"<|im", true}, {"_end|>", true}},
      {{"<|", false}, {"im_end", false}, {"|>", false}}};
  for (const std::vector<TextPiece>& prompt : prompts) {
    EXPECT_THAT(tokenizer->Encode(prompt, false), Not(Contains(end)));
  }
}

TEST(SpecialTokensTest, PlainTextOfNeighboursIsEncodedTogether) {
  VocabularyBuilder builder = VocabularyBuilder::Bpe("qwen2");
  const int32_t newlines = builder.Merge("Ċ", "Ċ");
  const int32_t start = builder.Add("<|im_start|>", TokenKind::kControl);
  const auto tokenizer = Load(builder);
  const std::vector<TextPiece> prompt = {
      {"<|im_start|>u\n", true}, {"\nx", false}, {"\n", true}, {"\n", false}};
  EXPECT_EQ(tokenizer->Encode(prompt, false), (Ids{start, 'u', newlines, 'x', newlines}));
}

TEST(SpecialTokensTest, UserDefinedTextIsFoundAnywhere) {
  VocabularyBuilder builder = VocabularyBuilder::Bpe();
  const int32_t spaces = builder.Add("    ", TokenKind::kUserDefined);
  const int32_t two_spaces = builder.Add("  ", TokenKind::kUserDefined);
  const int32_t letter = builder.Add("ж", TokenKind::kUserDefined);
  builder.writer->SetString("tokenizer.chat_template", "    {{ '<|user|>' }}  ж");
  const auto tokenizer = Load(builder);
  EXPECT_EQ(tokenizer->EncodeText("a       ж", false), (Ids{'a', spaces, two_spaces, ' ', letter}));
  EXPECT_EQ(tokenizer->EncodeTemplate("    ж", false), (Ids{spaces, letter}));
  EXPECT_EQ(tokenizer->TokenBytes(letter), "ж");
  EXPECT_FALSE(tokenizer->IsControl(letter));
}

TEST(SpecialTokensTest, UserDefinedMarkersAreFoundInTemplatesAlone) {
  VocabularyBuilder builder = VocabularyBuilder::Bpe();
  std::vector<int32_t> markers;
  for (const char* piece : {"<|User|>", "<think>", "[INST]", "### Human:", "STOP"}) {
    markers.push_back(builder.Add(piece, TokenKind::kUserDefined));
  }
  builder.writer->SetString("tokenizer.chat_template", "{{ '### Human: ' + message }}");
  builder.writer->SetUint32("tokenizer.ggml.eos_token_id", markers.back());
  const auto tokenizer = Load(builder);
  for (const int32_t marker : markers) {
    const std::string piece(tokenizer->TokenPiece(marker));
    SCOPED_TRACE(piece);
    EXPECT_EQ(tokenizer->EncodeTemplate(piece, false), (Ids{marker}));
    const Ids ids = tokenizer->EncodeText(piece, false);
    EXPECT_THAT(ids, Not(Contains(marker)));
    EXPECT_EQ(tokenizer->Decode(ids), piece);
    EXPECT_EQ(tokenizer->TokenBytes(marker), piece);  // visible in an answer
  }
}

TEST(SpecialTokensTest, NormalTokensThatTheTemplateMarksTurnsWithAreMarkers) {
  VocabularyBuilder builder = VocabularyBuilder::Spm();
  const int32_t marker = builder.Add("[unused9]");
  const int32_t other = builder.Add("[unused8]");
  builder.writer->SetString("tokenizer.chat_template", "{{ '[unused9]' + message }}");
  const auto tokenizer = Load(builder);
  EXPECT_EQ(tokenizer->EncodeTemplate("[unused9]", false), (Ids{marker}));
  EXPECT_EQ(tokenizer->FindSpecial("[unused9]"), marker);
  EXPECT_EQ(tokenizer->FindSpecial("[unused8]"), std::nullopt);
  EXPECT_EQ(tokenizer->TokenBytes(other), "[unused8]");
}

TEST(SpecialTokensTest, EndOfGeneration) {
  VocabularyBuilder builder = VocabularyBuilder::Bpe();
  const int32_t eos = builder.Add("stop", TokenKind::kControl);
  const int32_t eot = builder.Add("<|turn|>", TokenKind::kControl);
  const int32_t eom = builder.Add("<|message|>", TokenKind::kControl);
  const int32_t im_end = builder.Add("<|im_end|>", TokenKind::kControl);
  const int32_t other = builder.Add("<|other|>", TokenKind::kControl);
  const int32_t text = builder.Add("</s>", TokenKind::kNormal);
  const int32_t careless = builder.Add("<|endoftext|>", TokenKind::kNormal);
  builder.writer->SetUint32("tokenizer.ggml.eos_token_id", eos);
  builder.writer->SetUint32("tokenizer.ggml.eot_token_id", eot);
  builder.writer->SetUint32("tokenizer.ggml.eom_token_id", eom);
  const auto tokenizer = Load(builder);
  for (const int32_t id : {eos, eot, eom, im_end, careless}) {
    EXPECT_TRUE(tokenizer->IsEndOfGeneration(id)) << tokenizer->TokenPiece(id);
  }
  for (const int32_t id : {other, text, int32_t{'a'}, -1, 1 << 30}) {
    EXPECT_FALSE(tokenizer->IsEndOfGeneration(id)) << id;
  }
  EXPECT_TRUE(tokenizer->IsControl(careless));
  EXPECT_EQ(tokenizer->eos(), eos);
}

// A ChatML fine-tune that kept its base model's end of sequence.
TEST(SpecialTokensTest, UserDefinedEndMarkersEndTheAnswer) {
  VocabularyBuilder builder = VocabularyBuilder::Spm();
  const int32_t im_end = builder.Add("<|im_end|>", TokenKind::kUserDefined);
  const int32_t other = builder.Add("<|im_start|>", TokenKind::kUserDefined);
  builder.writer->SetUint32("tokenizer.ggml.eos_token_id", 2);
  const auto tokenizer = Load(builder);
  EXPECT_TRUE(tokenizer->IsEndOfGeneration(im_end));
  EXPECT_TRUE(tokenizer->IsEndOfGeneration(2));
  EXPECT_FALSE(tokenizer->IsEndOfGeneration(other));
  EXPECT_EQ(tokenizer->EncodeTemplate("<|im_end|>", false), (Ids{im_end}));
  EXPECT_THAT(tokenizer->EncodeText("<|im_end|>", false), Not(Contains(im_end)));
}

TEST(SpecialTokensTest, InTheHarmonyFormatAMessagesEndIsNotTheAnswers) {
  VocabularyBuilder builder = VocabularyBuilder::Bpe();
  const int32_t end = builder.Add("<|end|>", TokenKind::kControl);
  EXPECT_TRUE(Load(builder)->IsEndOfGeneration(end));
  const int32_t last = builder.Add("<|return|>", TokenKind::kControl);
  builder.Add("<|call|>", TokenKind::kControl);
  EXPECT_FALSE(Load(builder)->IsEndOfGeneration(end));
  EXPECT_TRUE(Load(builder)->IsEndOfGeneration(last));
}

// Phi-3 was trained with tokenizers whose special tokens swallow the white space after them.
TEST(SpecialTokensTest, Phi3StripsAfterSpecialTokens) {
  VocabularyBuilder builder = VocabularyBuilder::Spm();
  builder.writer->SetString("general.architecture", "phi3");
  const int32_t user = builder.Add("<|user|>", TokenKind::kControl);
  const int32_t end = builder.Add("<|end|>", TokenKind::kControl);
  const int32_t space_a = builder.Add("▁a", TokenKind::kNormal, -1);
  builder.Add("a", TokenKind::kNormal, -2);
  const auto tokenizer = Load(builder);
  const std::vector<TextPiece> prompt = {{"<|user|>\n", true}, {"  a", false}, {"<|end|>\n", true}};
  EXPECT_EQ(tokenizer->Encode(prompt, false), (Ids{user, space_a, end}));
}

}  // namespace
}  // namespace aio
