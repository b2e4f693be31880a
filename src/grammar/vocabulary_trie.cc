#include "grammar/vocabulary_trie.h"

#include <algorithm>

namespace aio {

VocabularyTrie::VocabularyTrie(std::span<const std::string_view> tokens)
    : vocabulary_size_(static_cast<int>(tokens.size())), children_of_root_(256, 0) {
  begins_.reserve(tokens.size() + 1);
  std::vector<int32_t> order;
  order.reserve(tokens.size());
  for (size_t id = 0; id < tokens.size(); ++id) {
    begins_.push_back(bytes_.size());
    bytes_.insert(bytes_.end(), tokens[id].begin(), tokens[id].end());
    if (!tokens[id].empty()) order.push_back(static_cast<int32_t>(id));
  }
  begins_.push_back(bytes_.size());
  std::sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    return tokens[a] != tokens[b] ? tokens[a] < tokens[b] : a < b;
  });

  std::vector<int32_t> path = {0};  // nodes from the root to the last one
  nodes_.push_back({.end = 0, .tokens_begin = 0, .depth = 0, .byte = 0});
  std::string_view last;
  const auto leave = [&](size_t depth) {
    while (path.size() > depth + 1) {
      nodes_[path.back()].end = static_cast<int32_t>(nodes_.size());
      path.pop_back();
    }
  };
  for (const int32_t id : order) {
    const std::string_view token = tokens[id];
    const auto common =
        std::mismatch(token.begin(), token.end(), last.begin(), last.end()).first - token.begin();
    leave(static_cast<size_t>(common));
    for (size_t i = static_cast<size_t>(common); i < token.size(); ++i) {
      const auto node = static_cast<int32_t>(nodes_.size());
      const auto byte = static_cast<uint8_t>(token[i]);
      if (i == 0) children_of_root_[byte] = node;
      path.push_back(node);
      nodes_.push_back({.end = 0,
                        .tokens_begin = static_cast<int32_t>(tokens_.size()),
                        .depth = static_cast<int32_t>(i) + 1,
                        .byte = byte});
    }
    tokens_.push_back(id);
    depth_max_ = std::max(depth_max_, static_cast<int>(token.size()));
    last = token;
  }
  leave(0);
  nodes_[0].end = static_cast<int32_t>(nodes_.size());
  nodes_.push_back(
      {.end = 0, .tokens_begin = static_cast<int32_t>(tokens_.size()), .depth = 0, .byte = 0});
}

}  // namespace aio
