#include "convert/quantize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cmath>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "convert/testing/logits.h"
#include "formats/gguf.h"
#include "model/check_weights.h"
#include "model/testing/test_model.h"

namespace aio {
namespace {

using testing::AllOf;
using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr WeightType kQuantizedTypes[] = {WeightType::kQ8_0, WeightType::kQ4_0, WeightType::kQ4_K,
                                          WeightType::kQ5_K, WeightType::kQ6_K};

class QuantizeTest : public testing::Test {
 protected:
  QuantizeTest() { fs::create_directories(folder_); }
  ~QuantizeTest() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ / name; }

  // One whose rows are whole blocks of every type.
  static TestModelSpec Spec() {
    TestModelSpec spec;
    spec.hidden_size = 256;
    spec.num_heads = 4;
    spec.head_size = 64;
    spec.intermediate_size = 512;
    spec.vocabulary_size = 300;
    return spec;
  }

  std::string WriteModel(const TestModelSpec& spec) const {
    return WriteBytes("in.gguf", MakeRandomModel(spec));
  }
  std::string WriteBytes(const std::string& name, std::span<const std::byte> bytes) const {
    std::ofstream out(path(name), std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
    return path(name);
  }

  static Result<QuantizeSummary> Run(const std::string& from, const std::string& to,
                                     WeightType type, int threads = 2) {
    Result<ModelSource> source = OpenGgufSource(from);
    if (!source.ok()) return source.status();
    QuantizeOptions options;
    options.type = type;
    options.num_threads = threads;
    return Quantize(std::move(source).value(), to, options);
  }

  static std::string ReadAll(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::vector<std::string> Files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      names.push_back(entry.path().filename());
    }
    return names;
  }

