#include "formats/gguf_writer.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "formats/gguf.h"
#include "formats/gguf_testing.h"

namespace aio {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using Type = GgufValue::Type;
namespace fs = std::filesystem;

std::vector<std::byte> CountingBytes(size_t count) {
  std::vector<std::byte> bytes(count);
  for (size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::byte>(i * 7 + 1);
  return bytes;
}

TEST(GgufWriterTest, LaysOutTheFileAsSpecified) {
  GgufWriter writer;
  writer.SetUint32("a", 7);
  const uint64_t dims[] = {2, 1};
  writer.AddTensor("t", 24, dims, CountingBytes(2));

  const RawGguf expected = RawGguf(3, 1, 1)
                               .Key("a", Type::kUint32)
                               .Number(uint32_t{7})
                               .Tensor("t", 24, {2, 1}, 0)
                               .Pad()
                               .Bytes(CountingBytes(2))
                               .Pad();
  EXPECT_EQ(writer.Encode(), expected.bytes());
}

TEST(GgufWriterTest, KeepsEveryValue) {
  GgufWriter writer;
  writer.SetUint32("u", 4'000'000'000u);
  writer.SetFloat32("f", -0.25f);
  writer.SetBool("yes", true);
  writer.SetBool("no", false);
  writer.SetString("s", "text");
  writer.SetStringArray("ss", std::vector<std::string>{"a", "", "\xC3\xA7"});
  writer.SetFloat32Array("ff", std::vector<float>{1.f, 2.f});
  writer.SetInt32Array("ii", std::vector<int32_t>{-1, 2});
  writer.SetInt32Array("none", {});
  const auto bytes = writer.Encode();
  const auto file = GgufFile::Parse(bytes, "w.gguf").value();

  EXPECT_EQ(*file->GetInt("u"), 4'000'000'000);
  EXPECT_EQ(*file->GetFloat("f"), -0.25);
  EXPECT_TRUE(*file->GetBool("yes"));
  EXPECT_FALSE(*file->GetBool("no"));
  EXPECT_EQ(*file->GetString("s"), "text");
  EXPECT_THAT(*file->GetStringArray("ss"), ElementsAre("a", "", "\xC3\xA7"));
  EXPECT_THAT(*file->GetFloatArray("ff"), ElementsAre(1.f, 2.f));
  EXPECT_THAT(*file->GetIntArray("ii"), ElementsAre(-1, 2));
  EXPECT_THAT(*file->GetIntArray("none"), IsEmpty());
}

TEST(GgufWriterTest, SettingAKeyAgainReplacesIt) {
  GgufWriter writer;
  writer.SetUint32("a", 1);
  writer.SetUint32("b", 2);
  writer.SetString("a", "one");
  const auto bytes = writer.Encode();
  const auto file = GgufFile::Parse(bytes, "w.gguf").value();
  EXPECT_EQ(file->metadata().size(), 2u);
  EXPECT_EQ(file->metadata()[0].key, "a");
  EXPECT_EQ(*file->GetString("a"), "one");
}

// One value of every type, and one array of every type that an array may hold.
RawGguf EveryValue() {
  constexpr auto kSizes = std::to_array<size_t>({1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8});
  RawGguf raw(3, 0, 12 + 12);
  for (uint32_t i = 0; i < kSizes.size(); ++i) {
    const Type type{i};
    if (type == Type::kArray) continue;
    raw.Key("one " + std::to_string(i), type);
    if (type == Type::kString) {
      raw.String("text");
    } else {
      raw.Text(std::string(kSizes[i], '\1'));
    }
    raw.ArrayKey("two of " + std::to_string(i), type, 2);
    if (type == Type::kString) {
      raw.String("").String("more");
    } else {
      raw.Text(std::string(2 * kSizes[i], '\1'));
    }
  }
  return raw.Pad();
}

TEST(GgufWriterTest, CopiesEveryValueOfAnotherFile) {
  const RawGguf raw = EveryValue();
  const auto source = GgufFile::Parse(raw.bytes(), "source.gguf").value();
  ASSERT_EQ(source->metadata().size(), 24u);
  GgufWriter writer;
  for (const auto& [key, value] : source->metadata()) writer.SetValue(key, value);
  EXPECT_EQ(writer.Encode(), raw.bytes());
}

TEST(GgufWriterTest, LeavesTheAlignmentOfAnotherFileOut) {
  const RawGguf raw =
      RawGguf(3, 0, 1).Key("general.alignment", Type::kUint32).Number(uint32_t{4096});
  const auto source = GgufFile::Parse(raw.bytes(), "source.gguf").value();
  GgufWriter writer;
  writer.SetValue("general.alignment", source->metadata()[0].value);
  const auto bytes = writer.Encode();
  EXPECT_THAT(GgufFile::Parse(bytes, "w.gguf").value()->metadata(), IsEmpty());
}

TEST(GgufWriterTest, KeepsTensorsOfEveryType) {
  GgufWriter writer;
  uint32_t num_tensors = 0;
  for (uint32_t type = 0; type < 64; ++type) {
    const auto block = FindTensorBlock(type);
    if (!block) continue;
    ++num_tensors;
    const uint64_t dims[] = {2 * block->elements, 3};
    const auto data = CountingBytes(6 * block->bytes);
    writer.AddTensor(TensorTypeName(type), type, dims, data);
  }
  const auto bytes = writer.Encode();
  const auto file = GgufFile::Parse(bytes, "w.gguf").value();
  ASSERT_EQ(file->tensors().size(), num_tensors);
  for (const GgufTensor& tensor : file->tensors()) {
    EXPECT_EQ(tensor.name, TensorTypeName(tensor.type));
    const TensorBlock block = *FindTensorBlock(tensor.type);
    EXPECT_THAT(tensor.dims, ElementsAre(2 * block.elements, 3));
    EXPECT_EQ((tensor.data.data() - bytes.data()) % 32, 0);
    EXPECT_THAT(tensor.data, ::testing::ElementsAreArray(CountingBytes(6 * block.bytes)));
  }
}

TEST(GgufWriterDeathTest, RefusesWhatNoProgramShouldWrite) {
  GgufWriter writer;
  const uint64_t dims[] = {32};
  writer.AddTensor("t", 8, dims, CountingBytes(34));
  EXPECT_DEATH(writer.AddTensor("t", 8, dims, CountingBytes(34)), "tensor names are unique");
  EXPECT_DEATH(writer.AddTensor("u", 8, dims, CountingBytes(33)), "fits its type and shape");
  EXPECT_DEATH(writer.AddTensor("u", 8, {}, {}), "1 to 4 dimensions");
  EXPECT_DEATH(writer.AddTensor("", 8, dims, CountingBytes(34)), "a tensor has a name");
}

class GgufWriteFileTest : public ::testing::Test {
 protected:
  GgufWriteFileTest() {
    folder_ = fs::path(::testing::TempDir()) /
              (std::string("aio_gguf_") +
               ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directory(folder_);
  }
  ~GgufWriteFileTest() override { fs::remove_all(folder_); }

  std::vector<std::string> Files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }

  fs::path folder_;
};

TEST_F(GgufWriteFileTest, WritesWhatEncodeGives) {
  GgufWriter writer;
  writer.SetString("general.name", "file");
  const uint64_t dims[] = {5};
  writer.AddTensor("a", 24, dims, CountingBytes(5));
  writer.AddTensor("b", 24, dims, CountingBytes(5));
  const std::string path = folder_ / "m.gguf";
  const Status status = writer.WriteFile(path);
  ASSERT_TRUE(status.ok()) << status.ToString();

  std::ifstream in(path, std::ios::binary);
  const std::string read((std::istreambuf_iterator<char>(in)), {});
  const auto encoded = writer.Encode();
  EXPECT_EQ(read, std::string(reinterpret_cast<const char*>(encoded.data()), encoded.size()));
  EXPECT_THAT(Files(), ElementsAre("m.gguf"));
}

TEST_F(GgufWriteFileTest, ReplacesAFileAsAWhole) {
  const std::string path = folder_ / "m.gguf";
  GgufWriter first;
  first.SetString("general.name", std::string(1000, 'x'));
  ASSERT_TRUE(first.WriteFile(path).ok());
  const auto still_open = GgufFile::Open(path).value();
  GgufWriter second;
  second.SetString("general.name", "short");
  ASSERT_TRUE(second.WriteFile(path).ok());

  EXPECT_EQ(*GgufFile::Open(path).value()->GetString("general.name"), "short");
  EXPECT_EQ(still_open->GetString("general.name")->size(), 1000u);
  EXPECT_THAT(Files(), ElementsAre("m.gguf"));
}

TEST_F(GgufWriteFileTest, NamesTheFileItCannotWrite) {
  const GgufWriter writer;
  const Status missing = writer.WriteFile(folder_ / "none" / "m.gguf");
  EXPECT_EQ(missing.code(), StatusCode::kNotFound);
  EXPECT_THAT(missing.message(), HasSubstr((folder_ / "none" / "m.gguf").string() + ": cannot "));
  EXPECT_THAT(missing.message(), HasSubstr("No such file or directory"));
}

TEST_F(GgufWriteFileTest, WritesDeclaredTensorsPieceByPiece) {
  GgufWriter held;
  GgufWriter declared;
  const uint64_t dims[] = {5, 3};
  const uint64_t small[] = {2};
  const std::vector<std::byte> data = CountingBytes(15);
  held.AddTensor("large", 24, dims, data);
  held.AddTensor("small", 24, small, CountingBytes(2));
  declared.DeclareTensor("large", 24, dims);
  declared.AddTensor("small", 24, small, CountingBytes(2));
  const std::string path = folder_ / "m.gguf";
  const Status status =
      declared.WriteFile(path, [&](std::string_view name, const GgufWriter::Put& put) {
        EXPECT_EQ(name, "large");
        const Status first = put(std::span(data).first(4));
        return first.ok() ? put(std::span(data).subspan(4)) : first;
      });
  ASSERT_TRUE(status.ok()) << status.ToString();
  std::ifstream in(path, std::ios::binary);
  const std::string read((std::istreambuf_iterator<char>(in)), {});
  const auto encoded = held.Encode();
  EXPECT_EQ(read, std::string(reinterpret_cast<const char*>(encoded.data()), encoded.size()));
}

TEST_F(GgufWriteFileTest, ASourceThatFailsLeavesNothingBehind) {
  GgufWriter writer;
  const uint64_t dims[] = {5};
  writer.DeclareTensor("t", 24, dims);
  const Status status =
      writer.WriteFile(folder_ / "m.gguf", [](std::string_view, const GgufWriter::Put& put) {
        const Status half = put(CountingBytes(3));
        return half.ok() ? InvalidArgument("no more weights") : half;
      });
  EXPECT_THAT(status.message(), HasSubstr("no more weights"));
  EXPECT_THAT(Files(), IsEmpty());
}

TEST_F(GgufWriteFileTest, ReplacesOnlyFiles) {
  fs::create_directory(folder_ / "taken");
  const GgufWriter writer;
  EXPECT_THAT(writer.WriteFile(folder_ / "taken").message(), HasSubstr("taken: is a directory"));
  const std::string pipe = folder_ / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(writer.WriteFile(pipe).message(), HasSubstr("pipe: is not a regular file"));
  EXPECT_THAT(Files(), UnorderedElementsAre("taken", "pipe"));
}

// A limit on the size of files stands in for a full disk.
TEST_F(GgufWriteFileTest, LeavesNothingBehindWhenTheDiskIsFull) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit = before;
  limit.rlim_cur = 4096;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  GgufWriter writer;
  const uint64_t dims[] = {10000};
  writer.AddTensor("t", 24, dims, CountingBytes(10000));
  const Status status = writer.WriteFile(folder_ / "m.gguf");
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_THAT(status.message(), HasSubstr("m.gguf: cannot write: File too large"));
  EXPECT_THAT(Files(), IsEmpty());
}

}  // namespace
}  // namespace aio
