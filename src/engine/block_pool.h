// Who owns which block of a KvCache: reference counts, and tables that give their
// references back by themselves. Pure bookkeeping; the memory is model/kv_cache.h's.
#ifndef AIO_ENGINE_BLOCK_POOL_H_
#define AIO_ENGINE_BLOCK_POOL_H_

#include <cstdint>
#include <span>
#include <vector>

#include "model/kv_cache.h"

namespace aio {

// Not thread-safe: belongs to the thread that runs the steps. Must outlive its tables.
class BlockPool {
 public:
  explicit BlockPool(int num_blocks);
  ~BlockPool();
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  // Blocks that `positions` tokens need.
  static int BlocksFor(int positions) {
    return (positions + KvCache::kBlockTokens - 1) / KvCache::kBlockTokens;
  }

  int num_blocks() const { return static_cast<int>(references_.size()); }
  int num_free() const { return static_cast<int>(free_.size()); }
  int num_used() const { return num_blocks() - num_free(); }
  // Tables that refer to `block`; 0: free.
  int references(int32_t block) const { return references_[block]; }

 private:
  friend class BlockTable;
  int32_t Take();  // a free block; there must be one
  void Share(int32_t block);
  void Release(int32_t block);

  std::vector<int32_t> free_;        // used as a stack: the block last freed is warm
  std::vector<int32_t> references_;  // [num_blocks]
};

// The blocks of one sequence in position order: position p lives in
// ids()[p / KvCache::kBlockTokens]. Holds one reference to each and drops it with itself.
class BlockTable {
 public:
  BlockTable() = default;
  ~BlockTable() { Clear(); }
  BlockTable(BlockTable&& other) noexcept;
  BlockTable& operator=(BlockTable&& other) noexcept;

  std::span<const int32_t> ids() const { return ids_; }
  int size() const { return static_cast<int>(ids_.size()); }

  // Appends `count` free blocks of `pool` (the same at every call), or none and returns
  // false when there are fewer.
  bool Grow(BlockPool& pool, int count);
  // Another table over the first `count` blocks.
  BlockTable SharePrefix(int count) const;
  // Drops the references beyond the first `count` blocks.
  void Truncate(int count);
  void Clear() { Truncate(0); }

  // Blocks that would become free if this table were cleared.
  int num_exclusive() const;

 private:
  BlockPool* pool_ = nullptr;  // null while empty
  std::vector<int32_t> ids_;
};

}  // namespace aio

#endif  // AIO_ENGINE_BLOCK_POOL_H_
