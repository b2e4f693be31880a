#include "formats/sentencepiece.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/sentencepiece_testing.h"

namespace aio {
namespace {

using testing::HasSubstr;

using protobuf::Bytes, protobuf::Float, protobuf::Number, protobuf::Varint;

Result<SentencePieceModel> Parse(const std::string& bytes) {
  return ParseSentencePieceModel(std::as_bytes(std::span(bytes)), "tokenizer.model");
}
std::string Fault(const std::string& bytes) {
  const auto model = Parse(bytes);
  EXPECT_FALSE(model.ok());
  EXPECT_THAT(model.status().message(), testing::StartsWith("tokenizer.model: "));
  return model.status().message();
}

TEST(SentencePieceTest, ReadsPiecesAndSettings) {
  const std::string trainer = Number(3, 2) + Bytes(7, "corpus.txt") + Number(40, 3) +
                              Number(41, 4) + Number(42, 5) +
                              Number(43, static_cast<uint64_t>(int64_t{-1}));
  const auto model = Parse(Bytes(1, Bytes(1, "<unk>") + Float(2, 0) + Number(3, 2)) +
                           Bytes(1, Bytes(1, "▁a") + Float(2, -1.5f)) + Bytes(2, trainer) +
                           Bytes(3, Bytes(1, "identity") + Number(3, 0)) + Bytes(99, "later"));
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  ASSERT_EQ(model->pieces.size(), 2U);
  EXPECT_EQ(model->pieces[0].kind, SentencePieceModel::Kind::kUnknown);
  EXPECT_EQ(model->pieces[1].text, "▁a");
  EXPECT_EQ(model->pieces[1].score, -1.5f);
  EXPECT_EQ(model->pieces[1].kind, SentencePieceModel::Kind::kNormal);
  EXPECT_EQ(model->algorithm, SentencePieceModel::Algorithm::kBpe);
  EXPECT_FALSE(model->add_dummy_prefix);
  EXPECT_EQ(model->unknown_id, 3);
  EXPECT_EQ(model->bos_id, 4);
  EXPECT_EQ(model->eos_id, 5);
  EXPECT_EQ(model->padding_id, -1);
}

TEST(SentencePieceTest, BrokenModelsAreRefused) {
  EXPECT_THAT(Fault(""), HasSubstr("no pieces"));
  EXPECT_THAT(Fault("IQ== 0\nIg== 1\n"), HasSubstr("SentencePiece"));  // tiktoken's format
  const std::string whole = Bytes(1, Bytes(1, "abc") + Number(3, 1));
  EXPECT_TRUE(Parse(whole).ok());
  for (size_t size = 1; size < whole.size(); ++size) Fault(whole.substr(0, size));
  EXPECT_THAT(Fault(Bytes(1, Bytes(1, "\xff"))), HasSubstr("piece 0"));
  EXPECT_THAT(Fault(Bytes(1, Number(3, 7))), HasSubstr("piece 0"));
  EXPECT_THAT(Fault(whole + Bytes(2, Number(3, 9))), HasSubstr("trainer_spec"));
  EXPECT_THAT(Fault(std::string(12, '\xff')), HasSubstr("protocol buffer"));
  EXPECT_THAT(Fault(Varint(1 << 3 | 2) + Varint(UINT64_MAX)), HasSubstr("protocol buffer"));
}

}  // namespace
}  // namespace aio
