#include "grammar/token_grammar.h"

#include <algorithm>
#include <span>
#include <utility>

#include "grammar/matcher.h"
#include "grammar/trie_walk.h"

namespace aio {

namespace {

constexpr size_t kStatesMax = 1024;  // a kilobyte and more each

// Items that the thread's bottom rule has begun, counted from where the walk began.
int32_t ItemsBegun(const Matcher& matcher, MatchThread thread) {
  while (thread.parent != Matcher::kBottom) thread = matcher.Frame(thread.parent);
  if (thread.node == Matcher::kEnd) return thread.count;
  return thread.count + (matcher.grammar().node(thread.node).is_between ? 0 : 1);
}

void SortByItems(std::vector<std::pair<int32_t, int32_t>>& needs, NodeTokens& result) {
  std::sort(needs.begin(), needs.end());
  result.by_items.reserve(needs.size());
  for (const auto& [items, token] : needs) {
    const auto end = static_cast<int32_t>(result.by_items.size());
    while (result.by_items_end.size() <= static_cast<size_t>(items)) {
      result.by_items_end.push_back(end);
    }
    result.by_items.push_back(token);
    result.by_items_end[items] = end + 1;
  }
}

}  // namespace

size_t NodeTokens::memory_bytes() const {
  return sizeof(*this) + many.words().size_bytes() + few.size() * sizeof(int32_t) +
         (by_items.size() + by_items_end.size()) * sizeof(int32_t) + exits.size() * sizeof(Exit);
}

TokenGrammar::TokenGrammar(std::shared_ptr<const Grammar> grammar,
                           std::shared_ptr<const VocabularyTrie> trie)
    : grammar_(std::move(grammar)), trie_(std::move(trie)), known_(grammar_->num_nodes()) {}

std::shared_ptr<const NodeTokens> TokenGrammar::TokensAt(int32_t node) const {
  node = grammar_->twin_of(node);
  {
    const std::lock_guard lock(mutex_);
    if (known_[node] != nullptr) return known_[node];
  }
  // Not under the lock: two threads may both compute it, which is rare and harmless.
  auto tokens = std::make_shared<const NodeTokens>(Compute(node));
  const std::lock_guard lock(mutex_);
  if (known_[node] != nullptr) return known_[node];
  known_bytes_ += tokens->memory_bytes();
  if (known_bytes_ > kMemoryMax) {
    std::fill(known_.begin(), known_.end(), nullptr);
    known_bytes_ = tokens->memory_bytes();
  }
  known_[node] = tokens;
  return tokens;
}

bool TokenGrammar::Prepare(int32_t node) const {
  {
    const std::lock_guard lock(mutex_);
    if (known_bytes_ > kMemoryMax / 2) return false;
  }
  if (effort_ > kPrepareEffortMax) return false;
  TokensAt(node);
  return true;
}

int TokenGrammar::num_known() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(std::count_if(known_.begin(), known_.end(),
                                        [](const auto& tokens) { return tokens != nullptr; }));
}

NodeTokens TokenGrammar::Compute(int32_t node) const {
  NodeTokens result;
  const Grammar::Rule& rule = grammar_->rule_of(node);
  Matcher matcher(grammar_, Matcher::Bottom::kAnyCaller);
  TrieWalk walk(matcher, *trie_, kStatesMax);
  std::vector<std::pair<int32_t, int32_t>> needs;  // items and token
  const auto allow = [&](std::span<const int32_t> tokens, int32_t items) {
    result.few.insert(result.few.end(), tokens.begin(), tokens.end());
    if (!rule.is_counted) return;
    for (const int32_t token : tokens) needs.emplace_back(items, token);
  };
  // One byte is of one item, and can be read whatever else can.
  for (int byte = 0; byte < 256; ++byte) {
    const int32_t place = trie_->child_of_root(static_cast<uint8_t>(byte));
    if (place != 0 && grammar_->node(node).first.test(byte)) allow(trie_->tokens(place), 1);
  }
  walk.Below(0, matcher.StartAt(node), kEffortMax, [&](int32_t place, const MatchState& state) {
    const auto tokens = trie_->tokens(place);
    if (!tokens.empty() && trie_->node(place).depth > 1) {
      int32_t items = rule.is_counted ? Grammar::kNoMax : 0;
      if (rule.is_counted) {
        for (const MatchThread& thread : state) {
          items = std::min(items, ItemsBegun(matcher, thread));
        }
      }
      allow(tokens, items);
    }
    for (const MatchThread& thread : state) {
      if (thread.node == Matcher::kEnd) AddExits(place, thread.count, rule.follow, result);
    }
  });
  effort_ += matcher.effort();
  SortByItems(needs, result);
  std::stable_sort(result.exits.begin(), result.exits.end(),
                   [](const auto& a, const auto& b) { return a.byte < b.byte; });
  std::sort(result.few.begin(), result.few.end());
  constexpr size_t kBitsAToken = 32;  // that a list takes
  if (result.few.size() * kBitsAToken > static_cast<size_t>(trie_->vocabulary_size())) {
    result.many = TokenMask(trie_->vocabulary_size());
    result.many.AllowAll(result.few);
    result.few = {};
  }
  return result;
}

void TokenGrammar::AddExits(int32_t place, int32_t items, const ByteSet& follow,
                            NodeTokens& result) const {
  const int32_t end = trie_->node(place).end;
  for (int32_t child = place + 1; child < end; child = trie_->node(child).end) {
    const uint8_t byte = trie_->node(child).byte;
    if (follow.test(byte)) result.exits.push_back({child, items, byte});
  }
}

}  // namespace aio
