#include "grammar/token_matcher.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "grammar/testing/accepts.h"
#include "grammar/testing/random_schema.h"
#include "grammar/testing/schema_validator.h"
#include "grammar/trie_walk.h"

namespace aio {
namespace {

std::shared_ptr<const TokenGrammar> WithTokens(GrammarSource source, const std::string& text,
                                               const std::shared_ptr<const VocabularyTrie>& trie) {
  return std::make_shared<const TokenGrammar>(MustCompile(source, text), trie);
}

// Every token's bytes one by one: what a mask must say.
TokenMask MaskByMatching(const TokenGrammar& grammar, Matcher& matcher, const MatchState& state) {
  const VocabularyTrie& trie = grammar.trie();
  TokenMask mask(trie.vocabulary_size());
  for (int32_t token = 0; token < trie.vocabulary_size(); ++token) {
    MatchState current = state;
    MatchState next;
    for (const char byte : trie.bytes(token)) {
      matcher.Advance(current, static_cast<uint8_t>(byte), next);
      std::swap(current, next);
    }
    if (!current.empty() && !trie.bytes(token).empty()) mask.Allow(token);
  }
  return mask;
}

// Follows a random text of the grammar; at each token the mask must be the one by matching.
void CheckMasks(const std::shared_ptr<const TokenGrammar>& grammar, int tokens, uint32_t seed) {
  std::mt19937 random(seed);
  Matcher reference(grammar->grammar());
  MatchState reference_state = reference.Start();
  TokenMatcher matcher(grammar, {});
  MatchState state = matcher.Start();
  for (int i = 0; i < tokens && !Matcher::IsOver(state); ++i) {
    const TokenMask mask = matcher.Mask(state);
    ASSERT_EQ(mask, MaskByMatching(*grammar, reference, reference_state)) << "after " << i;
    ASSERT_EQ(mask, matcher.Mask(state));
    std::vector<int32_t> allowed;
    for (int32_t token = 0; token < grammar->trie().vocabulary_size(); ++token) {
      if (mask.Allows(token)) allowed.push_back(token);
    }
    ASSERT_FALSE(allowed.empty());
    const int32_t token = allowed[random() % allowed.size()];
    ASSERT_TRUE(matcher.Advance(state, token));
    for (const char byte : grammar->trie().bytes(token)) {
      MatchState next;
      reference.Advance(reference_state, static_cast<uint8_t>(byte), next);
      reference_state = std::move(next);
    }
  }
}

TEST(TokenMatcherTest, MasksAreWhatMatchingEachTokenSays) {
  const auto trie = TrieOf(TestVocabulary(1200));
  for (uint32_t seed = 0; seed < 60; ++seed) {
    std::mt19937 random(seed);
    const std::string schema = RandomSchema(random, 3);
    SCOPED_TRACE(schema);
    CheckMasks(WithTokens(GrammarSource::kJsonSchema, schema, trie), 40, seed);
  }
  for (const char* regex : {"(ab{0,3}|[d-f ]{2,70}){3,9}", ".{5,60}x?", "([a-z]{1,8} ){2,30}\\.",
                            "((a|ab)(c|bcd)){1,40}", "(\\w{0,90}\\s?){4,}"}) {
    SCOPED_TRACE(regex);
    for (uint32_t seed = 0; seed < 3; ++seed) {
      CheckMasks(WithTokens(GrammarSource::kRegex, regex, trie), 60, seed);
    }
  }
  for (const char* gbnf : {"root ::= \"a\" root \"b\" | \"e\"",
                           "root ::= (item \",\"){20,40} item\nitem ::= [a-e]+ | "
                           "\"{\" root \"}\"",
                           "root ::= s s s\ns ::= [a-z ]* | \"(\" s \")\""}) {
    SCOPED_TRACE(gbnf);
    CheckMasks(WithTokens(GrammarSource::kGbnf, gbnf, trie), 60, 1);
  }
}

// With more threads than are kept, what is allowed still leads on, and to texts that match.
TEST(TokenMatcherTest, AmbiguityWithoutBound) {
  const auto trie = TrieOf(TestVocabulary(1200));
  for (const char* regex :
       {"(ab{0,3}|[a-c ]{2,70}){3,9}\\.", "((a{1,30}|[ab]{1,40}){1,20} ?){1,9}x"}) {
    const auto grammar = WithTokens(GrammarSource::kRegex, regex, trie);
    for (uint32_t seed = 0; seed < 10; ++seed) {
      std::mt19937 random(seed);
      SampleText(grammar, 60, random);  // stops the test where it does not lead on
    }
  }
}

// The property that users rely on: whatever the model wants, what comes out is valid.
TEST(TokenMatcherTest, EvenSamplingGivesValidJson) {
  const auto trie = TrieOf(TestVocabulary(3000));
  int finished = 0;
  constexpr int kSchemas = 400;
  for (uint32_t seed = 0; seed < kSchemas; ++seed) {
    std::mt19937 random(seed);
    const std::string schema = RandomSchema(random, 3);
    const auto grammar = WithTokens(GrammarSource::kJsonSchema, schema, trie);
    for (int i = 0; i < 2; ++i) {
      const std::optional<std::string> text = SampleText(grammar, 60 * i, random);
      if (!text) continue;
      ++finished;
      ASSERT_EQ(FindSchemaFault(schema, *text), "") << schema << "\n" << *text;
      EXPECT_TRUE(Accepts(grammar->grammar(), *text));
    }
  }
  EXPECT_GT(finished, 2 * kSchemas * 95 / 100);
}

// Each byte leads to states that only what came before it tells apart, of more and more threads.
std::string HostileGrammar() {
  std::string grammar = "root ::= s\ns ::= [^\\x00] s | [!-~] a1 | [a-d] b1 | [e-h] c1 | \".\"\n";
  for (const std::string name : {"a", "b", "c"}) {
    for (int i = 1; i <= 16; ++i) {
      grammar += name + std::to_string(i) + " ::= (d1";
      for (int j = 2; j <= 32; ++j) grammar += " | d" + std::to_string(j);
      grammar += ") " + (i < 16 ? name + std::to_string(i + 1) : "\".\"") + "\n";
    }
  }
  for (int j = 1; j <= 32; ++j) grammar += "d" + std::to_string(j) + " ::= [^\\x00]\n";
  return grammar;
}

// Twice as many ways at each of 12 levels, before and after the byte.
std::string DiamondGrammar() {
  std::string grammar = "root ::= (a0 | b0)+\n";
  for (int i = 0; i < 12; ++i) {
    for (const char* name : {"a", "b"}) {
      const std::string next = std::to_string(i + 1);
      grammar += name + std::to_string(i) + " ::= a" + next + " \"1\"? | b" + next + " \"2\"?\n";
    }
  }
  return grammar + "a12 ::= [a-z]\nb12 ::= [a-z1]\n";
}

// At each state of some texts: what the mask allows is taken, single bytes are left out never, and
// another matcher, which has been asked other things before, says the same.
void CheckAmbiguous(const std::shared_ptr<const TokenGrammar>& grammar, int tokens, uint32_t seed) {
  std::mt19937 random(seed);
  TokenMatcher matcher(grammar, {});
  const auto again =
      std::make_shared<const TokenGrammar>(grammar->grammar(), TrieOf(TestVocabulary(1200)));
  TokenMatcher other(again, {});
  MatchState state = matcher.Start();
  MatchState other_state = other.Start();
  for (int i = 0; i < tokens && !Matcher::IsOver(state); ++i) {
    const TokenMask mask = matcher.Mask(state);
    std::vector<int32_t> allowed;
    for (int32_t token = 0; token < grammar->trie().vocabulary_size(); ++token) {
      MatchState guess = other_state;
      if (!mask.Allows(token)) {
        EXPECT_TRUE(grammar->trie().bytes(token).size() > 1 || !other.Advance(guess, token));
        continue;
      }
      allowed.push_back(token);
      ASSERT_TRUE(other.Advance(guess, token)) << grammar->trie().bytes(token);
    }
    ASSERT_FALSE(allowed.empty());
    ASSERT_EQ(other.Mask(other_state), mask);
    const int32_t token = allowed[random() % allowed.size()];
    ASSERT_TRUE(matcher.Advance(state, token));
    ASSERT_TRUE(other.Advance(other_state, token));
  }
}

TEST(TokenMatcherTest, WhatIsAllowedIsTakenHoweverAmbiguous) {
  const auto trie = TrieOf(TestVocabulary(1200));
  for (const char* regex :
       {"(ab{0,3}|[a-c ]{2,70}){3,9}\\.", "((a{1,30}|[ab]{1,40}){1,20} ?){1,9}x",
        "((\\w{1,3}|\\s|[ -~]{2,90}){1,70}[a-z]{0,80}){2,80}!"}) {
    SCOPED_TRACE(regex);
    for (uint32_t seed = 0; seed < 2; ++seed) {
      CheckAmbiguous(WithTokens(GrammarSource::kRegex, regex, trie), 6, seed);
    }
  }
  for (const std::string& gbnf : {HostileGrammar(), DiamondGrammar()}) {
    SCOPED_TRACE(gbnf);
    for (uint32_t seed = 0; seed < 2; ++seed) {
      CheckAmbiguous(WithTokens(GrammarSource::kGbnf, gbnf, trie), 8, seed);
    }
  }
}

// What would take for ever is left out.
TEST(TokenMatcherTest, AMaskTakesNoMoreThanItMay) {
  const auto grammar =
      WithTokens(GrammarSource::kGbnf, HostileGrammar(), TrieOf(TestVocabulary(32'768)));
  constexpr int64_t kEffort = 100'000;
  constexpr int64_t kOfAByte = 5 * Matcher::kVisitsMax;
  Matcher matcher(grammar->grammar());
  TrieWalk walk(matcher, grammar->trie(), 64);
  int visited = 0;
  int32_t last = 0;
  walk.Below(0, matcher.Start(), kEffort, [&](int32_t place, const MatchState& state) {
    ++visited;
    last = place;
    ASSERT_LE(state.size(), Matcher::kThreadsMax);
  });
  EXPECT_LE(matcher.effort(), kEffort + kOfAByte);
  EXPECT_GT(matcher.effort(), kEffort / 2);
  EXPECT_GT(visited, 100);
  // The last ones have had their share.
  EXPECT_GT(last, grammar->trie().num_nodes() / 2);
}

TEST(TokenMatcherTest, EndTokensWhereTheTextMayEnd) {
  const std::vector<std::string> words = {"a", "b", "", "ab"};
  const auto grammar = WithTokens(GrammarSource::kRegex, "ab?", TrieOf(words));
  TokenMatcher matcher(grammar, {2});
  MatchState state = matcher.Start();
  EXPECT_FALSE(matcher.Mask(state).Allows(2));
  EXPECT_TRUE(matcher.Mask(state).Allows(0));
  EXPECT_FALSE(matcher.Mask(state).Allows(1));
  EXPECT_TRUE(matcher.Mask(state).Allows(3));
  ASSERT_TRUE(matcher.Advance(state, 0));
  EXPECT_TRUE(matcher.Mask(state).Allows(2));
  EXPECT_TRUE(matcher.Mask(state).Allows(1));
  EXPECT_FALSE(matcher.Mask(state).Allows(0));
  ASSERT_TRUE(matcher.Advance(state, 1));
  EXPECT_EQ(matcher.Mask(state).CountAllowed(), 1);
  EXPECT_TRUE(Matcher::IsOver(state));
  EXPECT_FALSE(matcher.Advance(state, 0));
}

TEST(TokenMatcherTest, AFirstSpaceThatIsNotShown) {
  const std::vector<std::string> words = {" ", " a", "a", " b", "  a", "b", "ab"};
  const auto grammar = WithTokens(GrammarSource::kRegex, "a| a|ab", TrieOf(words));
  TokenMatcher matcher(grammar, {});
  const TokenMask mask = matcher.MaskWithoutFirstSpace(matcher.Start());
  for (const auto& [token, allowed] : std::vector<std::pair<int32_t, bool>>{
           {0, true}, {1, true}, {2, true}, {3, false}, {4, true}, {5, false}, {6, true}}) {
    EXPECT_EQ(mask.Allows(token), allowed) << words[token];
  }
}

TEST(TokenMatcherTest, EqualTokensAndNone) {
  const std::vector<std::string> words = {"", "x", "x", "\xC3", "\xA9", ""};
  const auto grammar = WithTokens(GrammarSource::kRegex, "(x|\xC3\xA9)+", TrieOf(words));
  TokenMatcher matcher(grammar, {});
  MatchState state = matcher.Start();
  EXPECT_EQ(matcher.Mask(state).CountAllowed(), 3);
  ASSERT_TRUE(matcher.Advance(state, 3));
  EXPECT_EQ(matcher.Mask(state).CountAllowed(), 1);  // the character's second byte
  EXPECT_TRUE(matcher.Mask(state).Allows(4));
}

// Depth costs memory a level, not more; what is too ambiguous is refused, not followed for ever.
TEST(TokenMatcherTest, DeepNesting) {
  const std::vector<std::string> words = {"[", "]", "[[[[[[[[", "]]]]]]]]"};
  const auto grammar =
      WithTokens(GrammarSource::kGbnf, "root ::= \"[\" root* \"]\"", TrieOf(words));
  TokenMatcher matcher(grammar, {});
  MatchState state = matcher.Start();
  for (int i = 0; i < 5000; ++i) {
    ASSERT_TRUE(matcher.Mask(state).Allows(2));
    ASSERT_TRUE(matcher.Advance(state, 2));
  }
  for (int i = 0; i < 5000; ++i) ASSERT_TRUE(matcher.Advance(state, 3));
  EXPECT_TRUE(Matcher::IsOver(state));
}

// What is prepared is all that masks are made of.
TEST(TokenMatcherTest, NothingIsComputedOfAPreparedGrammar) {
  const auto grammar = WithTokens(GrammarSource::kJsonSchema, R"({"type": "object", "properties": {
          "a": {"type": "string", "maxLength": 9}, "b": {"type": "string", "pattern": "^x+$"},
          "c": {"type": "array", "items": {"type": "number"}}}, "required": ["a", "b", "c"]})",
                                  TrieOf(TestVocabulary(4096)));
  EXPECT_EQ(grammar->num_known(), 0);
  for (int node = 0; node < grammar->grammar()->num_nodes(); ++node) {
    ASSERT_TRUE(grammar->Prepare(node));
  }
  const int known = grammar->num_known();
  EXPECT_GT(known, 0);
  for (uint32_t seed = 0; seed < 5; ++seed) CheckMasks(grammar, 30, seed);
  EXPECT_EQ(grammar->num_known(), known);
}

}  // namespace
}  // namespace aio
