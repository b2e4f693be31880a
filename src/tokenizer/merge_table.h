// Rank-ordered merging of neighbouring symbols: what byte-level BPE and SentencePiece share.
#ifndef AIO_TOKENIZER_MERGE_TABLE_H_
#define AIO_TOKENIZER_MERGE_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace aio {

// A token id, or a number at or above the vocabulary's size for text that is no token.
using SymbolId = uint32_t;
inline constexpr SymbolId kNoSymbol = 0xFFFFFFFF;  // merges with nothing

// A symbol and where its text begins; it ends where the next symbol begins.
struct Symbol {
  SymbolId id = kNoSymbol;
  uint32_t offset = 0;
};

// Which pairs of symbols merge, into what, and in which order. Immutable once filled.
class MergeTable {
 public:
  static constexpr uint32_t kNoRank = 0xFFFFFFFF;
  struct Rule {
    uint32_t rank = kNoRank;  // lower is applied first
    SymbolId merged = kNoSymbol;
  };

  explicit MergeTable(size_t expected_rules);

  // Of several rules for one pair the one with the lowest rank stays.
  void Add(SymbolId left, SymbolId right, Rule rule);

  // A rule with kNoRank if the pair does not merge.
  Rule Find(SymbolId left, SymbolId right) const {
    const uint64_t key = Key(left, right);
    for (size_t i = Slot(key);; i = (i + 1) & mask_) {
      if (slots_[i].key == key) return slots_[i].rule;
      if (slots_[i].key == kFree) return Rule();
    }
  }

 private:
  static constexpr uint64_t kFree = ~uint64_t{0};  // the key of (kNoSymbol, kNoSymbol)
  struct SlotEntry {
    uint64_t key = kFree;
    Rule rule;
  };

  static uint64_t Key(SymbolId left, SymbolId right) { return uint64_t{left} << 32 | right; }
  size_t Slot(uint64_t key) const {
    return static_cast<size_t>((key * 0x9E3779B97F4A7C15) >> 32) & mask_;
  }
  void Grow();

  std::vector<SlotEntry> slots_;  // open addressing, at most half full
  size_t mask_;
  size_t size_ = 0;
};

// Scratch space for merging; one per thread, reused from word to word.
class Merger {
 public:
  // Applies rules of `table` to `symbols` until none applies or `at_least` symbols are left:
  // always the one of lowest rank, the leftmost among equals. O(n log n).
  void Merge(const MergeTable& table, std::vector<Symbol>& symbols, size_t at_least = 1);

 private:
  void MergeShort(const MergeTable& table, std::vector<Symbol>& symbols, size_t at_least);
  void MergeLong(const MergeTable& table, std::vector<Symbol>& symbols, size_t at_least);
  void Offer(const MergeTable& table, const std::vector<Symbol>& symbols, uint32_t left);

  std::vector<MergeTable::Rule> rules_;    // [n - 1] rule for the pair (i, i + 1)
  std::vector<uint32_t> next_, previous_;  // [n] neighbours still alive
  std::vector<uint64_t> heap_;             // (rank, left position), lowest first
};

}  // namespace aio

#endif  // AIO_TOKENIZER_MERGE_TABLE_H_
