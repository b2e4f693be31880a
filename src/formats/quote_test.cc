#include "formats/quote.h"

#include <gtest/gtest.h>

#include "base/utf8.h"

namespace aio {
namespace {

TEST(QuoteTest, KeepsText) {
  EXPECT_EQ(QuoteForMessage(""), "\"\"");
  EXPECT_EQ(QuoteForMessage("blk.0.attn_q.weight"), "\"blk.0.attn_q.weight\"");
  EXPECT_EQ(QuoteForMessage("\xE4\xBD\xA0\xE5\xA5\xBD"), "\"\xE4\xBD\xA0\xE5\xA5\xBD\"");
}

TEST(QuoteTest, EscapesWhatWouldMislead) {
  EXPECT_EQ(QuoteForMessage("a\"b\\c"), "\"a\\\"b\\\\c\"");
  EXPECT_EQ(QuoteForMessage("a\nb\tc"), "\"a\\nb\\tc\"");
  EXPECT_EQ(QuoteForMessage("\x1b[2J"), "\"\\u{1b}[2J\"");
  EXPECT_EQ(QuoteForMessage(std::string_view("\0", 1)), "\"\\u{0}\"");
  EXPECT_EQ(QuoteForMessage("\xC2\x9B"), "\"\\u{9b}\"");        // a terminal's CSI
  EXPECT_EQ(QuoteForMessage("\xE2\x80\xAE"), "\"\\u{202e}\"");  // right-to-left override
  EXPECT_EQ(QuoteForMessage("\xFF\xC3"), "\"\\xff\\xc3\"");     // not UTF-8
  EXPECT_EQ(QuoteForMessage("\xE2\x82"
                            "a"),
            "\"\\xe2\\x82a\"");  // cut short
}

TEST(QuoteTest, ShortensAtACharacter) {
  EXPECT_EQ(QuoteForMessage("abcdef", 6), "\"abcdef\"");
  EXPECT_EQ(QuoteForMessage("abcdefg", 6), "\"abcdef...\"");
  EXPECT_EQ(QuoteForMessage("a\xC3\xA7"
                            "b",
                            2),
            "\"a...\"");
}

TEST(QuoteTest, IsAlwaysValidUtf8) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const char text[] = {static_cast<char>(first), static_cast<char>(second), 'x'};
      EXPECT_TRUE(IsValidUtf8(QuoteForMessage({text, sizeof(text)})));
    }
  }
}

}  // namespace
}  // namespace aio
