// SentencePiece through the public interface.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/tokenizer_testing.h"

namespace aio {
namespace {

using Ids = std::vector<int32_t>;

constexpr int32_t kFirstByte = 3;
constexpr auto kUnused = static_cast<int32_t>(TokenKind::kUnused);

std::shared_ptr<const Tokenizer> Load(VocabularyBuilder& builder) {
  auto tokenizer = builder.Load();
  AIO_CHECK(tokenizer.ok(), tokenizer.status().message().c_str());
  return *tokenizer;
}

VocabularyBuilder WithoutPrefix() {
  VocabularyBuilder builder = VocabularyBuilder::Spm();
  builder.writer->SetBool("tokenizer.ggml.add_space_prefix", false);
  return builder;
}

TEST(SpmTest, MergesTheHighestScoreFirst) {
  VocabularyBuilder builder = WithoutPrefix();
  const int32_t a = builder.Add("a", TokenKind::kNormal, -10);
  builder.Add("b", TokenKind::kNormal, -11);
  const int32_t c = builder.Add("c", TokenKind::kNormal, -12);
  const int32_t ab = builder.Add("ab", TokenKind::kNormal, -2);
  const int32_t bc = builder.Add("bc", TokenKind::kNormal, -1);
  const auto tokenizer = Load(builder);
  EXPECT_EQ(tokenizer->EncodeText("abc", false), (Ids{a, bc}));
  EXPECT_EQ(tokenizer->EncodeText("abac", false), (Ids{ab, a, c}));
  EXPECT_EQ(tokenizer->kind(), "spm");
}

TEST(SpmTest, MergesTheLeftmostOfEqualScores) {
  VocabularyBuilder builder = WithoutPrefix();
  const int32_t a = builder.Add("a", TokenKind::kNormal, -10);
  const int32_t aa = builder.Add("aa", TokenKind::kNormal, -1);
  EXPECT_EQ(Load(builder)->EncodeText("aaa", false), (Ids{aa, a}));
}

TEST(SpmTest, PutsASpaceBeforeTheText) {
  VocabularyBuilder builder = VocabularyBuilder::Spm();
  const int32_t space = builder.Add("▁", TokenKind::kNormal, -10);
  const int32_t a = builder.Add("a", TokenKind::kNormal, -10);
  const int32_t space_a = builder.Add("▁a", TokenKind::kNormal, -1);
  const auto tokenizer = Load(builder);
  EXPECT_TRUE(tokenizer->adds_space_prefix());
  EXPECT_EQ(tokenizer->EncodeText("a a", false), (Ids{space_a, space_a}));
  EXPECT_EQ(tokenizer->EncodeText(" a", false), (Ids{space, space_a}));
  EXPECT_EQ(tokenizer->EncodeText("", false), Ids{});
  EXPECT_EQ(tokenizer->EncodeText("a", true), (Ids{1, space_a}));  // <s> by default
  EXPECT_EQ(tokenizer->TokenBytes(space_a), " a");
  EXPECT_EQ(tokenizer->Decode(Ids{1, space_a, space_a}), "a a");
  EXPECT_EQ(tokenizer->Decode(Ids{1, space_a}, /*with_special=*/true), "<s> a");
  EXPECT_EQ(tokenizer->Decode(Ids{a, space}), "a ");

  builder.writer->SetBool("tokenizer.ggml.add_space_prefix", false);
  EXPECT_EQ(Load(builder)->EncodeText("a a", false), (Ids{a, space_a}));
  EXPECT_EQ(Load(builder)->Decode(Ids{space_a}), " a");
}

TEST(SpmTest, EverySpecialTokenStartsATextAnew) {
  VocabularyBuilder builder = VocabularyBuilder::Spm();
  const int32_t space = builder.Add("▁", TokenKind::kNormal, -10);
  const int32_t space_a = builder.Add("▁a", TokenKind::kNormal, -1);
  builder.Add("a", TokenKind::kNormal, -10);
  EXPECT_EQ(Load(builder)->EncodeTemplate("a</s>a</s> a", false),
            (Ids{space_a, 2, space_a, 2, space, space_a}));
}

TEST(SpmTest, WritesUnknownTextInBytes) {
  VocabularyBuilder builder = WithoutPrefix();
  const int32_t a = builder.Add("a");
  const auto tokenizer = Load(builder);
  EXPECT_EQ(tokenizer->EncodeText("aé\xFF", false),
            (Ids{a, kFirstByte + 0xC3, kFirstByte + 0xA9, kFirstByte + 0xFF}));
  EXPECT_EQ(tokenizer->TokenBytes(kFirstByte + 0xC3), "\xC3");
  EXPECT_EQ(tokenizer->Decode(tokenizer->EncodeText("aé\xFF", false)), "aé\xFF");
}

TEST(SpmTest, WithoutByteTokensTextBecomesUnknown) {
  VocabularyBuilder builder = WithoutPrefix();
  builder.writer->SetUint32("tokenizer.ggml.unknown_token_id", 0);
  const int32_t a = builder.Add("a");
  for (int byte = 0; byte < 256; ++byte) {
    builder.tokens[kFirstByte + byte] = "spare " + std::to_string(byte);
    builder.kinds[kFirstByte + byte] = static_cast<int32_t>(TokenKind::kUnused);
  }
  EXPECT_EQ(Load(builder)->EncodeText("aéa", false), (Ids{a, 0, a}));
}

TEST(SpmTest, TypedByteTokensAreText) {
  VocabularyBuilder builder = WithoutPrefix();
  const auto tokenizer = Load(builder);
  const Ids ids = tokenizer->EncodeText("<0x41>", false);
  EXPECT_EQ(ids.size(), 6u);
  EXPECT_EQ(tokenizer->Decode(ids), "<0x41>");
}

TEST(SpmTest, MergesNeverMakeControlTokens) {
  VocabularyBuilder builder = WithoutPrefix();
  builder.Add("</s", TokenKind::kNormal, -1);
  builder.Add("/s", TokenKind::kNormal, -1);
  for (const char* text : {"</s>", "<s>", "<unk>"}) {
    const Ids ids = Load(builder)->EncodeText(text, false);
    EXPECT_THAT(ids, ::testing::Each(::testing::Ge(kFirstByte)));
    EXPECT_EQ(Load(builder)->Decode(ids), text);
  }
}

TEST(SpmTest, UnusedPiecesAreMergedThroughButNotProduced) {
  VocabularyBuilder builder = WithoutPrefix();
  const int32_t a = builder.Add("a", TokenKind::kNormal, -10);
  const int32_t b = builder.Add("b", TokenKind::kNormal, -11);
  builder.Add("ab", TokenKind::kUnused, -1);
  const int32_t abb = builder.Add("abb", TokenKind::kNormal, -2);
  builder.Add("c", TokenKind::kUnused, -1);
  const auto tokenizer = Load(builder);
  EXPECT_EQ(tokenizer->EncodeText("ab", false), (Ids{a, b}));
  EXPECT_EQ(tokenizer->EncodeText("abb", false), (Ids{abb}));
  EXPECT_EQ(tokenizer->EncodeText("c", false), (Ids{kFirstByte + 'c'}));
}

// As SentencePiece's own encoder does: the parts of an unused piece are what it was merged
// from, not what its text would be without it ("ab" and "c").
TEST(SpmTest, OfAnUnusedPieceTheLastMergeIsUndone) {
  VocabularyBuilder builder = WithoutPrefix();
  const int32_t a = builder.Add("a", TokenKind::kNormal, -10);
  const int32_t b = builder.Add("b", TokenKind::kNormal, -11);
  const int32_t c = builder.Add("c", TokenKind::kNormal, -12);
  builder.Add("bc", TokenKind::kUnused, -1);
  const int32_t ab = builder.Add("ab", TokenKind::kNormal, -2);
  builder.Add("abc", TokenKind::kUnused, -3);
  const auto tokenizer = Load(builder);
  EXPECT_EQ(tokenizer->EncodeText("abc", false), (Ids{a, b, c}));
  EXPECT_EQ(tokenizer->EncodeText("abcab", false), (Ids{a, b, c, ab}));
}

TEST(SpmTest, FilesWithoutKindsStillHaveBytes) {
  VocabularyBuilder builder = VocabularyBuilder::Spm();
  builder.kinds.clear();
  const auto tokenizer = Load(builder);
  EXPECT_TRUE(tokenizer->IsControl(1));
  EXPECT_TRUE(tokenizer->IsEndOfGeneration(2));
  EXPECT_EQ(tokenizer->TokenBytes(kFirstByte + '\n'), "\n");
}

// The definition: symbols are texts, and two merge if their texts together are a piece; the
// merge that made an unused one is undone in the end.
Ids EncodedByDefinition(const VocabularyBuilder& builder, const std::string& text) {
  std::map<std::string, int32_t> pieces;
  for (size_t id = 259; id < builder.tokens.size(); ++id) {
    pieces[builder.tokens[id]] = static_cast<int32_t>(id);
  }
  std::map<std::string, std::pair<std::string, std::string>> halves;
  std::vector<std::string> symbols;
  for (std::string_view rest = text; !rest.empty();) {
    const size_t length = rest[0] == ' ' ? 1 : DecodeUtf8(rest).length;
    symbols.push_back(rest[0] == ' ' ? "▁" : std::string(rest.substr(0, length)));
    rest.remove_prefix(length);
  }
  while (true) {
    size_t best = symbols.size();
    float best_score = 0;
    for (size_t i = 0; i + 1 < symbols.size(); ++i) {
      const auto found = pieces.find(symbols[i] + symbols[i + 1]);
      if (found == pieces.end()) continue;
      const float score = builder.scores[found->second];
      if (best == symbols.size() || score > best_score) {
        best = i;
        best_score = score;
      }
    }
    if (best == symbols.size()) break;
    halves[symbols[best] + symbols[best + 1]] = {symbols[best], symbols[best + 1]};
    symbols[best] += symbols[best + 1];
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
  Ids ids;
  const std::function<void(const std::string&)> append = [&](const std::string& symbol) {
    const auto found = pieces.find(symbol);
    const bool usable = found != pieces.end() && builder.kinds[found->second] != kUnused;
    if (usable) {
      ids.push_back(found->second);
    } else if (const auto parts = halves.find(symbol); parts != halves.end()) {
      append(parts->second.first);
      append(parts->second.second);
    } else {
      for (const char c : symbol == "▁" ? " " : symbol)
        ids.push_back(kFirstByte + static_cast<uint8_t>(c));
    }
  };
  for (const std::string& symbol : symbols) append(symbol);
  return ids;
}

// Pieces of characters that are no tokens themselves, spaces inside pieces, equal scores,
// unused pieces.
TEST(SpmTest, AgreesWithTheDefinition) {
  std::mt19937 random(5);
  const std::vector<std::string> characters = {"a", "b", "é", "▁", "▁", "我"};
  for (int round = 0; round < 150; ++round) {
    VocabularyBuilder builder = WithoutPrefix();
    for (int i = 0; i < 25; ++i) {
      std::string piece;
      for (size_t n = 1 + random() % 4; n > 0; --n) {
        const std::string& next = characters[random() % characters.size()];
        if (round % 2 == 0 && next == "▁" && !piece.empty()) continue;  // words are separate
        piece += next;
      }
      const auto taken = std::find(builder.tokens.begin(), builder.tokens.end(), piece);
      if (taken != builder.tokens.end()) continue;
      const TokenKind kind = random() % 4 == 0 ? TokenKind::kUnused : TokenKind::kNormal;
      builder.Add(piece, kind, -static_cast<float>(random() % 8));
    }
    const auto tokenizer = Load(builder);
    for (const size_t length : {1, 2, 3, 8, 20, 60, 120}) {
      std::string text;
      for (size_t i = 0; i < length; ++i) {
        const std::string& next = characters[random() % characters.size()];
        text += next == "▁" ? " " : next;
      }
      EXPECT_EQ(tokenizer->EncodeText(text, false), EncodedByDefinition(builder, text)) << text;
      EXPECT_EQ(tokenizer->Decode(tokenizer->EncodeText(text, false)), text);
    }
  }
}

TEST(SpmTest, LongTextsTakeNearLinearTime) {
  VocabularyBuilder builder = VocabularyBuilder::Spm();
  for (const std::string c : {"a", "▁"}) {
    std::string run = c;
    for (int i = 0; i < 5; ++i) {
      builder.Add(run, TokenKind::kNormal, static_cast<float>(-i));
      run += run;
    }
  }
  builder.Add("a▁", TokenKind::kNormal, -9);  // so that words are not separate
  const auto tokenizer = Load(builder);
  for (const std::string unit : {"a", " ", "a ", "é", "\xFF", "\n"}) {
    std::string text;
    while (text.size() < 1 << 20) text += unit;
    EXPECT_EQ(tokenizer->Decode(tokenizer->EncodeText(text, false)), text);
  }
}

}  // namespace
}  // namespace aio
