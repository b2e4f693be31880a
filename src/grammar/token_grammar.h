// A grammar and a vocabulary: which tokens a grammar's nodes allow whatever surrounds them.
#ifndef AIO_GRAMMAR_TOKEN_GRAMMAR_H_
#define AIO_GRAMMAR_TOKEN_GRAMMAR_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "grammar/grammar.h"
#include "grammar/token_mask.h"
#include "grammar/vocabulary_trie.h"

namespace aio {

// What a thread at one node can read, its rule's caller not being known. Most tokens are decided
// by that: within a string, for one, only those with a quotation mark need the caller.
//
// Where the grammar is so ambiguous that a token could not be followed by all ways (Matcher's
// limits), or that following all tokens would take too long (kEffortMax), tokens of several bytes
// are left out. Those of one byte never are, so there is a way on wherever the vocabulary has them.
struct NodeTokens {
  // Tokens that end within the rule, or just where it ends; those of few nodes are many.
  TokenMask many;            // empty: `few` has them
  std::vector<int32_t> few;  // sorted
  // Of a counted rule: the same tokens by how many items they begin, ascending; those that begin
  // n end at by_items_end[n]. A token may come where as many are left.
  std::vector<int32_t> by_items;
  std::vector<int32_t> by_items_end;
  // Places in the trie before which the rule may end with more of the token to come, and the items
  // that it has completed by then; by the place's byte. Only where one of the rule's callers may
  // go on with that byte.
  struct Exit {
    int32_t trie_node;
    int32_t items;
    uint8_t byte;
  };
  std::vector<Exit> exits;

  // The most items that a token begins.
  int32_t items_max() const { return static_cast<int32_t>(by_items_end.size()) - 1; }
  size_t memory_bytes() const;
};

// Computes each node's tokens once, when they are first asked for. Thread-safe.
class TokenGrammar {
 public:
  // What is known of nodes is forgotten when it is more, and computed again when needed.
  static constexpr size_t kMemoryMax = 16 << 20;  // bytes
  // Matcher::effort() that a node, and that a mask beside its nodes, may take: some 50 ms. Forms of
  // everyday take less than a twentieth.
  static constexpr int64_t kEffortMax = 2'000'000;
  // ... and that Prepare() may: about a second.
  static constexpr int64_t kPrepareEffortMax = 20 * kEffortMax;

  TokenGrammar(std::shared_ptr<const Grammar> grammar, std::shared_ptr<const VocabularyTrie> trie);

  const std::shared_ptr<const Grammar>& grammar() const { return grammar_; }
  const VocabularyTrie& trie() const { return *trie_; }

  // Nodes of twins have the same.
  std::shared_ptr<const NodeTokens> TokensAt(int32_t node) const;
  // Computes them beforehand. False: what is known already takes half of kMemoryMax, and more might
  // push it out; or it was so much work that other forms would wait for long.
  bool Prepare(int32_t node) const;
  // Nodes whose tokens are known; of twins, one counts.
  int num_known() const;

 private:
  NodeTokens Compute(int32_t node) const;
  // The rule may end at `place`, after so many items.
  void AddExits(int32_t place, int32_t items, const ByteSet& follow, NodeTokens& result) const;

  const std::shared_ptr<const Grammar> grammar_;
  const std::shared_ptr<const VocabularyTrie> trie_;
  mutable std::mutex mutex_;
  // [nodes], guarded by mutex_
  mutable std::vector<std::shared_ptr<const NodeTokens>> known_;
  mutable size_t known_bytes_ = 0;
  mutable std::atomic<int64_t> effort_ = 0;  // Matcher::effort() that they took
};

}  // namespace aio

#endif  // AIO_GRAMMAR_TOKEN_GRAMMAR_H_
