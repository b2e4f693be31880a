#include "engine/prompt_lookup.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

namespace aio {
namespace {

using Tokens = std::vector<int32_t>;

Tokens Propose(const Tokens& tokens, int ngram_max, int ngram_min, int count) {
  Tokens draft;
  PromptLookup(ngram_max, ngram_min).Propose(tokens, count, draft);
  return draft;
}

TEST(PromptLookupTest, CopiesWhatFollowed) {
  EXPECT_EQ(Propose({1, 2, 3, 4, 5, 9, 1, 2, 3}, 3, 1, 2), (Tokens{4, 5}));
}

TEST(PromptLookupTest, NothingWithoutAnEarlierOccurrence) {
  EXPECT_EQ(Propose({1, 2, 3, 4}, 3, 1, 2), Tokens());
  EXPECT_EQ(Propose({1}, 3, 1, 2), Tokens());
  EXPECT_EQ(Propose({1, 2, 8, 1, 9, 2}, 3, 2, 2), Tokens());  // only one token matches
}

TEST(PromptLookupTest, ALongerMatchBeatsALaterOne) {
  EXPECT_EQ(Propose({7, 1, 2, 50, 8, 2, 60, 1, 2}, 2, 1, 1), (Tokens{50}));
  // With unigrams only, the latest occurrence counts.
  EXPECT_EQ(Propose({7, 1, 2, 50, 8, 2, 60, 1, 2}, 1, 1, 1), (Tokens{60}));
}

TEST(PromptLookupTest, TheMostFrequentContinuationThenTheLatest) {
  EXPECT_EQ(Propose({1, 2, 50, 1, 2, 60, 1, 2}, 2, 1, 1), (Tokens{60}));
  EXPECT_EQ(Propose({8, 2, 50, 9, 2, 50, 7, 2, 60, 6, 2}, 2, 1, 1), (Tokens{50}));
}

TEST(PromptLookupTest, StaysInStepWithWhatIsBeingCopied) {
  // "2 3" goes on with 40 in the text that is being copied, later with 50.
  const Tokens text = {9, 1, 2, 3, 40, 41, 42, 7, 2, 3, 50, 8};
  PromptLookup lookup(2, 1);
  Tokens tokens = text;
  tokens.insert(tokens.end(), {9, 1});
  Tokens draft;
  lookup.Propose(tokens, 2, draft);
  EXPECT_EQ(draft, (Tokens{2, 3}));
  tokens.insert(tokens.end(), draft.begin(), draft.end());
  draft.clear();
  EXPECT_EQ(lookup.Propose(tokens, 3, draft), 4);
  EXPECT_EQ(draft, (Tokens{40, 41, 42}));
}

TEST(PromptLookupTest, AConstantRunDraftsItself) {
  EXPECT_EQ(Propose({5, 5}, 6, 1, 4), (Tokens{5, 5, 5, 5}));
  EXPECT_EQ(Propose({1, 5, 5, 5}, 6, 1, 2), (Tokens{5, 5}));
}

TEST(PromptLookupTest, ALoopDraftsItsContinuation) {
  EXPECT_EQ(Propose({1, 2, 3, 1, 2, 3, 1}, 6, 1, 5), (Tokens{2, 3, 1, 2, 3}));
}

TEST(PromptLookupTest, AppendsToTheDraft) {
  Tokens draft = {42};
  PromptLookup(6, 1).Propose(Tokens{5, 5}, 3, draft);
  EXPECT_EQ(draft, (Tokens{42, 5, 5, 5}));
}

// Against the definition, spelt out; the index as one token after the other comes in.
TEST(NgramIndexTest, AgreesWithTheDefinition) {
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    const int ngram_min = 1 + static_cast<int>(random() % 3);
    const int ngram_max = ngram_min + static_cast<int>(random() % 4);
    NgramIndex index(ngram_max, ngram_min);
    Tokens tokens;
    const int size = 1 + static_cast<int>(random() % 40);
    while (static_cast<int>(tokens.size()) < size) {
      for (int more = 1 + static_cast<int>(random() % 3); more > 0; --more) {
        tokens.push_back(static_cast<int32_t>(random() % 3));
      }
      index.Extend(tokens);
      NgramIndex::Match expected;
      for (int n = ngram_max; n >= ngram_min && expected.length == 0; --n) {
        std::map<int32_t, std::pair<int, int>> followers;  // token -> count, latest position
        for (int at = n; at < static_cast<int>(tokens.size()); ++at) {
          if (!std::equal(tokens.end() - n, tokens.end(), tokens.begin() + at - n)) continue;
          auto& [count, latest] = followers[tokens[at]];
          ++count;
          latest = at;
          expected.length = n;
          expected.latest = at;
        }
        for (const auto& [token, seen] : followers) {
          const auto& [count, latest] = seen;
          if (count > expected.frequent_count ||
              (count == expected.frequent_count && latest > expected.frequent)) {
            expected.frequent_count = count;
            expected.frequent = latest;
          }
        }
      }
      const NgramIndex::Match found = index.Find();
      ASSERT_EQ(found.length, expected.length);
      ASSERT_EQ(found.latest, expected.latest);
      ASSERT_EQ(found.frequent, expected.frequent);
      ASSERT_EQ(found.frequent_count, expected.frequent_count);
    }
  }
}

}  // namespace
}  // namespace aio
