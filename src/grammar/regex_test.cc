#include "grammar/regex.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "grammar/testing/accepts.h"

namespace aio {
namespace {

struct Case {
  std::string pattern;
  std::vector<std::string> accepted;
  std::vector<std::string> rejected;
};

TEST(RegexTest, MatchesAsAWhole) {
  const std::vector<Case> cases = {
      {"abc", {"abc"}, {"", "ab", "abcd", "xabc"}},
      {"", {""}, {"a"}},
      {"a|bc|", {"a", "bc", ""}, {"b", "abc"}},
      {"a*", {"", "a", "aaaa"}, {"b", "ab"}},
      {"a+b?", {"a", "ab", "aab"}, {"", "b", "abb"}},
      {"(ab){2}", {"abab"}, {"ab", "ababab"}},
      {"(?:ab){1,}", {"ab", "ababab"}, {"", "aba"}},
      {"a{2,3}?", {"aa", "aaa"}, {"a", "aaaa"}},
      {"[a-c]{0,200}x", {"x", std::string(200, 'b') + "x"}, {std::string(201, 'b') + "x", "b"}},
      {"(a|aa){70,80}",
       {std::string(70, 'a'), std::string(160, 'a')},
       {std::string(69, 'a'), std::string(161, 'a')}},
      {"(a?){90}", {"", std::string(90, 'a')}, {std::string(91, 'a'), "b"}},
      {"(a{40,50}){3,4}",
       {std::string(120, 'a'), std::string(200, 'a')},
       {std::string(119, 'a'), std::string(201, 'a')}},
      {".", {"a", "\xC3\xA9", "\xF0\x9F\x99\x82"}, {"", "\n", "ab", "\xC3", "\xFF"}},
      {"[^a]", {"b", "\n", "\xC3\xA9"}, {"a", ""}},
      {"[\xC3\xA0-\xC3\xA9]", {"\xC3\xA9"}, {"\xC3\xAA", "e"}},
      {"[a-]", {"a", "-"}, {"b"}},
      {"\\d\\D\\w\\W\\s\\S", {"1ab. x"}, {"aab. x", "11b. x"}},
      {"\\x41\\u0042\\u{1F642}\\.\\/\\\\", {"AB\xF0\x9F\x99\x82./\\"}, {"AB"}},
      {"^ab$", {"ab"}, {"a"}},
      {"[\\]\\\\^]", {"]", "\\", "^"}, {"a"}},
  };
  for (const Case& c : cases) {
    const auto grammar = CompileText(GrammarSource::kRegex, c.pattern);
    ASSERT_TRUE(grammar.ok()) << c.pattern << ": " << grammar.status().ToString();
    for (const std::string& text : c.accepted)
      EXPECT_TRUE(Accepts(*grammar, text)) << c.pattern << " " << text;
    for (const std::string& text : c.rejected)
      EXPECT_FALSE(Accepts(*grammar, text)) << c.pattern << " " << text;
  }
}

TEST(RegexTest, RefusesWhatItDoesNotSupportAndSaysWhere) {
  for (const auto& [pattern, what] : std::vector<std::pair<std::string, std::string>>{
           {"(?=a)", "look-around"},
           {"(?<n>a)", "names"},
           {"ab\\1", "byte 2: \\1"},
           {"\\bab", "\\b"},
           {"\\p{L}", "\\p"},
           {"a$b", "$"},
           {"(^a)", "^"},
           {"*a", "quantifier"},
           {"a**", "quantifier"},
           {"(a", "without its )"},
           {"a)", "without its ("},
           {"[a", "without its ]"},
           {"[z-a]", "before its beginning"},
           {"a{3,2}", "below"},
           {"a{x}", "number"},
           {"\\ud800", "no character"},
           {"\\", "at the end"},
           {"\xFF", "UTF-8"},
           {"a{1000001}", "repetitions"},
       }) {
    const auto grammar = CompileText(GrammarSource::kRegex, pattern);
    ASSERT_FALSE(grammar.ok()) << pattern;
    EXPECT_EQ(grammar.status().code(), StatusCode::kInvalidArgument);
    EXPECT_NE(grammar.status().message().find(what), std::string::npos)
        << grammar.status().ToString();
  }
}

TEST(RegexTest, WhatWouldTakeTooMuchIsRefusedSoon) {
  std::string nested = "a";
  for (int i = 0; i < 90; ++i) nested = "(" + nested + "{1,9})";
  std::string exploding = "(a|b)*a";
  for (int i = 0; i < 40; ++i) exploding += "(a|b)";
  EXPECT_FALSE(CompileText(GrammarSource::kRegex, exploding).ok());
  // Either is fine, at once.
  const auto grammar = CompileText(GrammarSource::kRegex, nested);
  if (grammar.ok()) {
    EXPECT_FALSE(Accepts(*grammar, "b"));
  }
  EXPECT_FALSE(CompileText(GrammarSource::kRegex, "[^\\s\\S]").ok());
}

// Counted, not written out: a million times nothing, and what is repeated within repetitions.
TEST(RegexTest, ManyTimesNothingAndNestedMinima) {
  std::string nothing;
  for (int i = 0; i < 4; ++i) nothing += "(?:){1000000}";
  const auto x = CompileText(GrammarSource::kRegex, nothing + "x");
  ASSERT_TRUE(x.ok()) << x.status().ToString();
  EXPECT_TRUE(Accepts(*x, "x"));
  EXPECT_FALSE(Accepts(*x, "xx"));
  const auto nested = CompileText(GrammarSource::kRegex, "((((a{64,}){32,}){21,}){16,}){12,}");
  ASSERT_TRUE(nested.ok()) << nested.status().ToString();
  EXPECT_LT((*nested)->num_nodes(), 1000);
  const auto few = CompileText(GrammarSource::kRegex, "((a{3,}){9,}){3,}");
  ASSERT_TRUE(few.ok()) << few.status().ToString();
  EXPECT_TRUE(Accepts(*few, std::string(81, 'a')));
  EXPECT_FALSE(Accepts(*few, std::string(80, 'a')));
}

// Few states in the end, but far too many on the way.
TEST(RegexTest, AnAutomatonTooLargeBeforeItIsMadeSmall) {
  std::string many = "a{64}";
  for (int i = 0; i < 15'000; ++i) many += "|a{64}";
  // And one node with a great many calls.
  std::string passed_by;
  for (int i = 0; i < 16'000; ++i) passed_by += "(a?){64}";
  for (const std::string& regex : {many, passed_by}) {
    const auto grammar = CompileText(GrammarSource::kRegex, regex);
    ASSERT_FALSE(grammar.ok());
    EXPECT_NE(grammar.status().message().find("too large"), std::string::npos);
  }
}

}  // namespace
}  // namespace aio
