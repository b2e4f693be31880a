#include "tokenizer/merge_table.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <utility>

namespace aio {
namespace {

constexpr uint32_t kEnd = 0xFFFFFFFF;  // no neighbour
constexpr size_t kShortSymbols = 32;   // below, a linear scan beats the heap

}  // namespace

MergeTable::MergeTable(size_t expected_rules)
    : slots_(std::bit_ceil(std::max<size_t>(2 * expected_rules, 16))), mask_(slots_.size() - 1) {}

void MergeTable::Add(SymbolId left, SymbolId right, Rule rule) {
  if (2 * (size_ + 1) > slots_.size()) Grow();
  const uint64_t key = Key(left, right);
  size_t i = Slot(key);
  while (slots_[i].key != key && slots_[i].key != kFree) i = (i + 1) & mask_;
  if (slots_[i].key == kFree) {
    slots_[i] = {key, rule};
    ++size_;
  } else if (rule.rank < slots_[i].rule.rank) {
    slots_[i].rule = rule;
  }
}

void MergeTable::Grow() {
  std::vector<SlotEntry> old = std::exchange(slots_, std::vector<SlotEntry>(2 * slots_.size()));
  mask_ = slots_.size() - 1;
  for (const SlotEntry& entry : old) {
    if (entry.key == kFree) continue;
    size_t i = Slot(entry.key);
    while (slots_[i].key != kFree) i = (i + 1) & mask_;
    slots_[i] = entry;
  }
}

void Merger::Merge(const MergeTable& table, std::vector<Symbol>& symbols, size_t at_least) {
  if (symbols.size() < 2) return;
  if (symbols.size() <= kShortSymbols) {
    MergeShort(table, symbols, at_least);
  } else {
    MergeLong(table, symbols, at_least);
  }
}

void Merger::MergeShort(const MergeTable& table, std::vector<Symbol>& symbols, size_t at_least) {
  rules_.clear();
  for (size_t i = 0; i + 1 < symbols.size(); ++i) {
    rules_.push_back(table.Find(symbols[i].id, symbols[i + 1].id));
  }
  const auto lower_rank = [](const auto& a, const auto& b) { return a.rank < b.rank; };
  while (symbols.size() > at_least) {
    const auto best = std::min_element(rules_.begin(), rules_.end(), lower_rank);
    if (best->rank == MergeTable::kNoRank) return;
    const size_t left = best - rules_.begin();
    symbols[left].id = best->merged;
    symbols.erase(symbols.begin() + left + 1);
    rules_.erase(best);
    if (left > 0) rules_[left - 1] = table.Find(symbols[left - 1].id, symbols[left].id);
    if (left < rules_.size()) rules_[left] = table.Find(symbols[left].id, symbols[left + 1].id);
  }
}

// Puts the pair that starts at `left` on the heap if it merges.
void Merger::Offer(const MergeTable& table, const std::vector<Symbol>& symbols, uint32_t left) {
  const uint32_t right = next_[left];
  if (right == kEnd) return;
  const uint32_t rank = table.Find(symbols[left].id, symbols[right].id).rank;
  if (rank == MergeTable::kNoRank) return;
  heap_.push_back(uint64_t{rank} << 32 | left);
}

void Merger::MergeLong(const MergeTable& table, std::vector<Symbol>& symbols, size_t at_least) {
  const auto count = static_cast<uint32_t>(symbols.size());
  next_.resize(count);
  previous_.resize(count);
  heap_.clear();
  for (uint32_t i = 0; i < count; ++i) {
    next_[i] = i + 1 < count ? i + 1 : kEnd;
    previous_[i] = i > 0 ? i - 1 : kEnd;
  }
  for (uint32_t i = 0; i < count; ++i) Offer(table, symbols, i);
  std::make_heap(heap_.begin(), heap_.end(), std::greater<>());

  size_t left_over = count;
  while (!heap_.empty() && left_over > at_least) {
    std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
    const auto rank = static_cast<uint32_t>(heap_.back() >> 32);
    const auto left = static_cast<uint32_t>(heap_.back());
    heap_.pop_back();
    // An entry is out of date if its pair has changed since: then either nothing merges
    // there or the new pair has an entry of its own. A dead left symbol has next_ == left.
    const uint32_t right = next_[left];
    if (right == kEnd || right == left) continue;
    const MergeTable::Rule rule = table.Find(symbols[left].id, symbols[right].id);
    if (rule.rank != rank) continue;

    --left_over;
    symbols[left].id = rule.merged;
    next_[left] = next_[right];
    if (next_[left] != kEnd) previous_[next_[left]] = left;
    next_[right] = right;
    for (const uint32_t start : {previous_[left], left}) {
      if (start == kEnd) continue;
      const size_t before = heap_.size();
      Offer(table, symbols, start);
      if (heap_.size() > before) std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
    }
  }

  size_t kept = 0;
  for (uint32_t i = 0; i != kEnd; i = next_[i]) symbols[kept++] = symbols[i];
  symbols.resize(kept);
}

}  // namespace aio
