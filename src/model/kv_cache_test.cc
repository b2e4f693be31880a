#include "model/kv_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <span>

namespace aio {
namespace {

ModelConfig SmallConfig() {
  ModelConfig config;
  config.num_layers = 3;
  config.num_heads = 4;
  config.num_kv_heads = 2;
  config.head_size = 20;
  return config;
}

TEST(KvCacheTest, BlockBytesCountsKeysAndValuesOfAllLayers) {
  ModelConfig config = SmallConfig();
  // Rows of values are padded to 16.
  EXPECT_EQ(KvCache::BlockBytes(config, KvType::kF32), 3 * 2 * (20 + 32) * 32 * 4);
  EXPECT_EQ(KvCache::BlockBytes(config, KvType::kF16), 3 * 2 * (20 + 32) * 32 * 2);
  config.head_size = 64;
  EXPECT_EQ(KvCache::BlockBytes(config, KvType::kF16), 3 * 2 * 2 * 64 * 32 * 2);
  EXPECT_EQ(KvCache::BlockBytes(config, KvType::kQ8_0), 3 * 2 * 2 * 64 * 32 * 34 / 32);
}

// Calls visit(memory) for the piece of every layer, head and block.
template <typename Visit>
void ForEachPiece(KvCache& cache, const ModelConfig& config, const Visit& visit) {
  const size_t bytes =
      KvCache::BlockBytes(config, cache.type()) / (config.num_layers * config.num_kv_heads);
  for (int layer = 0; layer < config.num_layers; ++layer) {
    for (int head = 0; head < config.num_kv_heads; ++head) {
      for (int block = 0; block < cache.num_blocks(); ++block) {
        visit(std::span(cache.Head(layer, head).pieces + block * bytes, bytes), block);
      }
    }
  }
}

TEST(KvCacheTest, EveryPieceHasItsOwnMemory) {
  for (const KvType type : kAllKvTypes) {
    ModelConfig config = SmallConfig();
    config.head_size = 32;
    const auto cache = KvCache::Create(config, type, 5).value();
    uint8_t mark = 0;
    ForEachPiece(*cache, config, [&](std::span<std::byte> memory, int /*block*/) {
      for (const std::byte b : memory) ASSERT_EQ(b, std::byte{0});  // lazily touched
      std::fill(memory.begin(), memory.end(), std::byte{++mark});
    });
    mark = 0;
    ForEachPiece(*cache, config, [&](std::span<std::byte> memory, int /*block*/) {
      ++mark;
      for (const std::byte b : memory) ASSERT_EQ(b, std::byte{mark});
    });
  }
}

TEST(KvCacheTest, HeadViewSaysWhatTheCacheHolds) {
  const auto cache = KvCache::Create(SmallConfig(), KvType::kF32, 4).value();
  const KvHeadView view = cache->Head(1, 1);
  EXPECT_EQ(view.type, KvType::kF32);
  EXPECT_EQ(view.head_size, 20);
  EXPECT_EQ(view.num_blocks, 4);
}

TEST(KvCacheTest, CopyBlockCopiesEveryLayerAndHeadAndNothingElse) {
  const ModelConfig config = SmallConfig();
  const auto cache = KvCache::Create(config, KvType::kF16, 4).value();
  ForEachPiece(*cache, config, [](std::span<std::byte> memory, int block) {
    std::fill(memory.begin(), memory.end(), std::byte(block + 1));
  });
  cache->CopyBlock(3, 1);
  cache->CopyBlock(2, 2);
  ForEachPiece(*cache, config, [](std::span<std::byte> memory, int block) {
    for (const std::byte b : memory) ASSERT_EQ(b, std::byte(block == 1 ? 4 : block + 1));
  });
}

TEST(KvCacheTest, RefusesATypeThatCannotHoldTheHeads) {
  const auto cache = KvCache::Create(SmallConfig(), KvType::kQ8_0, 4);
  ASSERT_FALSE(cache.ok());
  EXPECT_EQ(cache.status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(cache.status().param(), "kv_type");
  EXPECT_THAT(cache.status().message(), testing::HasSubstr("set kv_type to \"f16\""));
}

TEST(KvCacheTest, MoreThanTheMachineHasIsRefusedWithTheBytes) {
  ModelConfig config = SmallConfig();
  config.num_layers = 1024;
  config.num_kv_heads = 1024;
  config.head_size = 1024;
  // 2^60 bytes, which the system refuses, and more than 2^63, which it cannot be asked for.
  for (const int num_blocks : {1 << 22, std::numeric_limits<int>::max()}) {
    const auto cache = KvCache::Create(config, KvType::kF32, num_blocks);
    ASSERT_FALSE(cache.ok());
    EXPECT_EQ(cache.status().code(), StatusCode::kResourceExhausted);
    EXPECT_THAT(cache.status().message(),
                testing::HasSubstr(std::to_string(KvCache::BlockBytes(config, KvType::kF32))));
  }
}

TEST(KvCacheDeathTest, IndicesOutOfRangeStopTheProgram) {
  const auto cache = KvCache::Create(SmallConfig(), KvType::kF16, 4).value();
  EXPECT_DEATH(cache->Head(3, 0), "layer out of range");
  EXPECT_DEATH(cache->Head(0, 2), "head out of range");
  EXPECT_DEATH(cache->CopyBlock(4, 0), "block out of range");
  EXPECT_DEATH(cache->CopyBlock(0, -1), "block out of range");
}

}  // namespace
}  // namespace aio
