// Prompts whose KV a probe computed and somebody may want to go on from.
//
// The rule: a held prompt is a favour. Its blocks count as used, and it lives until its
// handle is dropped, but when an admission needs blocks, held prompts give way, oldest
// first; the generation that wanted one then computes its prompt again and answers the
// same. Nothing is reclaimed for an admission that must wait anyway.
#ifndef AIO_ENGINE_HELD_PROMPTS_H_
#define AIO_ENGINE_HELD_PROMPTS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "engine/block_pool.h"

namespace aio {

// KV of `tokens`, at positions 0, 1, ...; `blocks` may be shared with sequences, which
// then only read the blocks that `tokens` fill.
struct HeldPrefix {
  std::vector<int32_t> tokens;
  BlockTable blocks;
};

// Of one model. Not thread-safe: belongs to the thread that runs the steps.
class HeldPrompts {
 public:
  // Returns the new entry's id, never used before.
  uint64_t Add(HeldPrefix prefix);
  void Release(uint64_t id);                  // no effect when already gone
  const HeldPrefix* Find(uint64_t id) const;  // null when gone
  int size() const { return static_cast<int>(prefixes_.size()); }

  // Makes `blocks` blocks of `pool` free, reclaiming as few held prompts as that takes,
  // oldest first, but not `keep`. Where all of them would not do, reclaims none and
  // returns false.
  bool MakeRoom(BlockPool& pool, int blocks, std::optional<uint64_t> keep);

 private:
  std::map<uint64_t, HeldPrefix> prefixes_;  // in order of their making
  uint64_t next_id_ = 1;
};

}  // namespace aio

#endif  // AIO_ENGINE_HELD_PROMPTS_H_
