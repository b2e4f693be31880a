#include "engine/block_pool.h"

#include <utility>

#include "base/check.h"

namespace aio {

BlockPool::BlockPool(int num_blocks) : references_(num_blocks, 0) {
  free_.reserve(num_blocks);
  for (int32_t block = num_blocks - 1; block >= 0; --block) free_.push_back(block);
}

BlockPool::~BlockPool() { AIO_CHECK(num_used() == 0, "a block table outlives its pool"); }

int32_t BlockPool::Take() {
  AIO_CHECK(!free_.empty());
  const int32_t block = free_.back();
  free_.pop_back();
  references_[block] = 1;
  return block;
}

void BlockPool::Share(int32_t block) {
  AIO_CHECK(references_[block] > 0, "only an owned block can be shared");
  ++references_[block];
}

void BlockPool::Release(int32_t block) {
  AIO_CHECK(references_[block] > 0, "a block is released twice");
  if (--references_[block] == 0) free_.push_back(block);
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
  ids_.reserve(ids_.size() + count);
  for (int i = 0; i < count; ++i) ids_.push_back(pool.Take());
  return true;
}

BlockTable BlockTable::SharePrefix(int count) const {
  AIO_CHECK(count >= 0 && count <= size());
  BlockTable table;
  if (count == 0) return table;
  table.ids_.assign(ids_.begin(), ids_.begin() + count);
  table.pool_ = pool_;
  for (int32_t block : table.ids_) pool_->Share(block);
  return table;
}

void BlockTable::Truncate(int count) {
  while (size() > count) {
    pool_->Release(ids_.back());
    ids_.pop_back();
  }
  if (ids_.empty()) pool_ = nullptr;
}

int BlockTable::num_exclusive() const {
  int count = 0;
  for (int32_t block : ids_) count += pool_->references(block) == 1;
  return count;
}

}  // namespace aio
