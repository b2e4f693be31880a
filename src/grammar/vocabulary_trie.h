// A vocabulary's tokens as a tree of their bytes, so that what tokens have in common is looked at
// once.
#ifndef AIO_GRAMMAR_VOCABULARY_TRIE_H_
#define AIO_GRAMMAR_VOCABULARY_TRIE_H_

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace aio {

// Nodes are numbered in depth-first order: below node i lie i + 1 to node(i).end - 1. Node 0 is the
// root. Immutable; thread-safe.
class VocabularyTrie {
 public:
  // [tokens]: the bytes that each adds to a text. A token without bytes is never found in a text.
  explicit VocabularyTrie(std::span<const std::string_view> tokens);

  struct Node {
    int32_t end;           // of what lies below
    int32_t tokens_begin;  // those whose bytes end here; to the next node's begin
    int32_t depth;         // bytes; of the root 0
    uint8_t byte;
  };
  int num_nodes() const { return static_cast<int>(nodes_.size()) - 1; }
  const Node& node(int32_t id) const { return nodes_[id]; }
  std::span<const int32_t> tokens(int32_t id) const { return TokensOf(id, id + 1); }
  // All of the node and of what lies below it.
  std::span<const int32_t> tokens_below(int32_t id) const { return TokensOf(id, nodes_[id].end); }
  // The root's child by this byte; 0: none.
  int32_t child_of_root(uint8_t byte) const { return children_of_root_[byte]; }

  int vocabulary_size() const { return vocabulary_size_; }
  int depth_max() const { return depth_max_; }
  std::string_view bytes(int32_t token) const {
    return std::string_view(bytes_.data() + begins_[token], begins_[token + 1] - begins_[token]);
  }

 private:
  std::span<const int32_t> TokensOf(int32_t first, int32_t end) const {
    const int32_t begin = nodes_[first].tokens_begin;
    return std::span(tokens_).subspan(begin, nodes_[end].tokens_begin - begin);
  }

  int vocabulary_size_;
  int depth_max_ = 0;
  std::vector<Node> nodes_;  // and one past the last, for its tokens_begin
  std::vector<int32_t> tokens_;
  std::vector<int32_t> children_of_root_;  // [256]
  std::vector<char> bytes_;
  std::vector<size_t> begins_;  // [tokens + 1]
};

}  // namespace aio

#endif  // AIO_GRAMMAR_VOCABULARY_TRIE_H_
