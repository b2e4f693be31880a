#include "base/utf8.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace aio {
namespace {

TEST(Utf8Test, AcceptsEveryScalarValueAndOnlyThose) {
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    std::string encoded;
    AppendUtf8(c, encoded);
    const Utf8Step step = DecodeUtf8(encoded);
    if (c >= 0xD800 && c <= 0xDFFF) {
      ASSERT_FALSE(step.valid) << std::hex << static_cast<uint32_t>(c);
    } else {
      ASSERT_TRUE(step.valid) << std::hex << static_cast<uint32_t>(c);
      ASSERT_EQ(step.code_point, c);
      ASSERT_EQ(step.length, encoded.size());
    }
  }
}

TEST(Utf8Test, RejectsIllFormedSequences) {
  const std::vector<std::string> ill_formed = {
      "\x80",
      "\xC0\xAF",
      "\xC1\xBF",
      "\xE0\x80\xAF",
      "\xF0\x80\x80\xAF",
      "\xF4\x90\x80\x80",
      "\xF5\x80\x80\x80",
      "\xFF",
      "\xE2\x82",
      "a\xE2(",
  };
  for (const std::string& text : ill_formed) EXPECT_FALSE(IsValidUtf8(text));
  EXPECT_EQ(FindInvalidUtf8("ok \xC3\xA9 then \xFF"), 11u);
}

TEST(Utf8Test, CompletePrefixHoldsBackOnlyWhatMayStillBecomeACharacter) {
  const std::string euro = "\xE2\x82\xAC", smile = "\xF0\x9F\x98\x80";
  EXPECT_EQ(CompleteUtf8Prefix(""), 0u);
  EXPECT_EQ(CompleteUtf8Prefix("abc"), 3u);
  EXPECT_EQ(CompleteUtf8Prefix(euro), 3u);
  EXPECT_EQ(CompleteUtf8Prefix("a" + euro.substr(0, 1)), 1u);
  EXPECT_EQ(CompleteUtf8Prefix("a" + euro.substr(0, 2)), 1u);
  EXPECT_EQ(CompleteUtf8Prefix(smile.substr(0, 3)), 0u);
  EXPECT_EQ(CompleteUtf8Prefix("a\xFF"), 2u) << "certainly ill-formed: nothing to wait for";
}

TEST(Utf8Test, ReplacementIsPerMaximalPrefix) {
  const std::string replacement = "\xEF\xBF\xBD";
  EXPECT_EQ(ReplaceInvalidUtf8("a\xE2\x82z"), "a" + replacement + "z");
  EXPECT_EQ(ReplaceInvalidUtf8("\xFF\xFF"), replacement + replacement);
}

}  // namespace
}  // namespace aio
