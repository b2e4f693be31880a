#include "grammar/token_matcher.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

namespace aio {

namespace {

constexpr size_t kStatesMax = 128;  // of one mask

}  // namespace

TokenMatcher::TokenMatcher(std::shared_ptr<const TokenGrammar> grammar, std::vector<int32_t> ends)
    : grammar_(std::move(grammar)),
      ends_(std::move(ends)),
      matcher_(grammar_->grammar()),
      walk_(matcher_, grammar_->trie(), kStatesMax) {}

bool TokenMatcher::Advance(MatchState& state, std::string_view bytes) {
  const MatchState before = state;
  matcher_.TakeWasCut();
  if (AdvanceTogether(state, bytes)) return true;
  if (!matcher_.TakeWasCut()) return false;
  // Each thread for itself, as Mask() looks at them: those that go on were crowded out by others.
  for (const MatchThread& thread : before) {
    MatchState alone = {thread};
    if (!AdvanceTogether(alone, bytes)) continue;
    for (const MatchThread& next : alone) {
      const bool is_new = std::find(state.begin(), state.end(), next) == state.end();
      if (is_new && state.size() < Matcher::kThreadsMax) state.push_back(next);
    }
  }
  return !state.empty();
}

bool TokenMatcher::AdvanceTogether(MatchState& state, std::string_view bytes) {
  for (const char byte : bytes) {
    matcher_.Advance(state, static_cast<uint8_t>(byte), next_);
    std::swap(state, next_);
    if (state.empty()) return false;
  }
  return true;
}

const TokenMask& TokenMatcher::Mask(const MatchState& state) {
  ++uses_;
  for (Known& known : known_) {
    if (known.state != state) continue;
    known.last_use = uses_;
    return known.mask;
  }
  if (known_.size() < kMasksKept) {
    known_.push_back({{}, TokenMask(grammar_->trie().vocabulary_size())});
  }
  Known& oldest = *std::min_element(known_.begin(), known_.end(), [](const auto& a, const auto& b) {
    return a.last_use < b.last_use;
  });
  oldest.state = state;
  oldest.last_use = uses_;
  Compute(state, oldest.mask);
  return oldest.mask;
}

TokenMask TokenMatcher::MaskWithoutFirstSpace(const MatchState& state) {
  TokenMask mask = Mask(state);
  const VocabularyTrie& trie = grammar_->trie();
  const int32_t space = trie.child_of_root(' ');
  if (space == 0) return mask;
  for (const int32_t token : trie.tokens_below(space)) mask.Forbid(token);
  mask.AllowAll(trie.tokens(space));
  const size_t mark = matcher_.Mark();
  walk_.Below(space, state,
              [&](int32_t place, const MatchState&) { mask.AllowAll(trie.tokens(place)); });
  walk_.Clear();
  matcher_.Rewind(mark);
  return mask;
}

void TokenMatcher::Compute(const MatchState& state, TokenMask& mask) {
  mask.Clear();
  if (Matcher::Accepts(state)) mask.AllowAll(ends_);
  const size_t mark = matcher_.Mark();
  for (const MatchThread& thread : state) {
    if (thread.node != Matcher::kEnd) AddThread(thread, mask);
  }
  walk_.Clear();
  matcher_.Rewind(mark);
}

void TokenMatcher::AddThread(const MatchThread& thread, TokenMask& mask) {
  const std::shared_ptr<const NodeTokens> tokens = grammar_->TokensAt(thread.node);
  const Grammar::Rule& rule = matcher_.grammar().rule_of(thread.node);
  const int32_t left = rule.is_counted ? rule.max - thread.count : 0;
  if (rule.is_counted && left < tokens->items_max()) {
    const std::span<const int32_t> all = tokens->by_items;
    mask.AllowAll(all.first(tokens->by_items_end[left]));
  } else if (!tokens->many.empty()) {
    mask.AllowAll(tokens->many);
  } else {
    mask.AllowAll(tokens->few);
  }
  if (!tokens->exits.empty()) AddExits(thread, *tokens, mask);
}

void TokenMatcher::AddExits(const MatchThread& thread, const NodeTokens& tokens, TokenMask& mask) {
  matcher_.AfterEnd(thread, after_);
  if (Matcher::IsOver(after_)) return;
  const Grammar::Rule& rule = matcher_.grammar().rule_of(thread.node);
  const VocabularyTrie& trie = grammar_->trie();
  int byte = -1;  // that next_ follows after_ by
  for (const NodeTokens::Exit& exit : tokens.exits) {
    const int64_t items = int64_t{thread.count} + exit.items;
    if (rule.is_counted && (items < rule.min || items > rule.max)) continue;
    if (byte != exit.byte) {
      byte = exit.byte;
      matcher_.Advance(after_, exit.byte, next_);
    }
    if (next_.empty()) continue;
    mask.AllowAll(trie.tokens(exit.trie_node));
    if (trie.node(exit.trie_node).end == exit.trie_node + 1) continue;
    walk_.Below(exit.trie_node, next_,
                [&](int32_t place, const MatchState&) { mask.AllowAll(trie.tokens(place)); });
  }
}

}  // namespace aio
