#include "engine/stop_matcher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace aio {
namespace {

// What each piece made visible, the flush last.
std::vector<std::string> Feed(const std::vector<std::string>& stops,
                              const std::vector<std::string>& pieces, bool* matched = nullptr) {
  StopMatcher matcher(stops);
  std::vector<std::string> shown;
  for (const std::string& piece : pieces) {
    shown.emplace_back();
    matcher.Push(piece, shown.back());
  }
  shown.emplace_back();
  matcher.Flush(shown.back());
  if (matched != nullptr) *matched = matcher.matched();
  return shown;
}

using Shown = std::vector<std::string>;

TEST(StopMatcherTest, WithoutStopStringsNothingIsWithheld) {
  EXPECT_EQ(Feed({}, {"a", "bc"}), (Shown{"a", "bc", ""}));
}

TEST(StopMatcherTest, EndsBeforeAMatchAcrossPieces) {
  bool matched = false;
  EXPECT_EQ(Feed({"\nUser:"}, {"Hi\n", "Us", "er", ": more", "x"}, &matched),
            (Shown{"Hi", "", "", "", "", ""}));
  EXPECT_TRUE(matched);
}

TEST(StopMatcherTest, ReleasesWhatCannotBecomeAMatch) {
  bool matched = true;
  EXPECT_EQ(Feed({"abcd"}, {"xab", "c", "e", "ab"}, &matched), (Shown{"x", "", "abce", "", "ab"}));
  EXPECT_FALSE(matched);
}

TEST(StopMatcherTest, WithholdsOnlyTheSuffixThatMatters) {
  // After "aab" + "aa" only "aa" can still become "aab".
  EXPECT_EQ(Feed({"aabb"}, {"aab", "aa", "c"}), (Shown{"", "aab", "aac", ""}));
}

TEST(StopMatcherTest, TheEarliestEndWinsAndThenTheLongest) {
  EXPECT_EQ(Feed({"abcd", "bc"}, {"abcd"}), (Shown{"a", ""}));
  EXPECT_EQ(Feed({"c", "abc", "bc"}, {"xabc"}), (Shown{"x", ""}));
}

TEST(StopMatcherTest, OverlappingBeginnings) {
  bool matched = false;
  EXPECT_EQ(Feed({"aaab"}, {"a", "a", "a", "a", "a", "b"}, &matched),
            (Shown{"", "", "", "a", "a", "", ""}));
  EXPECT_TRUE(matched);
}

// Against the plain definition, for every way of cutting the text.
TEST(StopMatcherTest, DoesNotDependOnHowTheTextIsCut) {
  std::mt19937 random(1);
  const auto text_of = [&](size_t length) {
    std::string text;
    for (size_t i = 0; i < length; ++i) text += static_cast<char>('a' + random() % 2);
    return text;
  };
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::string> stops;
    for (unsigned i = 0; i < 1 + random() % 3; ++i) stops.push_back(text_of(1 + random() % 5));
    const std::string text = text_of(random() % 16);

    std::string expected = text;
    for (size_t end = 1; end <= text.size() && expected == text; ++end) {
      size_t longest = 0;
      for (const std::string& stop : stops) {
        if (std::string_view(text).substr(0, end).ends_with(stop)) {
          longest = std::max(longest, stop.size());
        }
      }
      if (longest > 0) expected = text.substr(0, end - longest);
    }

    std::vector<std::string> pieces;
    for (size_t at = 0; at < text.size();) {
      const size_t length = std::min<size_t>(1 + random() % 4, text.size() - at);
      pieces.push_back(text.substr(at, length));
      at += length;
    }
    std::string shown;
    for (const std::string& piece : Feed(stops, pieces)) shown += piece;
    ASSERT_EQ(shown, expected) << text;
  }
}

}  // namespace
}  // namespace aio
