// Follows a vocabulary's tokens through a grammar. Internal to grammar/.
#ifndef AIO_GRAMMAR_TRIE_WALK_H_
#define AIO_GRAMMAR_TRIE_WALK_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "grammar/matcher.h"
#include "grammar/vocabulary_trie.h"

namespace aio {

// States that were met before are recognised and their successors known, up to `states_max` of
// them; beyond, each byte is matched anew. What the matcher would follow by some of its threads
// only is not followed at all: what is visited does not depend on which threads were left out, so
// whoever follows the token in another way finds the same. Not thread-safe.
class TrieWalk {
 public:
  TrieWalk(Matcher& matcher, const VocabularyTrie& trie, size_t states_max)
      : matcher_(matcher), trie_(trie), states_max_(states_max), path_(trie.depth_max() + 1) {}

  // Calls visit(node, state) for each node below `root` that can be reached from `state` at
  // `root`, in order. Matching takes about `effort_max` at most (Matcher::effort()); half of that
  // is spread over the nodes evenly, so that those whose bytes come last get theirs. What it does
  // not suffice for is not visited.
  template <typename Visit>
  void Below(int32_t root, const MatchState& state, int64_t effort_max, Visit visit) {
    const int root_depth = trie_.node(root).depth;
    const int32_t end = trie_.node(root).end;
    const int64_t begun = matcher_.effort();
    path_[root_depth] = Keep(state, root_depth);
    for (int32_t i = root + 1; i < end;) {
      const VocabularyTrie::Node& node = trie_.node(i);
      const int64_t share = effort_max / 2 * (i - root) / (end - root);
      const MatchState* next =
          Step(*path_[node.depth - 1], node.byte, node.depth, begun + effort_max / 2 + share);
      if (next == nullptr) {
        i = node.end;
        continue;
      }
      visit(i, *next);
      ++i;
    }
  }

  // Forgets all states, before the matcher's frames go.
  void Clear() {
    known_.clear();
    num_known_ = 0;
  }

 private:
  struct Place {
    MatchState state;
    bool is_known = false;
    std::array<Place*, 256> next{};  // known ones; null: not asked yet
  };

  static Place* Dead() {
    static Place dead;
    return &dead;
  }

  // Sorts: states that differ in their order only are the same.
  Place* Keep(MatchState state, int depth) {
    std::sort(state.begin(), state.end(), [](const MatchThread& a, const MatchThread& b) {
      if (a.node != b.node) return a.node < b.node;
      return a.count != b.count ? a.count < b.count : a.parent < b.parent;
    });
    const auto key = Hash(state);
    const auto [begin, end] = known_.equal_range(key);
    for (auto it = begin; it != end; ++it) {
      if (it->second->state == state) return it->second;
    }
    Place* place = nullptr;
    if (num_known_ < states_max_) {
      if (num_known_ == places_.size()) places_.push_back(std::make_unique<Place>());
      place = places_[num_known_++].get();
      place->next.fill(nullptr);
      place->is_known = true;
      known_.emplace(key, place);
    } else {
      if (unknown_.empty()) unknown_.resize(path_.size());
      if (unknown_[depth] == nullptr) unknown_[depth] = std::make_unique<Place>();
      place = unknown_[depth].get();
    }
    place->state = std::move(state);
    return place;
  }

  const MatchState* Step(Place& from, uint8_t byte, int depth, int64_t effort_end) {
    Place*& next = from.next[byte];
    if (from.is_known && next != nullptr) {
      path_[depth] = next;
      return next == Dead() ? nullptr : &next->state;
    }
    if (matcher_.effort() > effort_end) return nullptr;
    matcher_.TakeWasCut();
    matcher_.Advance(from.state, byte, scratch_);
    Place* place = matcher_.TakeWasCut() || scratch_.empty() ? Dead() : Keep(scratch_, depth);
    if (from.is_known && (place == Dead() || place->is_known)) next = place;
    path_[depth] = place;
    return place == Dead() ? nullptr : &place->state;
  }

  static uint64_t Hash(const MatchState& state) {
    uint64_t hash = state.size();
    for (const MatchThread& thread : state) {
      hash = (hash ^ static_cast<uint32_t>(thread.node)) * 0x9E3779B97F4A7C15u;
      hash = (hash ^ static_cast<uint32_t>(thread.count)) * 0xBF58476D1CE4E5B9u;
      hash = (hash ^ static_cast<uint32_t>(thread.parent)) * 0x94D049BB133111EBu;
    }
    return hash;
  }

  Matcher& matcher_;
  const VocabularyTrie& trie_;
  const size_t states_max_;
  std::vector<Place*> path_;  // [depth]
  std::multimap<uint64_t, Place*> known_;
  std::vector<std::unique_ptr<Place>> places_;  // kept for their memory
  size_t num_known_ = 0;
  std::vector<std::unique_ptr<Place>> unknown_;  // [depth]
  MatchState scratch_;
};

}  // namespace aio

#endif  // AIO_GRAMMAR_TRIE_WALK_H_
