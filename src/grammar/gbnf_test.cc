#include "grammar/gbnf.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "grammar/testing/accepts.h"

namespace aio {
namespace {

struct Case {
  std::string grammar;
  std::vector<std::string> accepted;
  std::vector<std::string> rejected;
};

TEST(GbnfTest, Matches) {
  const std::vector<Case> cases = {
      {"root ::= \"yes\" | \"no\"", {"yes", "no"}, {"", "ye", "yesno"}},
      {"root ::= a b\na ::= \"x\"+ # comment\n\nb::=[0-9]{2,3}\n",
       {"x12", "xx123"},
       {"12", "x1", "x1234"}},
      {"root ::= (\n  \"a\"\n  | \"b\" )* \"c\" |\n \"d\"", {"c", "abbac", "d"}, {"dd", "a"}},
      {"root ::= \"(\" root \")\" | \"x\"", {"x", "((x))"}, {"((x)", "()"}},
      {"root ::= item (\",\" item)*\nitem ::= [^,\\n]+ ", {"a", "a,b c"}, {"", "a,", "a\nb"}},
      {"root ::= \"\\\"\\\\\\n\\x41\\u00e9\\U0001F642\"",
       {"\"\\\nA\xC3\xA9\xF0\x9F\x99\x82"},
       {"A"}},
      {"root ::= .{2}", {"ab", "\xC3\xA9\n"}, {"a", "\xC3\xA9"}},
      // Right recursion, of any length, and what may be empty.
      {"root ::= \"a\" root | \"\"", {"", std::string(5000, 'a')}, {"ab"}},
      {"root ::= e e \"x\" e\ne ::= \"y\"?", {"x", "yx", "yyxy"}, {"yyyx", ""}},
      {"root ::= s \"!\"\ns ::= (\"a\" s \"b\")?", {"!", "ab!", "aabb!"}, {"aab!", "abb!"}},
      // Ambiguous.
      {"root ::= s s\ns ::= \"a\"*", {"", "aaa"}, {"b"}},
      {"root ::= expr\nexpr ::= term (\"+\" term)*\nterm ::= num (\"*\" num)*\n"
       "num ::= [0-9]+ | \"(\" expr \")\"",
       {"1", "1+2*3", "(1+(2))*34"},
       {"1+", "(1", "1)"}},
      // A rule that matches nothing is passed over.
      {"root ::= \"a\" loop | \"b\"\nloop ::= \"x\" loop", {"b"}, {"a", "ax"}},
  };
  for (const Case& c : cases) {
    const auto grammar = CompileText(GrammarSource::kGbnf, c.grammar);
    ASSERT_TRUE(grammar.ok()) << c.grammar << ": " << grammar.status().ToString();
    for (const std::string& text : c.accepted) {
      EXPECT_TRUE(Accepts(*grammar, text)) << c.grammar << " " << text;
    }
    for (const std::string& text : c.rejected) {
      EXPECT_FALSE(Accepts(*grammar, text)) << c.grammar << " " << text;
    }
  }
}

TEST(GbnfTest, Refuses) {
  for (const auto& [grammar, what] : std::vector<std::pair<std::string, std::string>>{
           {"", "root"},
           {"x ::= \"a\"", "root"},
           {"root ::= a", "\"a\""},
           {"root ::= \"a\"\nroot ::= \"b\"", "line 2"},
           {"root ::= \"a\n", "second"},
           {"root ::= [a", "without its ]"},
           {"root ::= (\"a\"", "without its )"},
           {"root ::= <think>", "tokens"},
           {"root = \"a\"", "::="},
           {"root ::= \"a\" ) ", "not expected"},
           {"root ::= root \"a\" | \"a\"", "left recursion"},
           {"root ::= e root \"a\" | \"a\"\ne ::= \"\" | \"x\"", "left recursion"},
           {"root ::= a\na ::= b\nb ::= a \"x\" | \"y\"", "left recursion"},
           {"root ::= \"a\" root", "no text"},
           {"root ::= \"\\q\"", "\\q"},
           {"root ::= [a-z]{3,1}", "below"},
           {"root ::= \"\xFF\"", "UTF-8"},
       }) {
    const auto result = CompileText(GrammarSource::kGbnf, grammar);
    ASSERT_FALSE(result.ok()) << grammar;
    EXPECT_NE(result.status().message().find(what), std::string::npos)
        << grammar << ": " << result.status().ToString();
  }
}

// Grammars made to explode: they end soon, whatever they say.
TEST(GbnfTest, HostileGrammarsEndSoon) {
  std::string chain = "root ::= a0\n";
  for (int i = 0; i < 3000; ++i) {
    chain += "a" + std::to_string(i) + " ::= a" + std::to_string(i + 1) + "\n";
  }
  chain += "a3000 ::= \"x\"\n";
  EXPECT_FALSE(CompileText(GrammarSource::kGbnf, chain).ok());

  // Two ways at each of 40 levels to the same text.
  std::string diamond = "root ::= a0 b0\n";
  for (int i = 0; i < 40; ++i) {
    for (const char* name : {"a", "b"}) {
      const std::string next = std::to_string(i + 1);
      diamond += name + std::to_string(i) + " ::= a" + next + " \"1\"? | b" + next + " \"2\"?\n";
    }
  }
  diamond += "a40 ::= \"x\"\nb40 ::= \"x\"\n";
  const auto grammar = CompileText(GrammarSource::kGbnf, diamond);
  if (grammar.ok()) Accepts(*grammar, "xxxx");

  const auto palindromes =
      CompileText(GrammarSource::kGbnf, "root ::= \"a\" root \"x\" | \"a\" root \"y\" | \"a\"");
  ASSERT_TRUE(palindromes.ok());
  EXPECT_TRUE(Accepts(*palindromes, "aaaxy"));
  Accepts(*palindromes, std::string(100, 'a'));
}

}  // namespace
}  // namespace aio
