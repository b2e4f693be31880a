#include "model/kv_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

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
  EXPECT_EQ(KvCache::BlockBytes(SmallConfig(), KvType::kF32), 2 * 3 * 2 * 20 * 32 * 4);
  EXPECT_EQ(KvCache::BlockBytes(SmallConfig(), KvType::kF16), 2 * 3 * 2 * 20 * 32 * 2);
}

TEST(KvCacheTest, EveryHeadBlockHasItsOwnMemory) {
  for (const KvType type : {KvType::kF32, KvType::kF16}) {
    const ModelConfig config = SmallConfig();
    constexpr int kBlocks = 5;
    const auto cache = KvCache::Create(config, type, kBlocks).value();
    const size_t bytes = KvCache::BlockBytes(config, type) / (2 * 3 * 2);
    const auto for_each = [&](auto&& visit) {
      uint8_t mark = 0;
      for (int layer = 0; layer < 3; ++layer) {
        for (int block = 0; block < kBlocks; ++block) {
          for (int head = 0; head < 2; ++head) {
            visit(std::span(cache->Keys(layer, block, head), bytes), std::byte{++mark});
            visit(std::span(cache->Values(layer, block, head), bytes), std::byte{++mark});
          }
        }
      }
    };
    for_each([](std::span<std::byte> memory, std::byte mark) {
      for (const std::byte b : memory) ASSERT_EQ(b, std::byte{0});  // lazily touched
      std::fill(memory.begin(), memory.end(), mark);
    });
    for_each([](std::span<std::byte> memory, std::byte mark) {
      for (const std::byte b : memory) ASSERT_EQ(b, mark);
    });
  }
}

TEST(KvCacheTest, HeadViewFindsTheSameMemory) {
  const auto cache = KvCache::Create(SmallConfig(), KvType::kF16, 4).value();
  const KvHeadView view = cache->Head(1, 1);
  EXPECT_EQ(view.type, WeightType::kF16);
  EXPECT_EQ(view.head_size, 20);
  for (int block = 0; block < 4; ++block) {
    EXPECT_EQ(view.keys + block * view.block_stride, cache->Keys(1, block, 1));
    EXPECT_EQ(view.values + block * view.block_stride, cache->Values(1, block, 1));
  }
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
  EXPECT_DEATH(cache->Keys(3, 0, 0), "layer out of range");
  EXPECT_DEATH(cache->Keys(0, 4, 0), "block out of range");
  EXPECT_DEATH(cache->Values(0, -1, 0), "block out of range");
  EXPECT_DEATH(cache->Values(0, 0, 2), "head out of range");
}

}  // namespace
}  // namespace aio
