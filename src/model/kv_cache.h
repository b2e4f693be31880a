// Keys and values of all positions of all sequences, in blocks of kBlockTokens positions.
// Which block belongs to whom is the engine's business (engine/block_pool.h); here is
// only the memory.
#ifndef AIO_MODEL_KV_CACHE_H_
#define AIO_MODEL_KV_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/page_memory.h"
#include "base/status.h"
#include "kernels/kv_block.h"
#include "model/config.h"

namespace aio {

// Not thread-safe by itself: one step at a time reads and writes it. Within a step, each
// position is written by one task before any task reads it.
class KvCache {
 public:
  static constexpr int kBlockTokens = kKvBlockTokens;

  // Bytes of one block over all layers, K and V.
  static int64_t BlockBytes(const ModelConfig& config, KvType type);

  // Reserves memory for `num_blocks` > 0; kResourceExhausted with the bytes when refused,
  // kInvalidArgument when the type cannot hold heads of the model's size. Pages are touched
  // when first written, zero until then.
  static Result<std::unique_ptr<KvCache>> Create(const ModelConfig& config, KvType type,
                                                 int num_blocks);

  KvType type() const { return type_; }
  bool IsFor(const ModelConfig& config) const {
    return num_layers_ == config.num_layers && num_kv_heads_ == config.num_kv_heads &&
           head_size_ == config.head_size;
  }
  int num_blocks() const { return num_blocks_; }

  // All blocks of (layer, kv head), as attention reads them and StoreKeyValue() writes them.
  // An index out of range is an AIO_CHECK.
  KvHeadView Head(int layer, int kv_head);

  // All layers and heads of block `from`, to block `to`.
  void CopyBlock(int32_t from, int32_t to);

 private:
  KvCache() = default;

  KvType type_ = KvType::kF16;
  int num_layers_ = 0;
  int num_blocks_ = 0;
  int num_kv_heads_ = 0;
  int head_size_ = 0;
  size_t piece_bytes_ = 0;
  PageMemory memory_;  // [layers, kv_heads, blocks] pieces: a sequence's neighbouring blocks stream
};

}  // namespace aio

#endif  // AIO_MODEL_KV_CACHE_H_
