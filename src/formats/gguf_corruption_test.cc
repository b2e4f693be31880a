// Damaged and hostile files: an error that says what is wrong, and never a crash, a read
// past the end or an allocation that the file's size does not warrant.
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <new>

#include "base/utf8.h"
#include "formats/gguf.h"
#include "formats/gguf_testing.h"
#include "formats/gguf_writer.h"

namespace {
// The largest single allocation since it was last set to 0.
thread_local size_t g_largest_allocation = 0;

void* Allocate(size_t size) {
  g_largest_allocation = std::max(g_largest_allocation, size);
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
}  // namespace

// Not inlined: gcc would see free() meet a pointer from operator new, and warn.
[[gnu::noinline]] void* operator new(size_t size) { return Allocate(size); }
[[gnu::noinline]] void* operator new[](size_t size) { return Allocate(size); }
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory, size_t) noexcept { std::free(memory); }

namespace aio {
namespace {

using ::testing::HasSubstr;
using Type = GgufValue::Type;

constexpr uint64_t kHuge = uint64_t{1} << 60;
constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();

// Parses a copy of exactly `size` bytes (so that AddressSanitizer sees a read past them) and
// touches everything; returns the error.
Status ParseAndTouch(const std::byte* bytes, size_t size) {
  const auto copy = std::make_unique<std::byte[]>(size);
  if (size > 0) std::memcpy(copy.get(), bytes, size);
  g_largest_allocation = 0;
  const auto file = GgufFile::Parse({copy.get(), size}, "bad.gguf");
  const uint64_t digest = file.ok() ? TouchGguf(**file) : 1;
  EXPECT_LE(g_largest_allocation, 16 * size + 4096);
  EXPECT_NE(digest, 0u);
  const Status status = file.status();
  EXPECT_TRUE(status.ok() || status.message().starts_with("bad.gguf: ")) << status.message();
  EXPECT_TRUE(IsValidUtf8(status.message())) << status.message();
  return status;
}

Status ParseAndTouch(const std::vector<std::byte>& bytes) {
  return ParseAndTouch(bytes.data(), bytes.size());
}

struct Case {
  std::string name;
  RawGguf file;
  std::vector<std::string> parts;  // of the message
  StatusCode code = StatusCode::kInvalidArgument;
};

// A file with one key whose value is to follow.
RawGguf KeyFile(Type type) { return RawGguf(3, 0, 1).Key("the.key", type); }
RawGguf ArrayFile(Type element_type, uint64_t count) {
  return RawGguf(3, 0, 1).ArrayKey("the.key", element_type, count);
}
// A file with one tensor and 64 bytes of data.
RawGguf TensorFile(uint32_t type, std::initializer_list<uint64_t> dims, uint64_t offset) {
  return RawGguf(3, 1, 0).Tensor("the.tensor", type, dims, offset).Pad().Zeros(64);
}
RawGguf AlignmentFile(uint32_t alignment) {
  return RawGguf(3, 0, 1).Key("general.alignment", Type::kUint32).Number(alignment);
}

std::vector<Case> StartCases() {
  const auto unimplemented = StatusCode::kUnimplemented;
  return {
      {"empty", RawGguf(), {"the file is empty"}},
      {"magic",
       RawGguf().Text("\x7F"
                      "ELF"),
       {"begins with \"\\u{7f}ELF\"", "\"GGUF\""}},
      {"short_magic", RawGguf().Text("GG"), {"the magic number takes 4 bytes", "ends at byte 2"}},
      {"safetensors", RawGguf().Text("\x10\xFF\0\0"), {"begins with", "it is not a GGUF file"}},
      {"ggml", RawGguf().Text("lmgg").Zeros(8), {"GGML file from before GGUF"}},
      {"lfs", RawGguf().Text("version https://git-lfs"), {"git lfs pull"}},
      {"html", RawGguf().Text("<!DOCTYPE html>"), {"web page"}},
      {"zip", RawGguf().Text("PK\x03\x04 archive"), {"PyTorch checkpoint"}},
      {"no_version", RawGguf().Text("GGUF"), {"the version takes 4 bytes from byte 4 on"}},
      {"version_0", RawGguf(0, 0, 0), {"is GGUF version 0", "versions 2 and 3"}, unimplemented},
      {"version_1", RawGguf(1, 0, 0), {"is GGUF version 1", "versions 2 and 3"}, unimplemented},
      {"version_4", RawGguf(4, 0, 0), {"is GGUF version 4", "versions 2 and 3"}, unimplemented},
      {"big_endian", RawGguf(3u << 24, 0, 0), {"is a big-endian GGUF file"}, unimplemented},
      {"big_endian_2", RawGguf().Text("FUGG").Number(2u << 24), {"big-endian"}, unimplemented},
      {"no_counts", RawGguf().Text("GGUF").Number(3u), {"the number of tensors takes 8 bytes"}},
      {"huge_keys", RawGguf(3, 0, kHuge).Zeros(99), {"claims 1152921504606846976 metadata keys"}},
      {"most_keys", RawGguf(3, 0, kMost).Zeros(99), {"claims 18446744073709551615 metadata keys"}},
      {"some_keys", RawGguf(3, 0, 9).Zeros(99), {"claims 9 metadata keys", "for at most 7"}},
      {"huge_tensors", RawGguf(3, kHuge, 0).Zeros(99), {"claims 1152921504606846976 tensors"}},
      {"some_tensors", RawGguf(3, 4, 0).Zeros(99), {"claims 4 tensors", "room for at most 3"}},
  };
}

std::vector<Case> KeyCases() {
  return {
      {"key_length",
       RawGguf(3, 0, 1).Number(uint64_t{1} << 63).Zeros(20),
       {"metadata key 1 of 1: its name takes 9223372036854775808 bytes", "ends at byte 52"}},
      {"key_length_wraps",
       RawGguf(3, 0, 1).Number(kMost).Zeros(20),
       {"metadata key 1 of 1", "takes 18446744073709551615 bytes"}},
      {"key_empty",
       RawGguf(3, 0, 1).Key("", Type::kUint32).Number(1u),
       {"metadata key 1 of 1: its name is empty"}},
      {"key_too_long",
       RawGguf(3, 0, 1).Key(std::string(65536, 'k'), Type::kUint32).Number(1u),
       {"metadata key 1 of 1: its name has 65536 bytes", "at most 65535"}},
      {"key_not_utf8",
       RawGguf(3, 0, 1).Key("a\xFF\x1b", Type::kUint32).Number(1u),
       {"metadata key 1 of 1: its name \"a\\xff\\u{1b}\" is not valid UTF-8 at its byte 1"}},
      {"key_twice",
       RawGguf(3, 0, 3)
           .Key("a", Type::kUint8)
           .Text("1")
           .Key("b", Type::kUint8)
           .Text("1")
           .Key("a", Type::kUint8)
           .Text("2"),
       {"metadata key \"a\" appears more than once"}},
      {"value_type",
       KeyFile(Type{13}).Zeros(20),
       {"metadata key \"the.key\": the type of its value is 13 at byte 39; expected 0 (uint8) to "
        "12 (float64)"}},
      {"no_type", RawGguf(3, 0, 1).String("the.key.is.long.enough"), {"the type of its value"}},
      {"value_missing", KeyFile(Type::kUint64).Zeros(7), {"\"the.key\": its value takes 8 bytes"}},
      {"bool_2", KeyFile(Type::kBool).Text("\2"), {"\"the.key\"", "a bool of 2; expected 0 or 1"}},
      {"string_length",
       KeyFile(Type::kString).Number(uint64_t{1} << 63).Zeros(5),
       {"metadata key \"the.key\": its string takes 9223372036854775808 bytes from byte 51"}},
      {"string_length_missing",
       KeyFile(Type::kString).Zeros(7),
       {"metadata key \"the.key\": the length of its string takes 8 bytes"}},
  };
}

std::vector<Case> ArrayCases() {
  return {
      {"element_type",
       ArrayFile(Type{99}, 1).Zeros(20),
       {"metadata key \"the.key\": the type of its elements is 99"}},
      {"count",
       ArrayFile(Type::kInt32, 3).Zeros(11),
       {"metadata key \"the.key\": claims 3 elements of int32", "only 11 bytes left"}},
      {"count_huge",
       ArrayFile(Type::kFloat64, kHuge).Zeros(11),
       {"claims 1152921504606846976 elements of float64"}},
      {"count_wraps",
       ArrayFile(Type::kUint64, (uint64_t{1} << 61) + 1).Zeros(11),
       {"claims 2305843009213693953 elements of uint64"}},
      {"no_count", KeyFile(Type::kArray).Number(4u).Zeros(7), {"the number of its elements"}},
      {"bools", ArrayFile(Type::kBool, 2).Text("\1\x80"), {"a bool of 128; expected 0 or 1"}},
      {"strings_count",
       ArrayFile(Type::kString, kHuge).Zeros(40),
       {"metadata key \"the.key\": claims 1152921504606846976 strings", "only 40 bytes left"}},
      {"string_in_array",
       ArrayFile(Type::kString, 3).String("a").Number(kMost).Zeros(40),
       {"metadata key \"the.key\": string 2 of 3, at byte 64, reaches past the end of the file"}},
      {"string_length_cut",
       ArrayFile(Type::kString, 2).String("123456789").Zeros(3),
       {"string 2 of 2, at byte 72, reaches past the end of the file at byte 75"}},
      {"arrays_of_arrays",
       ArrayFile(Type::kArray, 1).Number(9u).Number(uint64_t{1}).Zeros(40),
       {"metadata key \"the.key\": is an array of arrays, which is not supported"},
       StatusCode::kUnimplemented},
  };
}

std::vector<Case> AlignmentCases() {
  const std::string key = "metadata key \"general.alignment\" is ";
  return {
      {"alignment_0", AlignmentFile(0), {key + "0; expected a power of two of at least 8"}},
      {"alignment_4", AlignmentFile(4), {key + "4; expected a power of two"}},
      {"alignment_48", AlignmentFile(48), {key + "48; expected a power of two"}},
      {"alignment_type",
       RawGguf(3, 0, 1).Key("general.alignment", Type::kUint64).Number(uint64_t{32}),
       {key + "uint64; expected uint32"}},
      {"alignment_past_the_end",
       RawGguf(3, 1, 1)
           .Key("general.alignment", Type::kUint32)
           .Number(uint32_t{1} << 31)
           .Tensor("the.tensor", 24, {1}, 0)
           .Zeros(99),
       {"tensor \"the.tensor\": its data begins at offset 0 of the tensor data, which has 0 "
        "bytes"}},
  };
}

std::vector<Case> ShapeCases() {
  const std::string tensor = "tensor \"the.tensor\": ";
  return {
      {"no_dims", TensorFile(0, {}, 0), {tensor + "has 0 dimensions; expected 1 to 4"}},
      {"five_dims", TensorFile(0, {1, 1, 1, 1, 1}, 0), {tensor + "has 5 dimensions"}},
      {"most_dims",
       RawGguf(3, 1, 0).String("the.tensor").Number(~uint32_t{0}).Zeros(99),
       {tensor + "has 4294967295 dimensions; expected 1 to 4"}},
      {"zero_dim", TensorFile(0, {4, 0}, 0), {tensor + "has shape [4, 0]; expected every"}},
      {"zero_dim_first", TensorFile(8, {0}, 0), {tensor + "has shape [0]; expected every"}},
      {"elements_wrap",
       TensorFile(0, {1ull << 32, 1ull << 32}, 0),
       {tensor + "has shape [4294967296, 4294967296], which is more than 2^63 elements"}},
      {"elements_negative", TensorFile(0, {1ull << 63}, 0), {"more than 2^63 elements"}},
      {"bytes_wrap", TensorFile(28, {1ull << 62}, 0), {tensor + "F64 [4611686018427387904] takes"}},
      {"row_of_a_block",
       TensorFile(8, {33, 2}, 0),
       {tensor + "its rows have 33 elements; expected a multiple of 32, the block size of its type "
                 "Q8_0"}},
      {"rows_of_half_blocks", TensorFile(12, {128, 2}, 0), {"a multiple of 256", "Q4_K"}},
  };
}

std::vector<Case> PlaceCases() {
  const std::string tensor = "tensor \"the.tensor\": ";
  return {
      {"offset_misaligned",
       TensorFile(0, {1}, 4),
       {tensor + "its offset is 4; expected a multiple of the alignment 32"}},
      {"offset_past_the_end",
       TensorFile(0, {1}, 64),
       {tensor + "its data begins at offset 64 of the tensor data, which has 64 bytes"}},
      {"offset_wraps",
       TensorFile(0, {1}, kMost - 31),
       {tensor + "its data begins at offset 184467"}},
      {"offset_of_unknown_type", TensorFile(99, {1}, 1ull << 40), {tensor + "its data begins"}},
      {"data_past_the_end",
       TensorFile(0, {3, 4}, 32),
       {tensor + "F32 [3, 4] takes 48 bytes from byte 128 on, but the file ends at byte 160"}},
      {"data_far_past_the_end",
       TensorFile(1, {1ull << 61}, 0),
       {"takes 4611686018427387904 bytes"}},
      {"no_data",
       RawGguf(3, 1, 0).Tensor("the.tensor", 0, {1}, 0),
       {tensor + "its data begins at offset 0 of the tensor data, which has 0 bytes"}},
      {"overlap",
       RawGguf(3, 2, 0).Tensor("b", 24, {8}, 32).Tensor("a", 24, {33}, 0).Pad().Zeros(64),
       {"tensor \"b\": its data at byte 128 overlaps that of tensor \"a\", 33 bytes from byte 96"}},
      {"same_place",
       RawGguf(3, 2, 0).Tensor("a", 24, {8}, 0).Tensor("b", 24, {8}, 0).Pad().Zeros(64),
       {"overlaps that of tensor"}},
  };
}

std::vector<Case> TensorNameCases() {
  return {
      {"name_length",
       RawGguf(3, 1, 0).Number(kMost).Zeros(40),
       {"tensor 1 of 1: its name takes 18446744073709551615 bytes"}},
      {"name_empty", RawGguf(3, 1, 0).Tensor("", 0, {1}, 0).Pad(), {"tensor 1 of 1: its name is"}},
      {"name_not_utf8",
       RawGguf(3, 1, 0).Tensor("t\xC0", 0, {1}, 0).Pad(),
       {"tensor 1 of 1: its name \"t\\xc0\" is not valid UTF-8 at its byte 1"}},
      {"name_twice",
       RawGguf(3, 2, 0).Tensor("t\n", 24, {8}, 0).Tensor("t\n", 24, {8}, 32).Pad().Zeros(64),
       {"tensor \"t\\n\" appears more than once"}},
      {"name_cuts_the_rest",
       RawGguf(3, 1, 0).String(std::string(40, 'n')),
       {"its number of dimensions takes 4 bytes"}},
  };
}

class GgufCorruptionTest : public ::testing::TestWithParam<Case> {};

TEST_P(GgufCorruptionTest, IsNamedInTheError) {
  const Status status = ParseAndTouch(GetParam().file.bytes());
  EXPECT_EQ(status.code(), GetParam().code) << status.ToString();
  for (const std::string& part : GetParam().parts) EXPECT_THAT(status.message(), HasSubstr(part));
}

std::string CaseName(const ::testing::TestParamInfo<Case>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Start, GgufCorruptionTest, ::testing::ValuesIn(StartCases()), CaseName);
INSTANTIATE_TEST_SUITE_P(Key, GgufCorruptionTest, ::testing::ValuesIn(KeyCases()), CaseName);
INSTANTIATE_TEST_SUITE_P(Array, GgufCorruptionTest, ::testing::ValuesIn(ArrayCases()), CaseName);
INSTANTIATE_TEST_SUITE_P(Alignment, GgufCorruptionTest, ::testing::ValuesIn(AlignmentCases()),
                         CaseName);
INSTANTIATE_TEST_SUITE_P(Shape, GgufCorruptionTest, ::testing::ValuesIn(ShapeCases()), CaseName);
INSTANTIATE_TEST_SUITE_P(Place, GgufCorruptionTest, ::testing::ValuesIn(PlaceCases()), CaseName);
INSTANTIATE_TEST_SUITE_P(TensorName, GgufCorruptionTest, ::testing::ValuesIn(TensorNameCases()),
                         CaseName);

// The seeds of the fuzzer, and the files whose every damage is tried below.

std::vector<std::byte> ModelSeed() {
  GgufWriter writer;
  writer.SetString("general.architecture", "llama");
  writer.SetUint32("llama.block_count", 1);
  writer.SetFloat32("llama.attention.layer_norm_rms_epsilon", 1e-5f);
  writer.SetBool("tokenizer.ggml.add_bos_token", true);
  writer.SetStringArray("tokenizer.ggml.tokens", std::vector<std::string>{"<s>", "a", "\xE2\x96"});
  writer.SetFloat32Array("tokenizer.ggml.scores", std::vector<float>{0.f, -1.f, -2.f});
  writer.SetInt32Array("tokenizer.ggml.token_type", std::vector<int32_t>{3, 1, 6});
  for (const uint32_t type : {0u, 1u, 8u, 30u}) {
    const uint64_t dims[] = {32, 2};
    const std::vector<std::byte> data(*TensorBytes(type, 64), std::byte{0x3C});
    writer.AddTensor("blk.0." + std::string(TensorTypeName(type)), type, dims, data);
  }
  return writer.Encode();
}

// Each scalar type, each array type, a tensor of an odd type and an alignment of its own.
std::vector<std::byte> TypesSeed() {
  constexpr auto kSizes = std::to_array<size_t>({1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8});
  RawGguf raw(2, 2, 1 + 11 + 12);
  raw.Key("general.alignment", Type::kUint32).Number(8u);
  for (uint32_t i = 0; i < kSizes.size(); ++i) {
    const std::string number = std::to_string(i);
    if (kSizes[i] > 0) raw.Key("s" + number, Type{i}).Text(std::string(kSizes[i], '\1'));
    if (kSizes[i] > 0)
      raw.ArrayKey("a" + number, Type{i}, 2).Text(std::string(2 * kSizes[i], '\1'));
  }
  raw.ArrayKey("a8", Type::kString, 2).String("").String("x");
  return raw.Tensor("q", 14, {256}, 0).Tensor("?", 77, {3}, 216).Pad(8).Zeros(224).bytes();
}

std::map<std::string, std::vector<std::byte>> Seeds() {
  return {{"model.gguf", ModelSeed()},
          {"types.gguf", TypesSeed()},
          {"nothing.gguf", RawGguf(3, 0, 0).bytes()},
          {"nested_array.gguf", RawGguf(3, 0, 1).ArrayKey("k", Type::kArray, 1).Zeros(32).bytes()},
          {"big_endian.gguf", RawGguf(3u << 24, 0, 0).bytes()}};
}

TEST(GgufDamageTest, UndamagedFilesParse) {
  for (const char* name : {"model.gguf", "types.gguf", "nothing.gguf"}) {
    const Status status = ParseAndTouch(Seeds().at(name));
    EXPECT_TRUE(status.ok()) << name << ": " << status.ToString();
  }
}

TEST(GgufDamageTest, EveryTruncationIsAnError) {
  for (const auto& [name, bytes] : Seeds()) {
    // The padding after the last tensor may be missing.
    const size_t needed = bytes.size() - (name == "types.gguf" ? 7 : 0);
    for (size_t size = 0; size < bytes.size(); ++size) {
      const Status status = ParseAndTouch(bytes.data(), size);
      EXPECT_TRUE(size >= needed || !status.ok()) << name << " cut to " << size << " bytes";
    }
  }
}

TEST(GgufDamageTest, EveryFlippedBitIsSurvived) {
  for (auto& [name, bytes] : Seeds()) {
    for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      auto damaged = bytes;
      damaged[bit / 8] ^= std::byte{1} << (bit % 8);
      (void)ParseAndTouch(damaged);
    }
  }
}

// Lengths, counts and offsets are 8 bytes anywhere: put the worst numbers everywhere.
TEST(GgufDamageTest, EveryHugeNumberIsSurvived) {
  for (auto& [name, bytes] : Seeds()) {
    for (const uint64_t number : {uint64_t{0}, kHuge, kMost, kMost - 7, kMost - 31, kMost >> 1}) {
      for (size_t at = 0; at + sizeof(number) <= bytes.size(); ++at) {
        auto damaged = bytes;
        std::memcpy(damaged.data() + at, &number, sizeof(number));
        (void)ParseAndTouch(damaged);
      }
    }
  }
}

TEST(GgufDamageTest, ManyKeysCostLittle) {
  constexpr int kKeys = 20'000;
  RawGguf raw(3, 0, kKeys);
  for (int i = 0; i < kKeys; ++i) raw.Key(std::to_string(i), Type::kUint8).Text("1");
  EXPECT_TRUE(ParseAndTouch(raw.bytes()).ok());
}

std::vector<std::byte> ReadBytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

// AIO_WRITE_FUZZ_CORPUS=1 writes the seeds anew.
TEST(GgufFuzzCorpusTest, HoldsTheSeedsAndSurvives) {
  const auto folder = std::filesystem::path(AIO_SOURCE_DIR) / "src/formats/fuzz_corpus/gguf";
  for (const auto& [name, bytes] : Seeds()) {
    ASSERT_LT(bytes.size(), 2048u) << name;
    if (std::getenv("AIO_WRITE_FUZZ_CORPUS") != nullptr) {
      std::filesystem::create_directories(folder);
      std::ofstream(folder / name, std::ios::binary)
          .write(reinterpret_cast<const char*>(bytes.data()),
                 static_cast<std::streamsize>(bytes.size()));
    }
    EXPECT_TRUE(ReadBytes(folder / name) == bytes) << name << " is not what the test makes";
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    (void)ParseAndTouch(ReadBytes(entry.path()));
  }
}

}  // namespace
}  // namespace aio
