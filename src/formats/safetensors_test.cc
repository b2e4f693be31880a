#include "formats/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace aio {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::string WithLength(uint64_t length, const std::string& rest) {
  std::string bytes(sizeof(length), '\0');
  std::memcpy(bytes.data(), &length, sizeof(length));
  return bytes + rest;
}

std::string File(const std::string& header, size_t data_bytes) {
  return WithLength(header.size(), header + std::string(data_bytes, 'x'));
}

auto Parse(const std::string& bytes) {
  return SafetensorsFile::Parse(std::as_bytes(std::span(bytes)), "m.safetensors");
}

std::string Fault(const std::string& bytes) {
  const auto file = Parse(bytes);
  EXPECT_FALSE(file.ok());
  EXPECT_THAT(file.status().message(), StartsWith("m.safetensors: "));
  return file.status().message();
}

TEST(SafetensorsTest, ReadsTensorsWhereTheHeaderSaysTheyAre) {
  const std::string bytes = File(
      R"({"b":{"dtype":"BF16","shape":[3],"data_offsets":[16,22]},"__metadata__":{"format":"pt"},)"
      R"("a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}   )",
      22);
  const auto file = Parse(bytes);
  ASSERT_TRUE(file.ok()) << file.status().ToString();
  ASSERT_EQ((*file)->tensors().size(), 2U);
  const SafetensorsTensor* a = (*file)->FindTensor("a");
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(a->dtype, "F32");
  EXPECT_THAT(a->shape, ElementsAre(2, 2));
  EXPECT_EQ(a->elements, 4U);
  EXPECT_EQ(a->data.size(), 16U);
  EXPECT_EQ((*file)->FindTensor("b")->data.data(), a->data.data() + 16);
  EXPECT_EQ((*file)->FindTensor("c"), nullptr);
  EXPECT_EQ((*file)->FindTensor("__metadata__"), nullptr);
}

TEST(SafetensorsTest, AFileWithoutTensorsIsFine) { EXPECT_TRUE(Parse(File("{}", 0)).ok()); }

TEST(SafetensorsTest, LengthsThatLieAreRefused) {
  EXPECT_THAT(Fault(""), HasSubstr("0 bytes"));
  EXPECT_THAT(Fault("\x01\x02"), HasSubstr("too few"));
  EXPECT_THAT(Fault(WithLength(50, "{}")), HasSubstr("cut short"));
  EXPECT_THAT(Fault(WithLength(UINT64_MAX, "{}")), HasSubstr("18446744073709551615"));
  EXPECT_THAT(Fault(WithLength(1, "{}")), HasSubstr("no JSON at byte"));
  EXPECT_THAT(Fault(WithLength(2, "[]")), HasSubstr("does not begin with {"));
}

TEST(SafetensorsTest, OffsetsThatLieAreRefused) {
  const auto one = [](const std::string& offsets) {
    return File(R"({"a.w":{"dtype":"F32","shape":[2],"data_offsets":)" + offsets + "}}", 8);
  };
  EXPECT_TRUE(Parse(one("[0,8]")).ok());
  EXPECT_THAT(Fault(one("[0,16]")), AllOf(HasSubstr("\"a.w\""), HasSubstr("cut short")));
  EXPECT_THAT(Fault(one("[8,0]")), HasSubstr("before it begins"));
  EXPECT_THAT(Fault(one("[0,4]")), HasSubstr("F32 [2]"));
  EXPECT_THAT(Fault(one("[0]")), HasSubstr("two data_offsets"));
  EXPECT_THAT(Fault(one("[-1,7]")), HasSubstr("negative"));
  EXPECT_THAT(Fault(one("[0,8.5]")), HasSubstr("fraction"));
  EXPECT_THAT(Fault(one("[0,99999999999999999999]")), HasSubstr("2^64"));
  EXPECT_THAT(Fault(one("7")), HasSubstr("data_offsets"));
}

TEST(SafetensorsTest, TensorsMustFillTheFile) {
  const auto two = [](int begin, int end, size_t bytes) {
    return File(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                R"("b":{"dtype":"U8","shape":[4],"data_offsets":[)" +
                    std::to_string(begin) + "," + std::to_string(end) + "]}}",
                bytes);
  };
  EXPECT_TRUE(Parse(two(4, 8, 8)).ok());
  EXPECT_THAT(Fault(two(2, 6, 8)), AllOf(HasSubstr("\"b\""), HasSubstr("overlap")));
  EXPECT_THAT(Fault(two(6, 10, 10)), HasSubstr("gaps"));
  EXPECT_THAT(Fault(two(4, 8, 9)), HasSubstr("9 follow the header"));
}

TEST(SafetensorsTest, HeadersOfAnotherShapeAreRefused) {
  EXPECT_THAT(Fault(File(R"({"a":{"dtype":"F32"}})", 0)), HasSubstr("needs dtype, shape"));
  EXPECT_THAT(Fault(File(R"({"a":3})", 0)), HasSubstr("a number"));
  EXPECT_THAT(Fault(File(R"({"":{}})", 0)), HasSubstr("no name"));
  EXPECT_THAT(Fault(File(R"({"a":{"type":"F32"}})", 0)), HasSubstr("unknown field \"type\""));
  EXPECT_THAT(Fault(File(R"({"a":{"dtype":"F3","shape":[],"data_offsets":[0,0]}})", 0)),
              HasSubstr("unknown dtype \"F3\""));
  EXPECT_THAT(Fault(File(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)"
                         R"("a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})",
                         0)),
              HasSubstr("twice"));
  EXPECT_THAT(Fault(File(R"({"a":{"dtype":"U8","shape":[4294967296,4294967296,16],)"
                         R"("data_offsets":[0,0]}})",
                         0)),
              HasSubstr("does not take"));
  EXPECT_THAT(Fault(File(R"({"a":{"dtype":"U8","shape":[[1]],"data_offsets":[0,0]}})", 0)),
              HasSubstr("an array"));
}

TEST(SafetensorsTest, AMissingFileIsNamed) {
  const auto file = SafetensorsFile::Open("/nowhere/model.safetensors");
  EXPECT_EQ(file.status().code(), StatusCode::kNotFound);
  EXPECT_THAT(file.status().message(), StartsWith("/nowhere/model.safetensors: "));
}

}  // namespace
}  // namespace aio