 private:
  const fs::path folder_ =
      fs::path(testing::TempDir()) /
      (std::string("quantize_") + testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(QuantizeTest, AnswersStayCloseToTheOriginals) {
  const std::string in = WriteModel(Spec());
  const std::vector<float> expected = LogitsOf(in);
  const std::pair<WeightType, double> limits[] = {
      {WeightType::kF32, 0.0},   {WeightType::kF16, 0.002}, {WeightType::kBF16, 0.02},
      {WeightType::kQ8_0, 0.02}, {WeightType::kQ6_K, 0.06}, {WeightType::kQ5_K, 0.12},
      {WeightType::kQ4_K, 0.25}, {WeightType::kQ4_0, 0.4}};
  for (const auto& [type, limit] : limits) {
    const auto summary = Run(in, path("out.gguf"), type);
    ASSERT_TRUE(summary.ok()) << summary.status().ToString();
    EXPECT_LE(RelativeDifference(LogitsOf(path("out.gguf")), expected), limit)
        << WeightTypeName(type);
    EXPECT_EQ(summary->bytes_out, fs::file_size(path("out.gguf")));
    EXPECT_EQ(summary->bytes_in, fs::file_size(in));
    EXPECT_TRUE(summary->fallbacks.empty());
  }
}

TEST_F(QuantizeTest, MatricesAreQuantizedAndVectorsAreNot) {
  const std::string in = WriteModel(Spec());
  ASSERT_TRUE(Run(in, path("out.gguf"), WeightType::kQ4_K).ok());
  const auto file = GgufFile::Open(path("out.gguf")).value();
  for (const GgufTensor& tensor : file->tensors()) {
    const std::string_view expected = tensor.dims.size() == 1          ? "F32"
                                      : tensor.name == "output.weight" ? "Q6_K"
                                                                       : "Q4_K";
    EXPECT_EQ(TensorTypeName(tensor.type), expected) << tensor.name;
  }
  EXPECT_EQ(file->GetInt("general.file_type").value(), 15);
  EXPECT_EQ(file->GetInt("general.quantization_version").value(), 2);
}

TEST_F(QuantizeTest, ATiedTableIsTheOutput) {
  TestModelSpec spec = Spec();
  spec.tied = true;
  ASSERT_TRUE(Run(WriteModel(spec), path("out.gguf"), WeightType::kQ4_K).ok());
  const auto file = GgufFile::Open(path("out.gguf")).value();
  EXPECT_EQ(TensorTypeName(file->FindTensor("token_embd.weight")->type), "Q6_K");
}

TEST_F(QuantizeTest, AllOtherMetadataStays) {
  TestModelSpec spec = Spec();
  spec.add_metadata = [](GgufWriter& writer) {
    writer.SetString("general.license", "apache-2.0");
    writer.SetStringArray("tokenizer.ggml.tokens", std::vector<std::string>{"a", "b"});
    writer.SetUint32("general.file_type", 0);
  };
  const std::string in = WriteModel(spec);
  ASSERT_TRUE(Run(in, path("out.gguf"), WeightType::kQ8_0).ok());
  const auto before = GgufFile::Open(in).value();
  const auto after = GgufFile::Open(path("out.gguf")).value();
  for (const auto& [key, value] : before->metadata()) {
    if (key == "general.file_type") continue;
    ASSERT_NE(after->FindValue(key), nullptr) << key;
    EXPECT_EQ(after->Describe(*after->FindValue(key)), before->Describe(value)) << key;
  }
  EXPECT_EQ(after->GetInt("general.file_type").value(), 7);
  EXPECT_EQ(after->metadata().size(), before->metadata().size() + 1);  // quantization_version
}

TEST_F(QuantizeTest, RowsThatAreNotWholeBlocksFallBack) {
  TestModelSpec spec = Spec();
  spec.hidden_size = 96;        // whole blocks of Q8_0
  spec.intermediate_size = 72;  // of nothing
  const std::string in = WriteModel(spec);
  const auto summary = Run(in, path("out.gguf"), WeightType::kQ4_K);
  ASSERT_TRUE(summary.ok()) << summary.status().ToString();
  const auto file = GgufFile::Open(path("out.gguf")).value();
  EXPECT_EQ(TensorTypeName(file->FindTensor("blk.0.attn_q.weight")->type), "Q8_0");
  EXPECT_EQ(TensorTypeName(file->FindTensor("blk.0.attn_output.weight")->type), "Q4_K");
  EXPECT_EQ(TensorTypeName(file->FindTensor("blk.0.ffn_down.weight")->type), "F16");
  EXPECT_EQ(summary->fallbacks.size(), 2U + 2 * 6);  // table, output, 6 of 7 in each layer
  EXPECT_LT(RelativeDifference(LogitsOf(path("out.gguf")), LogitsOf(in)), 0.25);
}

TEST_F(QuantizeTest, TheThreadsDoNotShow) {
  const std::string in = WriteModel(Spec());
  for (const WeightType type : kQuantizedTypes) {
    ASSERT_TRUE(Run(in, path("one.gguf"), type, 1).ok());
    ASSERT_TRUE(Run(in, path("three.gguf"), type, 3).ok());
    EXPECT_EQ(ReadAll(path("one.gguf")), ReadAll(path("three.gguf"))) << WeightTypeName(type);
  }
}

TEST_F(QuantizeTest, WhatIsQuantizedAlreadyIsRefusedByName) {
  const std::string in = WriteModel(Spec());
  ASSERT_TRUE(Run(in, path("q4.gguf"), WeightType::kQ4_K).ok());
  const Status status = Run(path("q4.gguf"), path("out.gguf"), WeightType::kQ8_0).status();
  EXPECT_THAT(status.message(), AllOf(HasSubstr("q4.gguf: tensor \"token_embd.weight\""),
                                      HasSubstr("Q4_K already"), HasSubstr("original")));
  EXPECT_FALSE(fs::exists(path("out.gguf")));
}

TEST_F(QuantizeTest, TheSameTypeIsCopied) {
  ASSERT_TRUE(Run(WriteModel(Spec()), path("a.gguf"), WeightType::kQ4_K).ok());
  ASSERT_TRUE(Run(path("a.gguf"), path("b.gguf"), WeightType::kQ4_K).ok());
  EXPECT_EQ(ReadAll(path("a.gguf")), ReadAll(path("b.gguf")));
}

TEST_F(QuantizeTest, TheInputIsNotOverwritten) {
  const std::string in = WriteModel(Spec());
  fs::create_hard_link(in, path("link.gguf"));
  for (const char* out : {"in.gguf", "link.gguf"}) {
    const Status status = Run(in, path(out), WeightType::kQ8_0).status();
    EXPECT_THAT(status.message(), HasSubstr("is the model that is read")) << out;
  }
  EXPECT_EQ(GgufFile::Open(in).value()->tensors().front().type, 0U);
}

TEST_F(QuantizeTest, AnOlderOutputIsReplacedAsAWhole) {
  const std::string in = WriteModel(Spec());
  WriteBytes("out.gguf", std::vector<std::byte>(100));
  ASSERT_TRUE(Run(in, path("out.gguf"), WeightType::kQ8_0).ok());
  EXPECT_TRUE(GgufFile::Open(path("out.gguf")).ok());
}

// A limit on the size of files stands in for a full disk.
TEST_F(QuantizeTest, AFullDiskLeavesNothingBehind) {
  const std::string in = WriteModel(Spec());
  WriteBytes("out.gguf", std::vector<std::byte>(100, std::byte{7}));
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit = before;
  limit.rlim_cur = 100'000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  const Status status = Run(in, path("out.gguf"), WeightType::kQ8_0).status();
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_THAT(status.message(), HasSubstr("out.gguf: cannot write"));
  EXPECT_EQ(ReadAll(path("out.gguf")), std::string(100, '\7'));
  EXPECT_THAT(Files(), testing::UnorderedElementsAre("in.gguf", "out.gguf"));
}

TEST_F(QuantizeTest, AnInterruptionLeavesNothingBehind) {
  Result<ModelSource> source = OpenGgufSource(WriteModel(Spec()));
  ASSERT_TRUE(source.ok());
  QuantizeOptions options;
  int asked = 0;
  options.cancelled = [&] { return ++asked == 5; };
  const Status status = Quantize(std::move(source).value(), path("out.gguf"), options).status();
  EXPECT_EQ(status.code(), StatusCode::kCancelled);
  EXPECT_THAT(Files(), testing::ElementsAre("in.gguf"));
}

TEST_F(QuantizeTest, ProgressEndsAtTheWhole) {
  Result<ModelSource> source = OpenGgufSource(WriteModel(Spec()));
  ASSERT_TRUE(source.ok());
  QuantizeOptions options;
  int64_t last = 0, whole = 1;
  options.progress = [&](int64_t done, int64_t total) {
    EXPECT_GT(done, last);
    last = done;
    whole = total;
  };
  ASSERT_TRUE(Quantize(std::move(source).value(), path("out.gguf"), options).ok());
  EXPECT_EQ(last, whole);
}

// A model with `value` at row 3 of a matrix.
std::vector<std::byte> ModelWith(const TestModelSpec& spec, float value) {
  std::vector<std::byte> bytes = MakeRandomModel(spec);
  const auto file = GgufFile::Parse(bytes, "m").value();
  const GgufTensor* tensor = file->FindTensor("blk.1.ffn_up.weight");
  const size_t at = tensor->data.data() - bytes.data() + (3 * tensor->dims[0] + 5) * sizeof(value);
  std::memcpy(bytes.data() + at, &value, sizeof(value));
  return bytes;
}

TEST_F(QuantizeTest, WeightsThatAreNoNumbersAreRefused) {
  for (const float value : {NAN, INFINITY, -INFINITY}) {
    const std::string in = WriteBytes("bad.gguf", ModelWith(Spec(), value));
    for (const WeightType type : {WeightType::kQ8_0, WeightType::kF32}) {
      const Status status = Run(in, path("out.gguf"), type).status();
      EXPECT_THAT(status.message(),
                  AllOf(HasSubstr("bad.gguf: tensor \"blk.1.ffn_up.weight\": row 3"),
                        HasSubstr("not finite"), HasSubstr(std::isnan(value) ? "NaN" : "infin")));
    }
    EXPECT_THAT(Files(), testing::ElementsAre("bad.gguf"));
    const Status status = CheckWeights(*GgufFile::Open(in).value(), {});
    EXPECT_THAT(status.message(), HasSubstr("tensor \"blk.1.ffn_up.weight\": row 3, column 5 is"));
  }
  EXPECT_TRUE(CheckWeights(*GgufFile::Open(WriteModel(Spec())).value(), {}).ok());
}

TEST_F(QuantizeTest, WeightsThatATypeCannotHoldAreRefused) {
  const std::string in = WriteBytes("big.gguf", ModelWith(Spec(), -70000.0f));
  const Status status = Run(in, path("out.gguf"), WeightType::kF16).status();
  EXPECT_THAT(status.message(), AllOf(HasSubstr("70000"), HasSubstr("65504"), HasSubstr("bf16")));
  EXPECT_TRUE(Run(in, path("out.gguf"), WeightType::kBF16).ok());
  EXPECT_TRUE(Run(in, path("out.gguf"), WeightType::kQ8_0).ok());
}

TEST_F(QuantizeTest, BrokenAndForeignFilesAreRefusedByName) {
  EXPECT_THAT(Run(path("none.gguf"), path("o"), WeightType::kQ8_0).status().message(),
              HasSubstr("none.gguf"));
  std::vector<std::byte> bytes = MakeRandomModel(Spec());
  bytes.resize(bytes.size() / 2);
  EXPECT_THAT(Run(WriteBytes("half.gguf", bytes), path("o"), WeightType::kQ8_0).status().message(),
              HasSubstr("half.gguf"));
  TestModelSpec part = Spec();
  part.add_metadata = [](GgufWriter& writer) { writer.SetUint32("split.count", 3); };
  EXPECT_THAT(Run(WriteModel(part), path("o"), WeightType::kQ8_0).status().message(),
              HasSubstr("one of 3 parts"));
  EXPECT_THAT(Run(WriteModel(Spec()), path("no/such/folder"), WeightType::kQ8_0).status().message(),
              HasSubstr("no/such/folder"));
}

}  // namespace
}  // namespace aio
