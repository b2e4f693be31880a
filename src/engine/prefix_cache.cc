#include "engine/prefix_cache.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.h"

namespace aio {

namespace {

constexpr size_t kBlock = KvCache::kBlockTokens;

size_t CommonTokens(std::span<const int32_t> a, std::span<const int32_t> b) {
  return std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin();
}

std::vector<int32_t> Key(std::span<const int32_t> tokens) { return {tokens.begin(), tokens.end()}; }

}  // namespace

PrefixCache::PrefixCache(BlockPool& pool) : pool_(pool) {}

PrefixCache::~PrefixCache() {
  for (const Node* node : by_use_) pool_.SetCached(node->block, false);
}

CachedPrefix PrefixCache::Find(uint64_t salt, std::span<const int32_t> tokens) {
  CachedPrefix prefix;
  const auto root = roots_.find(salt);
  if (root == roots_.end()) return prefix;
  Node* node = root->second.get();
  for (; tokens.size() >= kBlock; tokens = tokens.subspan(kBlock)) {
    const auto child = node->children.find(Key(tokens.first(kBlock)));
    if (child == node->children.end()) break;
    node = child->second.get();
    prefix.blocks.Append(pool_, node->block);
  }
  // The block that has most of the next tokens, if any has some.
  const auto next = node->children.lower_bound(Key(tokens.first(std::min(tokens.size(), kBlock))));
  size_t most = 0;
  const auto consider = [&](Children::iterator child) {
    const size_t common = CommonTokens(child->first, tokens);
    if (common <= most) return;
    most = common;
    node = child->second.get();
  };
  Children& candidates = node->children;
  if (next != candidates.end()) consider(next);
  if (next != candidates.begin()) consider(std::prev(next));
  if (most > 0) {
    prefix.tail.Append(pool_, node->block);
    prefix.tail_tokens = static_cast<int>(most);
  }
  MarkUsed(*node);
  return prefix;
}

void PrefixCache::Insert(uint64_t salt, std::span<const int32_t> tokens, BlockTable& table) {
  AIO_CHECK(BlockPool::BlocksFor(static_cast<int>(tokens.size())) <= table.size());
  if (tokens.empty()) return;
  Node* node = &Root(salt);
  for (int i = 0; !tokens.empty(); ++i) {
    const std::span<const int32_t> piece = tokens.first(std::min(tokens.size(), kBlock));
    tokens = tokens.subspan(piece.size());
    const auto next = node->children.lower_bound(Key(piece));
    const bool is_known =
        next != node->children.end() && CommonTokens(next->first, piece) == piece.size();
    Node& child = is_known ? *next->second : Add(*node, piece, table.ids()[i]);
    if (piece.size() < kBlock) break;  // a last one that is not full: nobody else's to use
    if (child.block != table.ids()[i]) table.Replace(i, child.block);
    node = &child;
  }
  MarkUsed(*node);
}

bool PrefixCache::MakeRoom(int blocks) {
  while (blocks > pool_.num_free() + pool_.num_idle()) {
    if (spare_ == nullptr || !spare_()) return false;
  }
  for (auto it = by_use_.begin(); pool_.num_free() < blocks;) {
    // An idle node's children are idle too, and less recently used: they have gone before.
    Node& node = **it++;
    if (pool_.references(node.block) == 0 && node.children.empty()) Remove(node);
  }
  return true;
}

PrefixCache::Node& PrefixCache::Root(uint64_t salt) {
  std::unique_ptr<Node>& root = roots_[salt];
  if (root == nullptr) {
    root = std::make_unique<Node>();
    root->salt = salt;
  }
  return *root;
}

PrefixCache::Node& PrefixCache::Add(Node& parent, std::span<const int32_t> tokens, int32_t block) {
  auto node = std::make_unique<Node>();
  Node& added = *node;
  added.parent = &parent;
  added.block = block;
  added.self = parent.children.emplace(Key(tokens), std::move(node)).first;
  added.use = by_use_.insert(by_use_.end(), &added);
  pool_.SetCached(block, true);
  // The beginning of what is new needs no block of its own any more.
  if (added.self != parent.children.begin()) {
    const auto before = std::prev(added.self);
    if (CommonTokens(before->first, tokens) == before->first.size()) Remove(*before->second);
  }
  return added;
}

void PrefixCache::Remove(Node& leaf) {
  AIO_CHECK(leaf.children.empty());
  pool_.SetCached(leaf.block, false);
  by_use_.erase(leaf.use);
  Node* parent = leaf.parent;
  parent->children.erase(leaf.self);  // `leaf` is gone
  if (parent->parent == nullptr && parent->children.empty()) roots_.erase(parent->salt);
}

void PrefixCache::MarkUsed(Node& deepest) {
  for (Node* node = &deepest; node->parent != nullptr; node = node->parent) {
    by_use_.splice(by_use_.end(), by_use_, node->use);
  }
}

}  // namespace aio
