// KV that was computed once, for whoever begins with the same tokens: the generation after
// its probe, the next turn of a conversation, requests with a common system prompt, a
// sequence that was preempted.
//
// A tree of blocks. A node is one block's tokens; its path from the root is everything
// before them, so equal paths mean equal KV (the exactness contract makes that bit for
// bit). Full blocks are shared between sequences, which then only read them; of a block
// that is not full, or of which only the beginning fits, a copy is made. What no sequence
// uses stays, as idle blocks, until blocks are needed: then the least recently used leaf
// goes first. (The idea: Kwon et al. 2023, "PagedAttention"; Zheng et al. 2024, "SGLang".)
#ifndef AIO_ENGINE_PREFIX_CACHE_H_
#define AIO_ENGINE_PREFIX_CACHE_H_

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "engine/block_pool.h"

namespace aio {

// What the cache knows of the beginning of some tokens. Its references keep it from being
// reclaimed.
struct CachedPrefix {
  BlockTable blocks;    // full blocks, to be shared
  BlockTable tail;      // at most one block more, to be copied ...
  int tail_tokens = 0;  // ... for the sake of its first so many tokens

  int num_tokens() const { return blocks.size() * KvCache::kBlockTokens + tail_tokens; }
};

// Of one model. Not thread-safe: belongs to the thread that runs the steps. `salt` keeps
// worlds apart: only what was inserted with a salt is found with it.
class PrefixCache {
 public:
  explicit PrefixCache(BlockPool& pool);
  ~PrefixCache();

  // The longest known prefix of `tokens`, which counts as used just now.
  CachedPrefix Find(uint64_t salt, std::span<const int32_t> tokens);

  // `table` holds the KV of `tokens` (and perhaps more, which is ignored). Blocks of it whose
  // content is known already are replaced with the known ones. A last block that `tokens` do
  // not fill is remembered too; nobody may write those of its positions afterwards.
  void Insert(uint64_t salt, std::span<const int32_t> tokens, BlockTable& table);

  // Makes `blocks` blocks of the pool free by reclaiming idle ones, or returns false when there
  // are too few even after whoever holds blocks that can be spared has given them back.
  bool MakeRoom(int blocks);
  // `spare` gives back some used blocks that can be spared, or returns false. It may call
  // Insert(), and nothing else here.
  void SetSpare(std::function<bool()> spare) { spare_ = std::move(spare); }

  // Blocks it remembers, used or idle.
  int num_blocks() const { return static_cast<int>(by_use_.size()); }

 private:
  struct Node;
  // By tokens, in lexicographic order: the neighbours of where some tokens would stand have
  // the longest beginning in common with them.
  using Children = std::map<std::vector<int32_t>, std::unique_ptr<Node>>;
  using UseOrder = std::list<Node*>;
  struct Node {
    Node* parent = nullptr;  // null: a root, which is no block and has no place in by_use_
    int32_t block = -1;
    Children children;
    Children::iterator self;  // in parent->children
    UseOrder::iterator use;   // in by_use_
    uint64_t salt = 0;        // a root's
  };

  Node& Root(uint64_t salt);
  Node& Add(Node& parent, std::span<const int32_t> tokens, int32_t block);
  void Remove(Node& leaf);
  void MarkUsed(Node& deepest);

  BlockPool& pool_;
  std::function<bool()> spare_;                      // may be empty
  std::map<uint64_t, std::unique_ptr<Node>> roots_;  // by salt
  UseOrder by_use_;  // least recently used first; children before their parents
};

}  // namespace aio

#endif  // AIO_ENGINE_PREFIX_CACHE_H_
