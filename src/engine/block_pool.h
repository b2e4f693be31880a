// Who uses which block of a KvCache: reference counts, and tables that give their
// references back by themselves. Pure bookkeeping; the memory is model/kv_cache.h's.
//
// A block is free, used (a table refers to it), or idle: no table refers to it, but the
// prefix cache (prefix_cache.h) still knows what is in it.
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

  int num_blocks() const { return static_cast<int>(blocks_.size()); }
  int num_free() const { return static_cast<int>(free_.size()); }
  int num_idle() const { return num_idle_; }
  int num_used() const { return num_blocks() - num_free() - num_idle(); }
  // Tables that refer to `block`.
  int references(int32_t block) const { return blocks_[block].references; }

  // The prefix cache remembers a used block, or forgets one: an idle one is then free.
  void SetCached(int32_t block, bool is_cached);

 private:
  friend class BlockTable;
  struct Block {
    int references = 0;
    bool is_cached = false;
  };

  int32_t Take();  // a free block; there must be one
  void Share(int32_t block);
  void Release(int32_t block);

  std::vector<int32_t> free_;  // used as a stack: the block last freed is warm
  std::vector<Block> blocks_;
  int num_idle_ = 0;
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
  // Later growth to `count` blocks takes nothing from the heap.
  void Reserve(int count) { ids_.reserve(count); }

  // Appends `count` free blocks of `pool` (the same at every call), or none and returns
  // false when there are fewer.
  bool Grow(BlockPool& pool, int count);
  // Appends `block` of `pool`, which is used or idle.
  void Append(BlockPool& pool, int32_t block);
  // Refers to `block`, which is used or idle and holds the same KV, in place of ids()[i].
  void Replace(int i, int32_t block);
  void Clear();

 private:
  BlockPool* pool_ = nullptr;  // null while empty
  std::vector<int32_t> ids_;
};

}  // namespace aio

#endif  // AIO_ENGINE_BLOCK_POOL_H_
