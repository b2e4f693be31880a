#include "grammar/text_grammar.h"

#include <gtest/gtest.h>

#include <string>

#include "grammar/testing/accepts.h"

namespace aio {
namespace {

TEST(TextGrammarTest, AnyObject) {
  const auto grammar = MustCompile(GrammarSource::kJsonObject, "");
  for (const char* text : {"{}", "{\"a\": 1}", "{\n  \"a\": [true, null, -0.5e3],\n  \"b\": {}\n}",
                           "{\"\\u00e9\\ud83d\\ude42\\\"\":\"\xC3\xA9\"}"}) {
    EXPECT_TRUE(Accepts(grammar, text)) << text;
  }
  for (const char* text : {"", "[]", "1", "{", "{}x", "{\"a\"}", "{a:1}", "{\"a\":1,}",
                           "{\"a\":01}", "{\"a\":\"\\ud83d\"}", "{\"a\":\"\n\"}", "{\"a\":+1}",
                           "{\"a\":1e999}", " {}", "{\n\n\n\n\n}", "{\"a\":\"\xFF\"}"}) {
    EXPECT_FALSE(Accepts(grammar, text)) << text;
  }
}

TEST(TextGrammarTest, Choice) {
  const auto grammar = MustCompile(GrammarSource::kChoice, R"(["yes", "no", "n\u00f6 \"x\""])");
  for (const char* text : {"yes", "no", "n\xC3\xB6 \"x\""}) EXPECT_TRUE(Accepts(grammar, text));
  for (const char* text : {"", "ye", "yesno", "\"yes\""}) EXPECT_FALSE(Accepts(grammar, text));
  for (const char* text : {"[]", "{}", "[1]", "[\"\"]", "x"}) {
    EXPECT_EQ(CompileText(GrammarSource::kChoice, text).status().code(),
              StatusCode::kInvalidArgument)
        << text;
  }
}

TEST(TextGrammarTest, TooMuchTextIsRefused) {
  const std::string text(kGrammarTextBytesMax + 1, 'a');
  const Status status = CompileText(GrammarSource::kRegex, text).status();
  EXPECT_NE(status.message().find("131072"), std::string::npos) << status.ToString();
}

}  // namespace
}  // namespace aio
