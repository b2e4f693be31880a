#include "model/kv_cache.h"

#include <cstring>
#include <string>
#include <utility>

#include "base/check.h"

namespace aio {

int64_t KvCache::BlockBytes(const ModelConfig& config, KvType type) {
  // ReadModelConfig's limits keep this within 2^40.
  return int64_t{config.num_layers} * config.num_kv_heads *
         static_cast<int64_t>(LayoutOfPiece(type, config.head_size).bytes);
}

Result<std::unique_ptr<KvCache>> KvCache::Create(const ModelConfig& config, KvType type,
                                                 int num_blocks) {
  if (!KvTypeHolds(type, config.head_size)) {
    return InvalidArgument("kv_type \"" + std::string(KvTypeName(type)) +
                           "\" takes heads of whole runs of " + std::to_string(kKvScaleDims) +
                           " dimensions, and this model's have " +
                           std::to_string(config.head_size) + "; set kv_type to \"f16\"")
        .WithParam("kv_type");
  }
  const int64_t block_bytes = BlockBytes(config, type);
  AIO_CHECK(num_blocks > 0 && block_bytes > 0);
  int64_t bytes = -1;  // refused, if the product does not fit
  if (__builtin_mul_overflow(block_bytes, int64_t{num_blocks}, &bytes)) bytes = -1;
  Result<PageMemory> memory = PageMemory::Reserve(bytes);
  if (!memory.ok()) {
    return ResourceExhausted("cannot reserve a KV cache of " + std::to_string(num_blocks) +
                             " blocks of " + std::to_string(block_bytes) +
                             " bytes; use fewer KV cache tokens, or a smaller kv_type");
  }

  std::unique_ptr<KvCache> cache(new KvCache());
  cache->type_ = type;
  cache->num_layers_ = config.num_layers;
  cache->num_blocks_ = num_blocks;
  cache->num_kv_heads_ = config.num_kv_heads;
  cache->head_size_ = config.head_size;
  cache->piece_bytes_ = LayoutOfPiece(type, config.head_size).bytes;
  cache->memory_ = std::move(memory).value();
  return cache;
}

KvHeadView KvCache::Head(int layer, int kv_head) {
  AIO_CHECK(layer >= 0 && layer < num_layers_, "KV cache: layer out of range");
  AIO_CHECK(kv_head >= 0 && kv_head < num_kv_heads_, "KV cache: head out of range");
  const size_t head = static_cast<size_t>(layer) * num_kv_heads_ + kv_head;
  return {.pieces = memory_.data() + head * num_blocks_ * piece_bytes_,
          .num_blocks = num_blocks_,
          .type = type_,
          .head_size = head_size_};
}

void KvCache::CopyBlock(int32_t from, int32_t to) {
  AIO_CHECK(from >= 0 && from < num_blocks_, "KV cache: block out of range");
  AIO_CHECK(to >= 0 && to < num_blocks_, "KV cache: block out of range");
  if (from == to) return;
  for (int layer = 0; layer < num_layers_; ++layer) {
    for (int head = 0; head < num_kv_heads_; ++head) {
      std::byte* pieces = Head(layer, head).pieces;
      std::memcpy(pieces + to * piece_bytes_, pieces + from * piece_bytes_, piece_bytes_);
    }
  }
}

}  // namespace aio
