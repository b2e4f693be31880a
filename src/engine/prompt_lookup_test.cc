#include "engine/prompt_lookup.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace aio {
namespace {

using Tokens = std::vector<int32_t>;

Tokens Draft(const Tokens& tokens, int ngram_max, int ngram_min, int lookahead,
             int count_max = 100) {
  Tokens draft;
  PromptLookupDrafter(ngram_max, ngram_min, lookahead).Draft(tokens, count_max, draft);
  return draft;
}

TEST(PromptLookupTest, CopiesWhatFollowed) {
  EXPECT_EQ(Draft({1, 2, 3, 4, 5, 9, 1, 2, 3}, 3, 1, 2), (Tokens{4, 5}));
}

TEST(PromptLookupTest, NothingWithoutAnEarlierOccurrence) {
  EXPECT_EQ(Draft({1, 2, 3, 4}, 3, 1, 2), Tokens());
  EXPECT_EQ(Draft({1}, 3, 1, 2), Tokens());
  EXPECT_EQ(Draft({1, 2, 8, 1, 9, 2}, 3, 2, 2), Tokens());  // only one token matches
}

TEST(PromptLookupTest, ALongerNgramBeatsALaterOne) {
  EXPECT_EQ(Draft({7, 1, 2, 50, 8, 2, 60, 1, 2}, 2, 1, 1), (Tokens{50}));
  // With unigrams only, the latest occurrence counts.
  EXPECT_EQ(Draft({7, 1, 2, 50, 8, 2, 60, 1, 2}, 1, 1, 1), (Tokens{60}));
}

TEST(PromptLookupTest, TheLatestOccurrenceOfEquallyLongOnes) {
  EXPECT_EQ(Draft({1, 2, 50, 1, 2, 60, 1, 2}, 2, 1, 1), (Tokens{60}));
}

TEST(PromptLookupTest, AConstantRunDraftsItself) {
  EXPECT_EQ(Draft({5, 5}, 6, 1, 4), (Tokens{5, 5, 5, 5}));
  EXPECT_EQ(Draft({1, 5, 5, 5}, 6, 1, 2), (Tokens{5, 5}));
}

TEST(PromptLookupTest, ALoopDraftsItsContinuation) {
  EXPECT_EQ(Draft({1, 2, 3, 1, 2, 3, 1}, 6, 1, 5), (Tokens{2, 3, 1, 2, 3}));
}

TEST(PromptLookupTest, RespectsTheCallersLimit) {
  EXPECT_EQ(Draft({5, 5}, 6, 1, 4, /*count_max=*/1), (Tokens{5}));
}

TEST(PromptLookupTest, AppendsToTheDraft) {
  Tokens draft = {42};
  PromptLookupDrafter(6, 1, 3).Draft(Tokens{5, 5}, 100, draft);
  EXPECT_EQ(draft, (Tokens{42, 5, 5, 5}));
}

// Against the definition, spelt out.
TEST(PromptLookupTest, AgreesWithTheDefinition) {
  std::mt19937 random(1);
  for (int round = 0; round < 5000; ++round) {
    Tokens tokens(1 + random() % 20);
    for (int32_t& token : tokens) token = static_cast<int32_t>(random() % 3);
    const int ngram_min = 1 + static_cast<int>(random() % 3);
    const int ngram_max = ngram_min + static_cast<int>(random() % 4);
    const int lookahead = 1 + static_cast<int>(random() % 5);

    Tokens expected;
    const size_t size = tokens.size();
    for (size_t n = ngram_max; n >= static_cast<size_t>(ngram_min) && expected.empty(); --n) {
      if (n >= size) continue;
      for (size_t begin = size - n; begin-- > 0 && expected.empty();) {
        if (!std::equal(tokens.end() - n, tokens.end(), tokens.begin() + begin)) continue;
        Tokens copied = tokens;
        for (int i = 0; i < lookahead; ++i) copied.push_back(copied[begin + n + i]);
        expected.assign(copied.begin() + size, copied.end());
      }
    }
    ASSERT_EQ(Draft(tokens, ngram_max, ngram_min, lookahead), expected);
  }
}

}  // namespace
}  // namespace aio
