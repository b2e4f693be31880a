#include "grammar/token_matcher.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

namespace aio {

namespace {

constexpr size_t kStatesMax = 128;  // of one mask
// Far more than a mask that allows the token has taken to find that.
constexpr int64_t kAdvanceEffortMax = 8 * TokenGrammar::kEffortMax;

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
  // As a mask is made: each thread's rule for itself, and what its caller goes on with for itself.
  // A mask has only what can be followed in full that way. Together they were crowded out.
  const int64_t effort_end = matcher_.effort() + kAdvanceEffortMax;
  for (const MatchThread& thread : before) {
    if (!state.empty() || matcher_.effort() > effort_end) break;
    if (thread.node != Matcher::kEnd) AdvanceApart(thread, bytes, effort_end, state);
  }
  return !state.empty();
}

void TokenMatcher::AdvanceApart(const MatchThread& thread, std::string_view bytes,
                                int64_t effort_end, MatchState& result) {
  std::vector<size_t> ends;  // of the thread's rule
  MatchState at = {thread};
  for (size_t i = 0; i < bytes.size() && !at.empty(); ++i) {
    const auto byte = static_cast<uint8_t>(bytes[i]);
    if (matcher_.AdvanceWithin(thread, at, byte, next_)) ends.push_back(i + 1);
    std::swap(at, next_);
  }
  result = std::move(at);
  for (const size_t end : ends) {
    if (matcher_.effort() > effort_end) return;
    matcher_.AfterEnd(thread, after_);
    if (!AdvanceTogether(after_, bytes.substr(end))) continue;
    for (const MatchThread& next : after_) {
      const bool is_new = std::find(result.begin(), result.end(), next) == result.end();
      if (is_new && result.size() < Matcher::kThreadsMax) result.push_back(next);
    }
  }
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
  // One byte more can be read whatever else can.
  for (int32_t i = space + 1; i < trie.node(space).end; i = trie.node(i).end) {
    const uint8_t byte = trie.node(i).byte;
    const bool is_read = std::any_of(state.begin(), state.end(), [&](const MatchThread& thread) {
      return thread.node != Matcher::kEnd && matcher_.grammar().node(thread.node).first.test(byte);
    });
    if (is_read) mask.AllowAll(trie.tokens(i));
  }
  walk_.Below(space, state, TokenGrammar::kEffortMax,
              [&](int32_t place, const MatchState&) { mask.AllowAll(trie.tokens(place)); });
  walk_.Clear();
  matcher_.Rewind(mark);
  return mask;
}

void TokenMatcher::Compute(const MatchState& state, TokenMask& mask) {
  mask.Clear();
  if (Matcher::Accepts(state)) mask.AllowAll(ends_);
  const size_t mark = matcher_.Mark();
  effort_end_ = matcher_.effort() + TokenGrammar::kEffortMax;
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
  if (matcher_.effort() > effort_end_) return;
  matcher_.TakeWasCut();
  matcher_.AfterEnd(thread, after_);
  if (matcher_.TakeWasCut() || Matcher::IsOver(after_)) return;
  const Grammar::Rule& rule = matcher_.grammar().rule_of(thread.node);
  const VocabularyTrie& trie = grammar_->trie();
  int byte = -1;  // that next_ follows after_ by
  for (const NodeTokens::Exit& exit : tokens.exits) {
    const int64_t items = int64_t{thread.count} + exit.items;
    if (rule.is_counted && (items < rule.min || items > rule.max)) continue;
    if (byte != exit.byte) {
      if (matcher_.effort() > effort_end_) return;
      byte = exit.byte;
      matcher_.Advance(after_, exit.byte, next_);
      if (matcher_.TakeWasCut()) next_.clear();
    }
    if (next_.empty()) continue;
    mask.AllowAll(trie.tokens(exit.trie_node));
    if (trie.node(exit.trie_node).end == exit.trie_node + 1) continue;
    const int64_t left = std::max<int64_t>(effort_end_ - matcher_.effort(), 0);
    walk_.Below(exit.trie_node, next_, left,
                [&](int32_t place, const MatchState&) { mask.AllowAll(trie.tokens(place)); });
  }
}

}  // namespace aio
