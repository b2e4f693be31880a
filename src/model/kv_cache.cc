#include "model/kv_cache.h"

#include <string>
#include <utility>

#include "base/check.h"

namespace aio {

static_assert(KvCache::kBlockTokens == kKvBlockTokens,
              "attention accumulates in the blocks of the cache");

namespace {

int64_t ElementBytes(KvType type) { return type == KvType::kF32 ? 4 : 2; }

}  // namespace

int64_t KvCache::BlockBytes(const ModelConfig& config, KvType type) {
  // ReadModelConfig's limits keep this within 2^40.
  return 2 * int64_t{config.num_layers} * config.kv_size() * kBlockTokens * ElementBytes(type);
}

Result<std::unique_ptr<KvCache>> KvCache::Create(const ModelConfig& config, KvType type,
                                                 int num_blocks) {
  const int64_t block_bytes = BlockBytes(config, type);
  AIO_CHECK(num_blocks > 0 && block_bytes > 0);
  int64_t bytes = -1;  // refused, if the product does not fit
  if (__builtin_mul_overflow(block_bytes, int64_t{num_blocks}, &bytes)) bytes = -1;
  Result<PageMemory> memory = PageMemory::Reserve(bytes);
  if (!memory.ok()) {
    return ResourceExhausted("cannot reserve a KV cache of " + std::to_string(num_blocks) +
                             " blocks of " + std::to_string(block_bytes) +
                             " bytes; use fewer KV cache tokens, or F16 for its values");
  }

  std::unique_ptr<KvCache> cache(new KvCache());
  cache->type_ = type;
  cache->num_layers_ = config.num_layers;
  cache->num_blocks_ = num_blocks;
  cache->num_kv_heads_ = config.num_kv_heads;
  cache->head_size_ = config.head_size;
  cache->head_block_bytes_ =
      static_cast<size_t>(kBlockTokens * config.head_size * ElementBytes(type));
  cache->memory_ = std::move(memory).value();
  cache->keys_ = cache->memory_.data();
  cache->values_ = cache->keys_ + bytes / 2;
  return cache;
}

size_t KvCache::Offset(int layer, int block, int kv_head) const {
  AIO_CHECK(layer >= 0 && layer < num_layers_, "KV cache: layer out of range");
  AIO_CHECK(block >= 0 && block < num_blocks_, "KV cache: block out of range");
  AIO_CHECK(kv_head >= 0 && kv_head < num_kv_heads_, "KV cache: head out of range");
  const size_t row = static_cast<size_t>(layer) * num_blocks_ + block;
  return (row * num_kv_heads_ + kv_head) * head_block_bytes_;
}

std::byte* KvCache::Keys(int layer, int block, int kv_head) {
  return keys_ + Offset(layer, block, kv_head);
}

std::byte* KvCache::Values(int layer, int block, int kv_head) {
  return values_ + Offset(layer, block, kv_head);
}

const std::byte* KvCache::Keys(int layer, int block, int kv_head) const {
  return keys_ + Offset(layer, block, kv_head);
}

const std::byte* KvCache::Values(int layer, int block, int kv_head) const {
  return values_ + Offset(layer, block, kv_head);
}

KvHeadView KvCache::Head(int layer, int kv_head) const {
  return {.keys = Keys(layer, 0, kv_head),
          .values = Values(layer, 0, kv_head),
          .block_stride = head_block_bytes_ * num_kv_heads_,
          .type = type_ == KvType::kF32 ? WeightType::kF32 : WeightType::kF16,
          .head_size = head_size_};
}

}  // namespace aio
