#include "engine/block_pool.h"

#include <utility>

#include "base/check.h"

namespace aio {

BlockPool::BlockPool(int num_blocks) : blocks_(num_blocks) {
  free_.reserve(num_blocks);
  for (int32_t block = num_blocks - 1; block >= 0; --block) free_.push_back(block);
}

BlockPool::~BlockPool() { AIO_CHECK(num_used() == 0, "a block table outlives its pool"); }

void BlockPool::SetCached(int32_t block, bool is_cached) {
  Block& b = blocks_[block];
  AIO_CHECK(b.is_cached != is_cached && (b.references > 0 || !is_cached));
  b.is_cached = is_cached;
  if (b.references > 0) return;
  --num_idle_;
  free_.push_back(block);
}

int32_t BlockPool::Take() {
  AIO_CHECK(!free_.empty());
  const int32_t block = free_.back();
  free_.pop_back();
  blocks_[block].references = 1;
  return block;
}

void BlockPool::Share(int32_t block) {
  Block& b = blocks_[block];
  AIO_CHECK(b.references > 0 || b.is_cached, "a free block cannot be shared");
  if (b.references++ == 0) --num_idle_;
}

void BlockPool::Release(int32_t block) {
  Block& b = blocks_[block];
  AIO_CHECK(b.references > 0, "a block is released twice");
  if (--b.references > 0) return;
  if (b.is_cached) {
    ++num_idle_;
  } else {
    free_.push_back(block);
  }
}

BlockTable::BlockTable(BlockTable&& other) noexcept
    : pool_(std::exchange(other.pool_, nullptr)), ids_(std::move(other.ids_)) {
  other.ids_.clear();
}

BlockTable& BlockTable::operator=(BlockTable&& other) noexcept {
  if (this == &other) return *this;
  Clear();
  pool_ = std::exchange(other.pool_, nullptr);
  ids_ = std::move(other.ids_);
  other.ids_.clear();
  return *this;
}

bool BlockTable::Grow(BlockPool& pool, int count) {
  AIO_CHECK(pool_ == nullptr || pool_ == &pool);
  if (count > pool.num_free()) return false;
  pool_ = &pool;
  for (int i = 0; i < count; ++i) ids_.push_back(pool.Take());
  return true;
}

void BlockTable::Append(BlockPool& pool, int32_t block) {
  AIO_CHECK(pool_ == nullptr || pool_ == &pool);
  pool_ = &pool;
  pool.Share(block);
  ids_.push_back(block);
}

void BlockTable::Replace(int i, int32_t block) {
  pool_->Share(block);
  pool_->Release(std::exchange(ids_[i], block));
}

void BlockTable::Clear() {
  // The last first: a prefix cache wants its beginning kept the longest, and a pool that is
  // used as a stack then gives the blocks out in their old order.
  for (; !ids_.empty(); ids_.pop_back()) pool_->Release(ids_.back());
  pool_ = nullptr;
}

}  // namespace aio
