#include "tokenizer/merge_table.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <vector>

namespace aio {
namespace {

std::vector<Symbol> Symbols(const std::vector<SymbolId>& ids) {
  std::vector<Symbol> symbols;
  for (const SymbolId id : ids) symbols.push_back({id, static_cast<uint32_t>(symbols.size())});
  return symbols;
}

std::vector<SymbolId> Ids(const std::vector<Symbol>& symbols) {
  std::vector<SymbolId> ids;
  for (const Symbol& symbol : symbols) ids.push_back(symbol.id);
  return ids;
}

std::vector<SymbolId> Merged(const MergeTable& table, const std::vector<SymbolId>& ids,
                             size_t at_least = 1) {
  std::vector<Symbol> symbols = Symbols(ids);
  Merger().Merge(table, symbols, at_least);
  return Ids(symbols);
}

TEST(MergeTableTest, FindsWhatWasAdded) {
  MergeTable table(0);
  for (SymbolId i = 0; i < 1000; ++i) table.Add(i, i + 1, {i, 2 * i});
  for (SymbolId i = 0; i < 1000; ++i) {
    EXPECT_EQ(table.Find(i, i + 1).rank, i);
    EXPECT_EQ(table.Find(i, i + 1).merged, 2 * i);
    EXPECT_EQ(table.Find(i + 1, i).rank, MergeTable::kNoRank);
  }
  EXPECT_EQ(table.Find(kNoSymbol, kNoSymbol).rank, MergeTable::kNoRank);
}

TEST(MergeTableTest, TheLowerRankStays) {
  MergeTable table(4);
  table.Add(1, 2, {7, 70});
  table.Add(1, 2, {5, 50});
  table.Add(1, 2, {6, 60});
  EXPECT_EQ(table.Find(1, 2).merged, 50u);
}

TEST(MergerTest, AppliesTheLowestRankFirst) {
  MergeTable table(4);
  table.Add(1, 2, {1, 12});
  table.Add(2, 3, {0, 23});
  EXPECT_EQ(Merged(table, {1, 2, 3}), (std::vector<SymbolId>{1, 23}));
}

TEST(MergerTest, AppliesTheLeftmostOfEqualRanks) {
  MergeTable table(4);
  table.Add(1, 1, {0, 11});
  EXPECT_EQ(Merged(table, {1, 1, 1}), (std::vector<SymbolId>{11, 1}));
}

TEST(MergerTest, KeepsWhereSymbolsBegin) {
  MergeTable table(4);
  table.Add(2, 3, {0, 23});
  std::vector<Symbol> symbols = Symbols({1, 2, 3, 4});
  Merger().Merge(table, symbols);
  ASSERT_EQ(symbols.size(), 3u);
  EXPECT_EQ(symbols[1].offset, 1u);
  EXPECT_EQ(symbols[2].offset, 3u);
}

// The definition, step by step.
std::vector<SymbolId> MergedByDefinition(const MergeTable& table, std::vector<SymbolId> ids,
                                         size_t at_least = 1) {
  while (ids.size() > at_least) {
    MergeTable::Rule best;
    size_t place = 0;
    for (size_t i = 0; i + 1 < ids.size(); ++i) {
      const MergeTable::Rule rule = table.Find(ids[i], ids[i + 1]);
      if (rule.rank < best.rank) {
        best = rule;
        place = i;
      }
    }
    if (best.rank == MergeTable::kNoRank) return ids;
    ids[place] = best.merged;
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(place) + 1);
  }
  return ids;
}

// Words on both sides of the length where the algorithm changes; ranks shared by several
// rules, as SentencePiece has them.
TEST(MergerTest, AgreesWithTheDefinition) {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    MergeTable table(8);
    const uint32_t alphabet = 2 + random() % 4;
    uint32_t symbols = alphabet;
    for (uint32_t rank = 0; rank < 40; ++rank) {
      table.Add(random() % symbols, random() % symbols, {rank / (1 + round % 3), symbols});
      ++symbols;
    }
    for (const size_t length : {0, 1, 2, 5, 31, 32, 33, 34, 100, 300}) {
      std::vector<SymbolId> ids(length);
      for (SymbolId& id : ids) id = random() % 9 == 0 ? kNoSymbol : random() % alphabet;
      EXPECT_EQ(Merged(table, ids), MergedByDefinition(table, ids));
      EXPECT_EQ(Merged(table, ids, 2), MergedByDefinition(table, ids, 2));
      EXPECT_EQ(Merged(table, ids, length / 2), MergedByDefinition(table, ids, length / 2));
    }
  }
}

}  // namespace
}  // namespace aio
