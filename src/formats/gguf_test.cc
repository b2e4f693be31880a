#include "formats/gguf.h"

#include <gmock/gmock.h>

#include <cstring>
#include <filesystem>
#include <limits>
#include <vector>

#include "formats/gguf_testing.h"
#include "formats/gguf_writer.h"

namespace aio {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Type = GgufValue::Type;

// `raw` must outlive the result.
std::shared_ptr<const GgufFile> ParseOrDie(const RawGguf& raw) {
  return GgufFile::Parse(raw.bytes(), "test.gguf").value();
}

template <typename T>
RawGguf OneValue(Type type, T value) {
  return RawGguf(3, 0, 1).Key("k", type).Number(value);
}

template <typename T>
RawGguf OneArray(Type type, std::initializer_list<T> values) {
  return RawGguf(3, 0, 1)
      .ArrayKey("k", type, values.size())
      .Bytes(std::as_bytes(std::span(values.begin(), values.size())));
}

TEST(GgufTest, ReadsIntegersOfEveryWidth) {
  EXPECT_EQ(*ParseOrDie(OneValue(Type::kUint8, uint8_t{200}))->GetInt("k"), 200);
  EXPECT_EQ(*ParseOrDie(OneValue(Type::kInt8, int8_t{-100}))->GetInt("k"), -100);
  EXPECT_EQ(*ParseOrDie(OneValue(Type::kUint16, uint16_t{60000}))->GetInt("k"), 60000);
  EXPECT_EQ(*ParseOrDie(OneValue(Type::kInt16, int16_t{-30000}))->GetInt("k"), -30000);
  EXPECT_EQ(*ParseOrDie(OneValue(Type::kUint32, 4'000'000'000u))->GetInt("k"), 4'000'000'000);
  EXPECT_EQ(*ParseOrDie(OneValue(Type::kInt32, -2'000'000'000))->GetInt("k"), -2'000'000'000);
  EXPECT_EQ(*ParseOrDie(OneValue(Type::kUint64, uint64_t{1} << 62))->GetInt("k"), int64_t{1} << 62);
  EXPECT_EQ(*ParseOrDie(OneValue(Type::kInt64, std::numeric_limits<int64_t>::min()))->GetInt("k"),
            std::numeric_limits<int64_t>::min());
}

TEST(GgufTest, ReadsFloatsBoolsAndStrings) {
  EXPECT_EQ(*ParseOrDie(OneValue(Type::kFloat32, 1.5f))->GetFloat("k"), 1.5);
  EXPECT_EQ(*ParseOrDie(OneValue(Type::kFloat64, 1e300))->GetFloat("k"), 1e300);
  EXPECT_EQ(*ParseOrDie(OneValue(Type::kInt16, int16_t{-3}))->GetFloat("k"), -3.0);
  EXPECT_TRUE(*ParseOrDie(OneValue(Type::kBool, uint8_t{1}))->GetBool("k"));
  EXPECT_FALSE(*ParseOrDie(OneValue(Type::kBool, uint8_t{0}))->GetBool("k"));

  const RawGguf text = RawGguf(3, 0, 1)
                           .Key("k", Type::kString)
                           .String(
                               "fa\xC3\xA7"
                               "ade");
  EXPECT_EQ(*ParseOrDie(text)->GetString("k"),
            "fa\xC3\xA7"
            "ade");
  const RawGguf empty = RawGguf(3, 0, 1).Key("k", Type::kString).String("");
  EXPECT_EQ(*ParseOrDie(empty)->GetString("k"), "");
}

TEST(GgufTest, ReadsArraysOfEveryType) {
  const auto ints = [](const RawGguf& raw) { return *ParseOrDie(raw)->GetIntArray("k"); };
  EXPECT_THAT(ints(OneArray<uint8_t>(Type::kUint8, {1, 255})), ElementsAre(1, 255));
  EXPECT_THAT(ints(OneArray<int8_t>(Type::kInt8, {-1, 127})), ElementsAre(-1, 127));
  EXPECT_THAT(ints(OneArray<uint16_t>(Type::kUint16, {1, 65535})), ElementsAre(1, 65535));
  EXPECT_THAT(ints(OneArray<int16_t>(Type::kInt16, {-1, 5})), ElementsAre(-1, 5));
  EXPECT_THAT(ints(OneArray<uint32_t>(Type::kUint32, {7})), ElementsAre(7));
  EXPECT_THAT(ints(OneArray<int32_t>(Type::kInt32, {-7, 8, 9})), ElementsAre(-7, 8, 9));
  EXPECT_THAT(ints(OneArray<uint64_t>(Type::kUint64, {1, 2})), ElementsAre(1, 2));
  EXPECT_THAT(ints(OneArray<int64_t>(Type::kInt64, {-1, 2})), ElementsAre(-1, 2));
  EXPECT_THAT(ints(OneArray<int32_t>(Type::kInt32, {})), IsEmpty());

  const auto floats = [](const RawGguf& raw) { return *ParseOrDie(raw)->GetFloatArray("k"); };
  EXPECT_THAT(floats(OneArray<float>(Type::kFloat32, {0.5f, -1.f})), ElementsAre(0.5f, -1.f));
  EXPECT_THAT(floats(OneArray<double>(Type::kFloat64, {0.25})), ElementsAre(0.25f));
  EXPECT_THAT(floats(OneArray<int8_t>(Type::kInt8, {-4})), ElementsAre(-4.f));

  const RawGguf strings =
      RawGguf(3, 0, 1).ArrayKey("k", Type::kString, 3).String("a").String("").String("\xFF");
  EXPECT_THAT(*ParseOrDie(strings)->GetStringArray("k"), ElementsAre("a", "", "\xFF"));
}

TEST(GgufTest, ReadsVersion2AsVersion3) {
  const RawGguf raw = RawGguf(2, 1, 1)
                          .Key("k", Type::kUint32)
                          .Number(5)
                          .Tensor("t", 0, {2}, 0)
                          .Pad()
                          .Number(1.f)
                          .Number(2.f);
  const auto file = ParseOrDie(raw);
  EXPECT_EQ(file->version(), 2u);
  EXPECT_EQ(*file->GetInt("k"), 5);
  EXPECT_EQ(file->FindTensor("t")->data.size(), 8u);
}

TEST(GgufTest, ReadsAFileWithNothingInIt) {
  const RawGguf raw(3, 0, 0);
  const auto file = ParseOrDie(raw);
  EXPECT_THAT(file->metadata(), IsEmpty());
  EXPECT_THAT(file->tensors(), IsEmpty());
  EXPECT_EQ(file->FindTensor("t"), nullptr);
  EXPECT_EQ(file->FindValue("k"), nullptr);
}

TEST(GgufTest, PlacesTensorsByTheFilesOwnAlignment) {
  const RawGguf raw = RawGguf(3, 2, 1)
                          .Key("general.alignment", Type::kUint32)
                          .Number(uint32_t{64})
                          .Tensor("later", 0, {1}, 64)
                          .Tensor("sooner", 24, {3, 1}, 0)
                          .Pad(64)
                          .Text("abc")
                          .Pad(64)
                          .Number(2.5f);
  const auto file = ParseOrDie(raw);
  EXPECT_EQ(file->alignment(), 64u);
  ASSERT_THAT(file->tensors(), SizeIs(2));
  EXPECT_EQ(file->tensors()[0].name, "later");  // file order
  float value = 0;
  std::memcpy(&value, file->FindTensor("later")->data.data(), sizeof(value));
  EXPECT_EQ(value, 2.5f);
  const GgufTensor& sooner = *file->FindTensor("sooner");
  EXPECT_THAT(sooner.dims, ElementsAre(3, 1));
  EXPECT_EQ(sooner.elements, 3u);
  EXPECT_EQ(sooner.data.front(), std::byte{'a'});
  EXPECT_EQ(sooner.data.back(), std::byte{'c'});
}

TEST(GgufTest, NamesTensorsOfUnknownTypeWithoutData) {
  const RawGguf raw = RawGguf(3, 1, 0).Tensor("t", 99, {7}, 0).Pad().Zeros(32);
  const auto file = ParseOrDie(raw);
  EXPECT_EQ(file->tensors()[0].type, 99u);
  EXPECT_EQ(file->tensors()[0].elements, 7u);
  EXPECT_THAT(file->tensors()[0].data, IsEmpty());
}

TEST(GgufTest, NamesFileAndKeyOfAMissingValue) {
  const RawGguf raw(3, 0, 0);
  const auto file = ParseOrDie(raw);
  for (const Status& status :
       {file->GetInt("a\n").status(), file->GetFloat("a\n").status(), file->GetBool("a\n").status(),
        file->GetString("a\n").status(), file->GetStringArray("a\n").status(),
        file->GetFloatArray("a\n").status(), file->GetIntArray("a\n").status()}) {
    EXPECT_EQ(status.code(), StatusCode::kNotFound);
    EXPECT_EQ(status.message(), "test.gguf: metadata key \"a\\n\" is missing");
  }
}

void ExpectWrongType(const Status& status, std::string_view message) {
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "test.gguf: metadata key \"k\" " + std::string(message));
}

TEST(GgufTest, SaysWhichTypeAWrongValueHas) {
  const RawGguf raw_float = OneValue(Type::kFloat32, 1.f);
  const auto a_float = ParseOrDie(raw_float);
  ExpectWrongType(a_float->GetInt("k").status(), "is float32; expected an integer");
  ExpectWrongType(a_float->GetBool("k").status(), "is float32; expected bool");
  ExpectWrongType(a_float->GetString("k").status(), "is float32; expected string");
  ExpectWrongType(a_float->GetStringArray("k").status(), "is float32; expected an array of string");

  const RawGguf raw_floats = OneArray<float>(Type::kFloat32, {1.f});
  const auto floats = ParseOrDie(raw_floats);
  ExpectWrongType(floats->GetFloat("k").status(), "is an array of float32; expected a number");
  ExpectWrongType(floats->GetIntArray("k").status(),
                  "is an array of float32; expected an array of integers");
  ExpectWrongType(floats->GetStringArray("k").status(),
                  "is an array of float32; expected an array of string");

  const RawGguf raw_bool = OneValue(Type::kBool, uint8_t{1});
  ExpectWrongType(ParseOrDie(raw_bool)->GetFloat("k").status(), "is bool; expected a number");
  const RawGguf raw_bools = OneArray<uint8_t>(Type::kBool, {1});
  ExpectWrongType(ParseOrDie(raw_bools)->GetFloatArray("k").status(),
                  "is an array of bool; expected an array of numbers");
}

TEST(GgufTest, SaysWhichNumberDoesNotFit) {
  const RawGguf raw_big = OneValue(Type::kUint64, std::numeric_limits<uint64_t>::max());
  ExpectWrongType(ParseOrDie(raw_big)->GetInt("k").status(),
                  "is 18446744073709551615, which does not fit into int64");
  EXPECT_EQ(*ParseOrDie(raw_big)->GetFloat("k"), 18446744073709551615.0);

  const RawGguf raw_bigs = OneArray<uint64_t>(Type::kUint64, {1, uint64_t{1} << 63});
  ExpectWrongType(ParseOrDie(raw_bigs)->GetIntArray("k").status(),
                  "has the element 9223372036854775808, which does not fit into int64");

  const RawGguf raw_doubles = OneArray<double>(Type::kFloat64, {1e39});
  ExpectWrongType(ParseOrDie(raw_doubles)->GetFloatArray("k").status(),
                  "has the element 1e+39, which does not fit into float32");
  const double infinity = std::numeric_limits<double>::infinity();
  const RawGguf raw_infinity = OneArray<double>(Type::kFloat64, {infinity});
  EXPECT_THAT(*ParseOrDie(raw_infinity)->GetFloatArray("k"),
              ElementsAre(std::numeric_limits<float>::infinity()));
}

std::string DescribeOne(const RawGguf& raw) {
  const auto file = ParseOrDie(raw);
  return file->Describe(file->metadata()[0].value);
}

TEST(GgufTest, DescribesValues) {
  EXPECT_EQ(DescribeOne(OneValue(Type::kInt8, int8_t{-5})), "-5");
  EXPECT_EQ(DescribeOne(OneValue(Type::kUint8, uint8_t{65})), "65");
  EXPECT_EQ(DescribeOne(OneValue(Type::kUint64, ~uint64_t{0})), "18446744073709551615");
  EXPECT_EQ(DescribeOne(OneValue(Type::kFloat32, 1e-5f)), "1e-05");
  EXPECT_EQ(DescribeOne(OneValue(Type::kFloat64, 0.1)), "0.1");
  EXPECT_EQ(DescribeOne(OneValue(Type::kBool, uint8_t{1})), "true");
  EXPECT_EQ(DescribeOne(OneValue(Type::kBool, uint8_t{0})), "false");
  EXPECT_EQ(DescribeOne(RawGguf(3, 0, 1).Key("k", Type::kString).String("say \"hi\"\n")),
            "\"say \\\"hi\\\"\\n\"");
  EXPECT_EQ(DescribeOne(RawGguf(3, 0, 1).Key("k", Type::kString).String(std::string(1000, 'x'))),
            "\"" + std::string(80, 'x') + "...\"");
}

TEST(GgufTest, DescribesArrays) {
  EXPECT_EQ(DescribeOne(OneArray<int32_t>(Type::kInt32, {})), "[]");
  EXPECT_EQ(DescribeOne(OneArray<int8_t>(Type::kInt8, {1, -2, 3})), "[1, -2, 3]");
  EXPECT_EQ(DescribeOne(OneArray<float>(Type::kFloat32, {0.5f})), "[0.5]");
  EXPECT_EQ(DescribeOne(OneArray<uint16_t>(Type::kUint16, {1, 2, 3, 4, 5, 6, 7, 8, 9})),
            "[9 uint16 values]");
  EXPECT_EQ(DescribeOne(OneArray<uint8_t>(Type::kBool, {1})), "[1 bool value]");
  EXPECT_EQ(DescribeOne(RawGguf(3, 0, 1).ArrayKey("k", Type::kString, 1).String("a")),
            "[1 string]");
  EXPECT_EQ(DescribeOne(RawGguf(3, 0, 1).ArrayKey("k", Type::kString, 2).String("a").String("b")),
            "[2 strings]");
}

TEST(GgufTest, FindsAmongManyTensorsAndTokens) {
  constexpr int kTokens = 150'000;
  constexpr int kTensors = 1'000;
  std::vector<std::string> tokens;
  for (int i = 0; i < kTokens; ++i) tokens.push_back("token " + std::to_string(i));
  GgufWriter writer;
  writer.SetStringArray("tokens", tokens);
  const uint64_t dims[] = {1};
  for (int i = 0; i < kTensors; ++i) {
    const float value = static_cast<float>(i);
    writer.AddTensor("tensor " + std::to_string(i), 0, dims, std::as_bytes(std::span(&value, 1)));
  }
  const std::vector<std::byte> bytes = writer.Encode();
  const auto file = GgufFile::Parse(bytes, "many.gguf").value();

  const auto read = file->GetStringArray("tokens");
  ASSERT_TRUE(read.ok());
  ASSERT_THAT(*read, SizeIs(kTokens));
  EXPECT_EQ(read->back(), tokens.back());
  for (int i = 0; i < kTensors; ++i) {
    const GgufTensor* tensor = file->FindTensor("tensor " + std::to_string(i));
    ASSERT_NE(tensor, nullptr);
    float value = 0;
    std::memcpy(&value, tensor->data.data(), sizeof(value));
    EXPECT_EQ(value, static_cast<float>(i));
  }
  EXPECT_EQ(file->FindTensor("tensor"), nullptr);
  EXPECT_EQ(file->FindTensor("tensor 1000"), nullptr);
}

TEST(GgufOpenTest, SaysWhatIsWrongWithThePath) {
  const auto folder = std::filesystem::path(::testing::TempDir());
  const Status missing = GgufFile::Open("no/such/file.gguf").status();
  EXPECT_EQ(missing.code(), StatusCode::kNotFound);
  EXPECT_EQ(missing.message(), "no/such/file.gguf: cannot open: No such file or directory");

  const Status directory = GgufFile::Open(folder.string()).status();
  EXPECT_EQ(directory.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(directory.message(), folder.string() + ": is a directory, not a file");

  const Status device = GgufFile::Open("/dev/null").status();
  EXPECT_EQ(device.message(), "/dev/null: is not a regular file");
}

TEST(GgufOpenTest, MapsAFileAndChecksItLikeBytes) {
  const std::string path = ::testing::TempDir() + "/aio_gguf_open_test.gguf";
  GgufWriter writer;
  writer.SetString("general.name", "mapped");
  ASSERT_TRUE(writer.WriteFile(path).ok());
  {
    const auto file = GgufFile::Open(path);
    ASSERT_TRUE(file.ok()) << file.status().ToString();
    EXPECT_EQ((*file)->path(), path);
    EXPECT_EQ((*file)->file_size(), std::filesystem::file_size(path));
    EXPECT_EQ(*(*file)->GetString("general.name"), "mapped");
  }
  std::filesystem::resize_file(path, 30);
  EXPECT_THAT(GgufFile::Open(path).status().message(), HasSubstr(path + ": "));
  std::filesystem::resize_file(path, 0);
  const Status empty = GgufFile::Open(path).status();
  EXPECT_EQ(empty.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(empty.message(), path + ": the file is empty; expected a GGUF file");
  std::filesystem::remove(path);
}

TEST(GgufOpenTest, ReadsRealVocabularies) {
  const std::filesystem::path folder =
      std::string(AIO_SOURCE_DIR) + "/../shared/data/tokenizer_conformity";
  if (!std::filesystem::is_directory(folder)) GTEST_SKIP() << "no vocabularies in " << folder;
  int num_files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".gguf") continue;
    ++num_files;
    const auto file = GgufFile::Open(entry.path().string());
    ASSERT_TRUE(file.ok()) << file.status().ToString();
    EXPECT_NE(TouchGguf(**file), 0u);
    const auto tokens = (*file)->GetStringArray("tokenizer.ggml.tokens");
    const auto types = (*file)->GetIntArray("tokenizer.ggml.token_type");
    ASSERT_TRUE(tokens.ok() && types.ok());
    EXPECT_GT(tokens->size(), 10'000u);
    EXPECT_EQ(tokens->size(), types->size());
    EXPECT_TRUE((*file)->GetString("tokenizer.ggml.model").ok());
  }
  EXPECT_GT(num_files, 0);
}

}  // namespace
}  // namespace aio
