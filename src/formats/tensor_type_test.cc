#include "formats/tensor_type.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>

namespace aio {
namespace {

TEST(TensorTypeTest, KnowsWhatItCanRun) {
  const std::set<uint32_t> runnable = {0, 1, 2, 8, 12, 13, 14, 30};
  for (uint32_t type = 0; type < 64; ++type) {
    EXPECT_EQ(IsRunnableTensorType(type), runnable.contains(type)) << type;
  }
  EXPECT_FALSE(IsRunnableTensorType(std::numeric_limits<uint32_t>::max()));
}

TEST(TensorTypeTest, NamesEveryNumber) {
  EXPECT_EQ(TensorTypeName(0), "F32");
  EXPECT_EQ(TensorTypeName(12), "Q4_K");
  EXPECT_EQ(TensorTypeName(30), "BF16");
  EXPECT_EQ(TensorTypeName(39), "MXFP4");
  EXPECT_EQ(TensorTypeName(99), "type 99");
  EXPECT_EQ(TensorTypeName(255), "type 255");
  EXPECT_EQ(TensorTypeName(256), "type above 255");
  EXPECT_EQ(TensorTypeName(std::numeric_limits<uint32_t>::max()), "type above 255");
}

TEST(TensorTypeTest, SizesWholeBlocks) {
  EXPECT_EQ(TensorBytes(0, 3), 12u);
  EXPECT_EQ(TensorBytes(1, 3), 6u);
  EXPECT_EQ(TensorBytes(30, 3), 6u);
  EXPECT_EQ(TensorBytes(8, 64), 68u);
  EXPECT_EQ(TensorBytes(2, 32), 18u);
  EXPECT_EQ(TensorBytes(14, 512), 420u);
  EXPECT_EQ(TensorBytes(39, 32), 17u);
  EXPECT_EQ(TensorBytes(8, 0), 0u);
}

TEST(TensorTypeTest, HasNoSizeForTheImpossible) {
  EXPECT_EQ(TensorBytes(8, 33), std::nullopt);                  // part of a block
  EXPECT_EQ(TensorBytes(99, 32), std::nullopt);                 // unknown
  EXPECT_EQ(TensorBytes(4, 32), std::nullopt);                  // withdrawn
  EXPECT_EQ(TensorBytes(28, uint64_t{1} << 61), std::nullopt);  // 2^64 bytes
  EXPECT_EQ(TensorBytes(28, (uint64_t{1} << 61) - 1), (uint64_t{1} << 61) * 8 - 8);
}

// A block holds its quantised values and at least one scale; nothing takes more than F64.
TEST(TensorTypeTest, BlocksArePlausible) {
  int known = 0;
  for (uint32_t type = 0; type < 256; ++type) {
    const auto block = FindTensorBlock(type);
    if (!block) continue;
    ++known;
    EXPECT_LE(block->bytes, block->elements * 8);
    EXPECT_GE(block->bytes * 8, block->elements);
    EXPECT_NE(TensorTypeName(type).substr(0, 4), "type");
  }
  EXPECT_EQ(known, 34);
}

}  // namespace
}  // namespace aio
