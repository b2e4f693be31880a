#include "model/synthesize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "formats/gguf.h"
#include "model/forward.h"
#include "model/model.h"

namespace aio {
namespace {

namespace fs = std::filesystem;

class SynthesizeTest : public testing::Test {
 protected:
  SynthesizeTest() { fs::create_directories(folder_); }
  ~SynthesizeTest() override { fs::remove_all(folder_); }
  std::string path(const char* name) const { return folder_ / name; }

 private:
  const fs::path folder_ =
      fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
};

// A published shape cut down to what a test can afford.
ModelShape Small(const char* name) {
  ModelShape shape = *FindShape(name);
  shape.num_layers = 2;
  shape.hidden_size = 256;
  shape.num_heads = 4;
  shape.num_kv_heads = 2;
  shape.head_size = 64;
  shape.intermediate_size = 512;
  shape.vocabulary_size = 1100;
  return shape;
}

std::string ReadAll(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Root mean square of the logits after three tokens.
double LogitSize(const std::string& path) {
  const auto model = Model::Load(GgufFile::Open(path).value());
  if (!model.ok()) ADD_FAILURE() << model.status().ToString();
  const auto cache = KvCache::Create(model.value()->config(), KvType::kF16, 1).value();
  ForwardScratch scratch(model.value()->config(), 3, 1);
  ThreadPool pool(1);
  const int32_t table[] = {0};
  const ForwardRow rows[] = {{1, 0, table, false}, {7, 1, table, false}, {9, 2, table, true}};
  const auto logits = Forward(*model.value(), rows, *cache, scratch, pool);
  double squares = 0;
  for (const float logit : logits) squares += double{logit} * logit;
  return std::sqrt(squares / static_cast<double>(logits.size()));
}

TEST_F(SynthesizeTest, EveryShapeRunsToPlausibleLogits) {
  for (const ModelShape& known : KnownShapes()) {
    const std::string name(known.name);
    ASSERT_TRUE(Synthesize(Small(name.c_str()), WeightType::kF16, 1, path("m"), nullptr).ok());
    const double size = LogitSize(path("m"));
    EXPECT_TRUE(size > 0.1 && size < 10) << name << " " << size;
  }
}

TEST_F(SynthesizeTest, EveryTypeRunsToPlausibleLogits) {
  for (const WeightType type : kAllWeightTypes) {
    ASSERT_TRUE(Synthesize(Small("qwen2.5-0.5b"), type, 1, path("m"), nullptr).ok());
    const double size = LogitSize(path("m"));
    EXPECT_TRUE(size > 0.1 && size < 10) << WeightTypeName(type) << " " << size;
  }
}

TEST_F(SynthesizeTest, TheSeedDecidesTheWeights) {
  const ModelShape shape = Small("qwen3-0.6b");
  ASSERT_TRUE(Synthesize(shape, WeightType::kF16, 1, path("a"), nullptr).ok());
  ASSERT_TRUE(Synthesize(shape, WeightType::kF16, 1, path("b"), nullptr).ok());
  ASSERT_TRUE(Synthesize(shape, WeightType::kF16, 2, path("c"), nullptr).ok());
  EXPECT_EQ(ReadAll(path("a")), ReadAll(path("b")));
  EXPECT_NE(ReadAll(path("a")), ReadAll(path("c")));
}

TEST_F(SynthesizeTest, RowsThatAreNotWholeBlocksAreRefused) {
  ModelShape shape = Small("qwen2.5-0.5b");
  shape.intermediate_size = 864;
  const Status status = Synthesize(shape, WeightType::kQ4_K, 1, path("m"), nullptr);
  EXPECT_THAT(status.message(),
              testing::AllOf(testing::HasSubstr("864"), testing::HasSubstr("Q4_K")));
  EXPECT_FALSE(fs::exists(path("m")));
}

TEST_F(SynthesizeTest, ProgressEndsAtTheWhole) {
  int64_t last = 0;
  int64_t whole = 1;
  ASSERT_TRUE(Synthesize(Small("openpangu-7b"), WeightType::kQ8_0, 1, path("m"),
                         [&](int64_t done, int64_t total) {
                           EXPECT_GT(done, last);
                           last = done;
                           whole = total;
                         })
                  .ok());
  EXPECT_EQ(last, whole);
}

}  // namespace
}  // namespace aio
