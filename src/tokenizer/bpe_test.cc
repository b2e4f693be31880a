// Byte-level BPE through the public interface.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tokenizer/tokenizer.h"
#include "tokenizer/tokenizer_testing.h"

namespace aio {
namespace {

using Ids = std::vector<int32_t>;

std::shared_ptr<const Tokenizer> Load(VocabularyBuilder& builder) {
  auto tokenizer = builder.Load();
  AIO_CHECK(tokenizer.ok(), tokenizer.status().message().c_str());
  return *tokenizer;
}

TEST(BpeTest, MergesInTheOrderOfTheList) {
  VocabularyBuilder builder = VocabularyBuilder::Bpe();
  const int32_t bc = builder.Merge("b", "c");
  const int32_t ab = builder.Merge("a", "b");
  const int32_t abc = builder.Merge("ab", "c");
  const auto tokenizer = Load(builder);
  // b c comes first, so "abc" never becomes one token; "ab" does.
  EXPECT_EQ(tokenizer->EncodeText("abc", false), (Ids{'a', bc}));
  EXPECT_EQ(tokenizer->EncodeText("ab", false), (Ids{ab}));
  EXPECT_EQ(tokenizer->TokenBytes(abc), "abc");
  EXPECT_EQ(tokenizer->kind(), "bpe (gpt-2)");
}

TEST(BpeTest, Llama3TakesAWordThatIsATokenWhole) {
  VocabularyBuilder builder = VocabularyBuilder::Bpe("llama-bpe");
  builder.Merge("b", "c");
  builder.Merge("a", "b");
  const int32_t abc = builder.Merge("ab", "c");
  EXPECT_EQ(Load(builder)->EncodeText("abc", false), (Ids{abc}));
}

TEST(BpeTest, SpacesBelongToWords) {
  VocabularyBuilder builder = VocabularyBuilder::Bpe();
  const int32_t hi = builder.Merge("h", "i");
  const int32_t space_hi = builder.Merge("Ġ", "hi");
  const auto tokenizer = Load(builder);
  EXPECT_EQ(tokenizer->EncodeText("hi hi  hi", false), (Ids{hi, space_hi, ' ', space_hi}));
  EXPECT_EQ(tokenizer->TokenBytes(space_hi), " hi");
  EXPECT_EQ(tokenizer->TokenPiece(space_hi), "Ġhi");
  EXPECT_FALSE(tokenizer->adds_space_prefix());
}

TEST(BpeTest, AnyBytesComeBack) {
  VocabularyBuilder builder = VocabularyBuilder::Bpe();
  builder.Merge("Ã", "¶");  // ö
  builder.Merge("a", "a");
  const auto tokenizer = Load(builder);
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    std::string text(random() % 60, '\0');
    for (char& c : text) c = static_cast<char>(random() % 3 == 0 ? random() % 256 : 'a');
    EXPECT_EQ(tokenizer->Decode(tokenizer->EncodeText(text, false)), text);
  }
}

TEST(BpeTest, LongWordsTakeNearLinearTime) {
  VocabularyBuilder builder = VocabularyBuilder::Bpe();
  std::string run = "a";
  for (int i = 0; i < 8; ++i) {
    builder.Merge(run, run);
    run += run;
  }
  const auto tokenizer = Load(builder);
  for (const char c : {'a', 'z', ' ', '\n', '7', '\x80'}) {
    const std::string text(1 << 20, c);
    const Ids ids = tokenizer->EncodeText(text, false);
    EXPECT_EQ(ids.size(), c == 'a' ? text.size() / 256 : text.size());
    EXPECT_EQ(tokenizer->Decode(ids), text);
  }
}

TEST(BpeTest, MergesNeverMakeControlTokens) {
  for (const char* pre : {"gpt-2", "llama-bpe"}) {
    VocabularyBuilder builder = VocabularyBuilder::Bpe(pre);
    builder.Merge("<", "s");
    builder.Merge("<s", ">");
    builder.kinds.back() = static_cast<int32_t>(TokenKind::kControl);
    const int32_t control = static_cast<int32_t>(builder.tokens.size()) - 1;
    const auto tokenizer = Load(builder);
    ASSERT_TRUE(tokenizer->IsControl(control));
    const Ids ids = tokenizer->EncodeText("<s>", false);
    EXPECT_THAT(ids, ::testing::Not(::testing::Contains(control)));
    EXPECT_EQ(tokenizer->Decode(ids), "<s>");
    EXPECT_EQ(tokenizer->EncodeTemplate("<s>", false), (Ids{control}));
  }
}

TEST(BpeTest, BytesTheVocabularyLacksAreDroppedOrUnknown) {
  VocabularyBuilder builder = VocabularyBuilder::Bpe();
  builder.tokens[0xFF] = "spare";
  EXPECT_EQ(Load(builder)->EncodeText("a\xFF"
                                      "b",
                                      false),
            (Ids{'a', 'b'}));

  const int32_t unknown = builder.Add("<unk>", TokenKind::kUnknown);
  builder.writer->SetUint32("tokenizer.ggml.unknown_token_id", unknown);
  EXPECT_EQ(Load(builder)->EncodeText("a\xFF"
                                      "b",
                                      false),
            (Ids{'a', unknown, 'b'}));

  // An unknown token that is a control token is not for the text of users.
  builder.kinds[unknown] = static_cast<int32_t>(TokenKind::kControl);
  EXPECT_EQ(Load(builder)->EncodeText("a\xFF"
                                      "b",
                                      false),
            (Ids{'a', 'b'}));
}

// DeepSeek's vocabularies list "õ" and others as user-defined: letters, though byte-level
// vocabularies spell the byte 0xF5 the same.
TEST(BpeTest, AUserDefinedLetterIsNoByte) {
  VocabularyBuilder builder = VocabularyBuilder::Bpe();
  builder.kinds[0xF5] = static_cast<int32_t>(TokenKind::kUserDefined);
  builder.kinds['0'] = static_cast<int32_t>(TokenKind::kUserDefined);
  const auto tokenizer = Load(builder);
  EXPECT_EQ(tokenizer->EncodeText("õ\xF5"
                                  "0",
                                  false),
            (Ids{0xF5, '0'}));
  EXPECT_EQ(tokenizer->Decode(Ids{0xF5}), "õ");
}

TEST(BpeTest, BeginningOfSequence) {
  VocabularyBuilder builder = VocabularyBuilder::Bpe();
  const int32_t bos = builder.Add("<|begin|>", TokenKind::kControl);
  builder.writer->SetUint32("tokenizer.ggml.bos_token_id", bos);
  EXPECT_EQ(Load(builder)->EncodeText("a", true), (Ids{'a'}));
  EXPECT_EQ(Load(builder)->bos(), bos);

  builder.writer->SetString("tokenizer.ggml.pre", "llama-bpe");
  EXPECT_EQ(Load(builder)->EncodeText("a", true), (Ids{bos, 'a'}));
  EXPECT_EQ(Load(builder)->EncodeText("a", false), (Ids{'a'}));
  EXPECT_EQ(Load(builder)->EncodeTemplate("<|begin|>a", true), (Ids{bos, 'a'}));
  EXPECT_EQ(Load(builder)->EncodeTemplate("<|begin|><|begin|>", true), (Ids{bos, bos}));
  EXPECT_EQ(Load(builder)->EncodeTemplate("<|begin|><|begin|>", false), (Ids{bos, bos}));
  EXPECT_EQ(Load(builder)->EncodeTemplate("a<|begin|>", true), (Ids{bos, 'a', bos}));

  builder.writer->SetBool("tokenizer.ggml.add_bos_token", false);
  EXPECT_EQ(Load(builder)->EncodeText("a", true), (Ids{'a'}));
}

TEST(BpeTest, ThreadsShareOne) {
  VocabularyBuilder builder = VocabularyBuilder::Bpe();
  builder.Merge("a", "b");
  const auto tokenizer = Load(builder);
  const std::string text = "ab abba  12 \xFF " + std::string(5000, 'a');
  const Ids expected = tokenizer->EncodeText(text, false);
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 20; ++round) {
        if (tokenizer->EncodeText(text, false) != expected) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(BpeTest, FingerprintsTellTokenizersApart) {
  VocabularyBuilder builder = VocabularyBuilder::Bpe();
  builder.Merge("a", "b");
  builder.Merge("c", "d");
  const uint64_t fingerprint = Load(builder)->fingerprint();
  EXPECT_EQ(Load(builder)->fingerprint(), fingerprint);

  std::swap(builder.merges[0], builder.merges[1]);
  EXPECT_NE(Load(builder)->fingerprint(), fingerprint);
  std::swap(builder.merges[0], builder.merges[1]);

  builder.writer->SetString("tokenizer.ggml.pre", "qwen2");
  EXPECT_NE(Load(builder)->fingerprint(), fingerprint);
  // An alias, and padding that is never produced, make no difference.
  builder.writer->SetString("tokenizer.ggml.pre", "mpt");
  builder.Add("[PAD]", TokenKind::kUnused);
  EXPECT_EQ(Load(builder)->fingerprint(), fingerprint);
}

}  // namespace
}  // namespace aio
