#include "engine/held_prompts.h"

#include <iterator>
#include <utility>

namespace aio {

uint64_t HeldPrompts::Add(HeldPrefix prefix) {
  const uint64_t id = next_id_++;
  prefixes_.emplace(id, std::move(prefix));
  return id;
}

void HeldPrompts::Release(uint64_t id) { prefixes_.erase(id); }

const HeldPrefix* HeldPrompts::Find(uint64_t id) const {
  const auto found = prefixes_.find(id);
  return found == prefixes_.end() ? nullptr : &found->second;
}

bool HeldPrompts::MakeRoom(BlockPool& pool, int blocks, std::optional<uint64_t> keep) {
  int obtainable = pool.num_free();
  for (const auto& [id, prefix] : prefixes_) {
    if (obtainable >= blocks) break;
    if (id != keep) obtainable += prefix.blocks.num_exclusive();
  }
  if (obtainable < blocks) return false;
  for (auto it = prefixes_.begin(); pool.num_free() < blocks;) {
    // One that shares all its blocks with sequences would be lost for nothing.
    const bool spare = it->first == keep || it->second.blocks.num_exclusive() == 0;
    it = spare ? std::next(it) : prefixes_.erase(it);
  }
  return true;
}

}  // namespace aio
