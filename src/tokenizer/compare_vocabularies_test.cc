#include "tokenizer/compare_vocabularies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "tokenizer/token_kind.h"
#include "tokenizer/tokenizer_testing.h"

namespace aio {
namespace {

using ::testing::HasSubstr;

// What is said of two vocabularies that begin with the 256 bytes.
std::string Difference(VocabularyBuilder first, VocabularyBuilder second) {
  const auto a = first.Load();
  const auto b = second.Load();
  if (!a.ok() || !b.ok()) return a.ok() ? b.status().ToString() : a.status().ToString();
  const Status status = CompareVocabularies(**a, **b);
  EXPECT_EQ(status.ok(), CompareVocabularies(**b, **a).ok());
  return status.message();
}

VocabularyBuilder With(std::string piece, TokenKind kind = TokenKind::kNormal) {
  VocabularyBuilder builder = VocabularyBuilder::Bpe();
  builder.Add(std::move(piece), kind);
  return builder;
}

TEST(CompareVocabulariesTest, TheFirstTokenOfAnotherText) {
  VocabularyBuilder first = With("one"), second = With("two");
  first.Add("three");
  second.Add("four");
  EXPECT_EQ(Difference(std::move(first), std::move(second)),
            "token 256 is \"one\" (normal) in the first and \"two\" (normal) in the second");
}

TEST(CompareVocabulariesTest, TheFirstTokenOfAnotherKind) {
  EXPECT_EQ(Difference(With("<x>"), With("<x>", TokenKind::kControl)),
            "token 256 is \"<x>\" (normal) in the first and \"<x>\" (control) in the second");
  EXPECT_EQ(Difference(With("<x>", TokenKind::kUserDefined), With("<x>", TokenKind::kUnused)),
            "token 256 is \"<x>\" (user-defined) in the first and \"<x>\" (unused) in the second");
}

TEST(CompareVocabulariesTest, Sizes) {
  EXPECT_EQ(Difference(VocabularyBuilder::Bpe(), With("more")),
            "token 256 is missing (256 tokens) in the first and \"more\" (normal) in the second");
}

TEST(CompareVocabulariesTest, TextOfAFileIsShownEscaped) {
  EXPECT_THAT(Difference(With("\x1b[31m"), With("a\"b", TokenKind::kControl)),
              HasSubstr(R"(token 256 is "\u{1b}[31m" (normal) in the first and)"));
}

TEST(CompareVocabulariesTest, SpecialTokensThatDifferAreNamedToo) {
  VocabularyBuilder first = With("<s>", TokenKind::kControl);
  VocabularyBuilder second = With("<bos>", TokenKind::kControl);
  first.writer->SetUint32("tokenizer.ggml.bos_token_id", 256);
  second.writer->SetUint32("tokenizer.ggml.bos_token_id", 256);
  second.writer->SetUint32("tokenizer.ggml.eos_token_id", 10);
  EXPECT_THAT(Difference(std::move(first), std::move(second)),
              HasSubstr("(control) in the second; the beginning of sequence differs too: 256 "
                        "\"<s>\" and 256 \"<bos>\"; the end of sequence differs too: none and 10"));
}

TEST(CompareVocabulariesTest, OtherFamilies) {
  EXPECT_THAT(Difference(VocabularyBuilder::Bpe(), VocabularyBuilder::Spm()),
              HasSubstr("token 0 is "));
}

TEST(CompareVocabulariesTest, EqualOnes) {
  EXPECT_EQ(Difference(VocabularyBuilder::Bpe(), VocabularyBuilder::Bpe()), "");
  EXPECT_EQ(Difference(VocabularyBuilder::Spm(), VocabularyBuilder::Spm()), "");
}

// A guess is checked by its id; these do not change what an id stands for.
TEST(CompareVocabulariesTest, PaddingMergesAndEndsDoNotCount) {
  VocabularyBuilder padded = With("xy");
  padded.Add("[PAD257]", TokenKind::kUnused);
  padded.Add("[PAD258]", TokenKind::kUnused);
  EXPECT_EQ(Difference(std::move(padded), With("xy")), "");
  EXPECT_EQ(Difference(With("<a>", TokenKind::kUnused), With("<b>", TokenKind::kUnused)), "");

  VocabularyBuilder merging = VocabularyBuilder::Bpe();
  merging.Merge("h", "e");
  EXPECT_EQ(Difference(std::move(merging), With("he")), "");

  VocabularyBuilder ending = With("xy");
  ending.writer->SetUint32("tokenizer.ggml.eos_token_id", 10);
  EXPECT_EQ(Difference(std::move(ending), With("xy")), "");
}

}  // namespace
}  // namespace aio
