// Vocabularies that contradict themselves are refused, by file and key.
#include "tokenizer/vocabulary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "formats/gguf.h"
#include "formats/gguf_testing.h"
#include "tokenizer/jinja_text.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/tokenizer_testing.h"

namespace aio {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Expects an error that names the file, `key` and `detail`.
void ExpectFault(VocabularyBuilder& builder, std::string_view key, std::string_view detail,
                 StatusCode code = StatusCode::kInvalidArgument) {
  const Status status = builder.Load().status();
  EXPECT_EQ(status.code(), code) << status.ToString();
  EXPECT_THAT(status.message(), AllOf(HasSubstr("test.gguf"), HasSubstr(std::string(key)),
                                      HasSubstr(std::string(detail))));
}

TEST(VocabularyTest, TheBuildersVocabulariesAreFine) {
  EXPECT_TRUE(VocabularyBuilder::Bpe().Load().ok());
  EXPECT_TRUE(VocabularyBuilder::Spm().Load().ok());
}

TEST(VocabularyTest, NoTokens) {
  VocabularyBuilder builder = VocabularyBuilder::Bpe();
  builder.tokens.clear();
  ExpectFault(builder, "tokenizer.ggml.tokens", "no entries");
}

TEST(VocabularyTest, MissingKeys) {
  GgufWriter writer;
  writer.SetString("tokenizer.ggml.model", "gpt2");
  const std::vector<std::byte> bytes = writer.Encode();
  const auto file = GgufFile::Parse(bytes, "test.gguf");
  ASSERT_TRUE(file.ok());
  EXPECT_THAT(Tokenizer::Load(**file).status().message(),
              AllOf(HasSubstr("test.gguf"), HasSubstr("tokenizer.ggml.tokens")));
}

TEST(VocabularyTest, UnknownTokenizers) {
  VocabularyBuilder model = VocabularyBuilder::Bpe();
  model.writer->SetString("tokenizer.ggml.model", "bert");
  ExpectFault(model, "tokenizer.ggml.model", "\"bert\"", StatusCode::kUnimplemented);

  VocabularyBuilder pre = VocabularyBuilder::Bpe("newest-bpe");
  ExpectFault(pre, "tokenizer.ggml.pre", "\"newest-bpe\"", StatusCode::kUnimplemented);
  ExpectFault(pre, "tokenizer.ggml.pre", "qwen2", StatusCode::kUnimplemented);
}

TEST(VocabularyTest, ArraysOfWrongLength) {
  VocabularyBuilder kinds = VocabularyBuilder::Bpe();
  kinds.kinds.pop_back();
  ExpectFault(kinds, "tokenizer.ggml.token_type", "255 entries; expected 256");

  VocabularyBuilder scores = VocabularyBuilder::Spm();
  scores.scores.push_back(0);
  ExpectFault(scores, "tokenizer.ggml.scores", "260 entries; expected 259");

  VocabularyBuilder bpe_scores = VocabularyBuilder::Bpe();
  bpe_scores.writer->SetFloat32Array("tokenizer.ggml.scores", std::vector<float>{1, 2});
  ExpectFault(bpe_scores, "tokenizer.ggml.scores", "2 entries; expected 256");
}

TEST(VocabularyTest, ValuesOutOfRange) {
  VocabularyBuilder kinds = VocabularyBuilder::Bpe();
  kinds.kinds[5] = 7;
  ExpectFault(kinds, "tokenizer.ggml.token_type", "entry 5 is 7");

  VocabularyBuilder scores = VocabularyBuilder::Spm();
  scores.scores[4] = std::nanf("");
  ExpectFault(scores, "tokenizer.ggml.scores", "entry 4");

  for (const std::string role : {"bos", "eos", "eot", "eom", "unknown"}) {
    VocabularyBuilder ids = VocabularyBuilder::Bpe();
    const std::string key = "tokenizer.ggml." + role + "_token_id";
    ids.writer->SetUint32(key, 256);
    ExpectFault(ids, key, "256; expected 0 to 255");
    ids.writer->SetUint32(key, 0xFFFFFFFF);
    ExpectFault(ids, key, "4294967295");
  }
}

TEST(VocabularyTest, AddBosNeedsABos) {
  VocabularyBuilder builder = VocabularyBuilder::Bpe();
  builder.writer->SetBool("tokenizer.ggml.add_bos_token", true);
  ExpectFault(builder, "tokenizer.ggml.add_bos_token", "bos_token_id");
}

TEST(VocabularyTest, DuplicateAndEmptyPieces) {
  VocabularyBuilder duplicate = VocabularyBuilder::Bpe();
  duplicate.Add("a");
  ExpectFault(duplicate, "tokenizer.ggml.tokens", "entries 97 and 256 are both \"a\"");

  for (const bool bpe : {true, false}) {
    VocabularyBuilder builder = bpe ? VocabularyBuilder::Bpe() : VocabularyBuilder::Spm();
    for (const TokenKind kind : {TokenKind::kNormal, TokenKind::kUnused, TokenKind::kControl,
                                 TokenKind::kUserDefined, TokenKind::kUnknown}) {
      const int32_t id = builder.Add("", kind);
      builder.writer->SetUint32("tokenizer.ggml.eos_token_id", id);
    }
    builder.Add("a", TokenKind::kUnused);
    const auto tokenizer = builder.Load();
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.status().ToString();
    EXPECT_EQ((*tokenizer)->Decode((*tokenizer)->EncodeTemplate("a b", false)), "a b");
  }
}

TEST(VocabularyTest, WhatIsTooLargeToBeAVocabulary) {
  VocabularyBuilder bpe = VocabularyBuilder::Bpe();
  bpe.Add(std::string(Vocabulary::kMaxBpePieceBytes + 1, 'x'));
  ExpectFault(bpe, "tokenizer.ggml.tokens", "4097 bytes; expected at most 4096");

  VocabularyBuilder spm = VocabularyBuilder::Spm();
  spm.Add(std::string(Vocabulary::kMaxSpmPieceBytes + 1, 'x'));
  ExpectFault(spm, "tokenizer.ggml.tokens", "513 bytes; expected at most 512");

  VocabularyBuilder jinja = VocabularyBuilder::Bpe();
  jinja.writer->SetString("tokenizer.chat_template", std::string(kMaxJinjaBytes + 1, 'x'));
  ExpectFault(jinja, "tokenizer.chat_template", "262145 bytes; expected at most 262144");

  constexpr size_t kTokens = Vocabulary::kMaxTokens + 1;
  RawGguf raw(3, 0, 2);
  raw.Key("tokenizer.ggml.model", GgufValue::Type::kString).String("gpt2");
  raw.ArrayKey("tokenizer.ggml.tokens", GgufValue::Type::kString, kTokens);
  raw.Zeros(kTokens * sizeof(uint64_t));  // empty strings
  const auto file = GgufFile::Parse(raw.bytes(), "test.gguf");
  ASSERT_TRUE(file.ok()) << file.status().ToString();
  EXPECT_THAT(Tokenizer::Load(**file).status().message(), HasSubstr("has 4194305 entries"));
}

// As many candidates for markers as a file may well hold, and the longest template: a search
// of the template for each would take minutes.
TEST(VocabularyTest, MarkersAreFoundFast) {
  VocabularyBuilder builder = VocabularyBuilder::Bpe();
  for (int i = 0; i < 200'000; ++i) {
    builder.Add("<<<<" + std::to_string(i), TokenKind::kUserDefined);
  }
  const int32_t marker = builder.Add("<<END", TokenKind::kUserDefined);
  builder.writer->SetString("tokenizer.chat_template",
                            std::string(kMaxJinjaBytes - 5, '<') + "<END>");
  const auto tokenizer = builder.Load();
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status().ToString();
  EXPECT_EQ((*tokenizer)->EncodeTemplate("<<END", false), std::vector<int32_t>{marker});
  EXPECT_NE((*tokenizer)->EncodeText("<<END", false), std::vector<int32_t>{marker});
}

TEST(VocabularyTest, MissingBytes) {
  VocabularyBuilder bpe = VocabularyBuilder::Bpe();
  bpe.tokens['A'] = "spare";
  ExpectFault(bpe, "tokenizer.ggml.tokens", "0x41");
  bpe.tokens['A'] = "A";
  bpe.kinds['A'] = static_cast<int32_t>(TokenKind::kControl);
  ExpectFault(bpe, "tokenizer.ggml.tokens", "0x41");

  VocabularyBuilder spm = VocabularyBuilder::Spm();
  spm.tokens[0] = "spare";
  spm.tokens[3 + 'A'] = "other";
  ExpectFault(spm, "tokenizer.ggml.tokens", "<0x41>");

  VocabularyBuilder control = VocabularyBuilder::Spm();
  control.kinds[3 + 'A'] = static_cast<int32_t>(TokenKind::kControl);
  ExpectFault(control, "tokenizer.ggml.token_type", "<0x41>");
}

TEST(VocabularyTest, BrokenMerges) {
  const std::vector<std::pair<std::string, std::string>> faults = {
      {"a", "not two pieces"},
      {"", "not two pieces"},
      {" a", "not two pieces"},
      {"a xyz", "not in tokenizer.ggml.tokens"},
      {"xyz a", "not in tokenizer.ggml.tokens"},
      {"a b", "makes a piece"},
      {"a ", "not in tokenizer.ggml.tokens"},
  };
  for (const auto& [merge, fault] : faults) {
    VocabularyBuilder builder = VocabularyBuilder::Bpe();
    builder.merges.push_back(merge);
    ExpectFault(builder, "tokenizer.ggml.merges", fault);
    ExpectFault(builder, "tokenizer.ggml.merges", "entry 0");
  }
}

TEST(VocabularyTest, MessagesAreOneLineOfText) {
  VocabularyBuilder builder = VocabularyBuilder::Bpe();
  builder.merges.push_back("\xFF\n\x1B[31m x");
  const Status status = builder.Load().status();
  EXPECT_THAT(status.message(), ::testing::Not(HasSubstr("\n")));
  EXPECT_THAT(status.message(), ::testing::Not(HasSubstr("\x1B")));
}

TEST(VocabularyTest, NumbersThatAreNoTokensMeanNothing) {
  const auto tokenizer = VocabularyBuilder::Bpe().Load();
  ASSERT_TRUE(tokenizer.ok());
  for (const int32_t id : {-1, 256, INT32_MIN, INT32_MAX}) {
    EXPECT_EQ((*tokenizer)->TokenBytes(id), "");
    EXPECT_EQ((*tokenizer)->TokenPiece(id), "");
    EXPECT_FALSE((*tokenizer)->IsControl(id));
  }
  EXPECT_EQ((*tokenizer)->vocabulary_size(), 256);
  EXPECT_EQ((*tokenizer)->bos(), std::nullopt);
  EXPECT_EQ((*tokenizer)->eos(), std::nullopt);
}

// Any vocabulary either loads and then encodes anything, or is refused.
TEST(VocabularyTest, NonsenseNeverCrashes) {
  std::mt19937 random(11);
  const auto piece = [&] {
    std::string text(random() % 5, '\0');
    for (char& c : text) c = static_cast<char>(random() % 2 == 0 ? random() % 256 : 'a');
    return text;
  };
  int loaded = 0;
  for (int round = 0; round < 400; ++round) {
    VocabularyBuilder builder =
        round % 2 == 0 ? VocabularyBuilder::Bpe() : VocabularyBuilder::Spm();
    for (size_t n = random() % 6; n > 0; --n) {
      builder.Add(piece(), static_cast<TokenKind>(random() % 7), static_cast<float>(random() % 5));
    }
    if (random() % 3 == 0) builder.Merge(piece(), piece());
    if (random() % 3 == 0) {
      builder.writer->SetUint32("tokenizer.ggml.eos_token_id", random() % 280);
    }
    const auto tokenizer = builder.Load();
    if (!tokenizer.ok()) continue;
    ++loaded;
    for (const int32_t id : (*tokenizer)->EncodeText("aa" + piece() + "\xFF" + piece(), true)) {
      EXPECT_LT(id, (*tokenizer)->vocabulary_size());
    }
  }
  EXPECT_GT(loaded, 100);
}

}  // namespace
}  // namespace aio
