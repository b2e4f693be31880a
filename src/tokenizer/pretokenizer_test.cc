#include "tokenizer/pretokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <limits>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "tokenizer/pretokenizer_families.h"

namespace aio {
namespace {

using ::testing::HasSubstr;

using Words = std::vector<std::string>;

Pretokenizer Make(std::string_view family) {
  const PretokenizerFamily* found = FindPretokenizerFamily(family);
  AIO_CHECK(found != nullptr);
  Result<Pretokenizer> pretokenizer = Pretokenizer::Create(found->stages);
  AIO_CHECK(pretokenizer.ok());
  return *std::move(pretokenizer);
}

Words Split(const Pretokenizer& pretokenizer, std::string_view text) {
  std::vector<size_t> ends;
  pretokenizer.Split(text, ends);
  Words words;
  size_t begin = 0;
  for (const size_t end : ends) {
    words.emplace_back(text.substr(begin, end - begin));
    begin = end;
  }
  EXPECT_EQ(begin, text.size());
  return words;
}

Words Split(std::string_view family, std::string_view text) { return Split(Make(family), text); }

// One name of each.
std::vector<std::string> AllFamilies() {
  std::vector<std::string> names;
  std::set<const PretokenizerFamily*> seen;
  std::istringstream all(SupportedPretokenizers());
  for (std::string name; std::getline(all >> std::ws, name, ',');) {
    const PretokenizerFamily* family = FindPretokenizerFamily(name);
    EXPECT_NE(family, nullptr) << name;
    if (seen.insert(family).second) names.push_back(name);
  }
  return names;
}

TEST(PretokenizerTest, Gpt2) {
  EXPECT_EQ(Split("gpt-2", "Hello, y'all!"), (Words{"Hello", ",", " y", "'", "all", "!"}));
  EXPECT_EQ(Split("gpt-2", "I've they'RE"), (Words{"I", "'ve", " they", "'", "RE"}));
  EXPECT_EQ(Split("gpt-2", "a1234 56½"), (Words{"a", "1234", " 56½"}));
}

TEST(PretokenizerTest, TheLastSpaceOfARunBelongsToTheNextWord) {
  EXPECT_EQ(Split("gpt-2", "a   b"), (Words{"a", "  ", " b"}));
  EXPECT_EQ(Split("gpt-2", "a \n\n b  "), (Words{"a", " \n\n", " b", "  "}));
  EXPECT_EQ(Split("gpt-2", "a\tb"), (Words{"a", "\t", "b"}));
  EXPECT_EQ(Split("gpt-2", "a\t\tb"), (Words{"a", "\t", "\t", "b"}));
  EXPECT_EQ(Split("gpt-2", "\n ="), (Words{"\n", " ="}));
}

TEST(PretokenizerTest, WhiteSpaceIsUnicodes) {
  EXPECT_EQ(Split("gpt-2", "a\u3000\u3000b"), (Words{"a", "\u3000", "\u3000", "b"}));
  EXPECT_EQ(Split("gpt-2", "a\u0085b"), (Words{"a", "\u0085", "b"}));
  // Not white space since Unicode 6.3, though PCRE2 says so.
  EXPECT_EQ(Split("gpt-2", "a\u180E\u180Eb"), (Words{"a", "\u180E\u180E", "b"}));
  EXPECT_EQ(Split("gpt-2", "\x1C\x1D"), (Words{"\x1C\x1D"}));
}

TEST(PretokenizerTest, Llama3) {
  EXPECT_EQ(Split("llama-bpe", "We'Ve 'told I'M"), (Words{"We", "'Ve", " '", "told", " I", "'M"}));
  EXPECT_EQ(Split("llama-bpe", "1234567"), (Words{"123", "456", "7"}));
  EXPECT_EQ(Split("llama-bpe", "x \n\n y!\n\nz"), (Words{"x", " \n\n", " y", "!\n\n", "z"}));
  EXPECT_EQ(Split("llama-bpe", "(word) \tword"), (Words{"(word", ")", " ", "\tword"}));
  EXPECT_EQ(Split("llama-bpe", "x'ſ"), (Words{"x", "'ſ"}));  // ſ is s but for its case
}

TEST(PretokenizerTest, Qwen2TakesDigitsOneByOne) {
  EXPECT_EQ(Split("qwen2", "a 12"), (Words{"a", " ", "1", "2"}));
  EXPECT_EQ(Split("qwen2", "e\u0301a"), (Words{"e", "\u0301a"}));
  EXPECT_EQ(Split("qwen35", "e\u0301a"), (Words{"e\u0301a"}));
}

TEST(PretokenizerTest, StarcoderTakesDigitsOneByOne) {
  EXPECT_EQ(Split("starcoder", "ab 12"), (Words{"ab", " ", "1", "2"}));
  EXPECT_EQ(Split("smollm", "x² y"), (Words{"x", "²", " y"}));
}

TEST(PretokenizerTest, DeepseekCoder) {
  EXPECT_EQ(Split("deepseek-coder", "if (a)\n  x"), (Words{"if", " (", "a", ")", "\n", " ", " x"}));
  EXPECT_EQ(Split("deepseek-coder", "我apple工作12"), (Words{"我", "apple", "工作", "1", "2"}));
  EXPECT_EQ(Split("deepseek-coder", "1+1"), (Words{"1", "+", "1"}));
}

TEST(PretokenizerTest, DeepseekLlm) {
  EXPECT_EQ(Split("deepseek-llm", "我want工作!  "), (Words{"我", "want", "工作", "!", "  "}));
  EXPECT_EQ(Split("deepseek-llm", "a \u0301  "), (Words{"a", " \u0301", "  "}));
  EXPECT_EQ(Split("deepseek-llm", "x  \n"), (Words{"x", "  ", "\n"}));
}

TEST(PretokenizerTest, DeepseekV3) {
  EXPECT_EQ(Split("deepseek-v3", "#include 12345 ひらがな漢字a"),
            (Words{"#include", " ", "123", "45", " ", "ひらがな漢字", "a"}));
}

TEST(PretokenizerTest, Falcon) {
  EXPECT_EQ(Split("falcon", "a+b `c` 12345"),
            (Words{"a", "+", "b", " ", "`", "c", "`", " ", "123", "45"}));
  EXPECT_EQ(Split("default", "a `c` 12345"), (Words{"a", " `", "c", "`", " ", "123", "45"}));
}

TEST(PretokenizerTest, Tekken) {
  EXPECT_EQ(Split("tekken", "CamelCase HTTPServer 12/\n"),
            (Words{"Camel", "Case", " HTTPServer", " ", "1", "2", "/\n"}));
  EXPECT_EQ(Split("gpt-4o", "It'S 1234"), (Words{"It'S", " ", "123", "4"}));
}

TEST(PretokenizerTest, Bloom) {
  EXPECT_EQ(Split("bloom", "One, two।x (y)"),
            (Words{"One", ",", " two", "।", "x", " (", "y", ")"}));
}

TEST(PretokenizerTest, EmojiSequencesStayTogether) {
  EXPECT_EQ(Split("llama-bpe", "a 😶\u200D🌫️ b"), (Words{"a", " 😶\u200D🌫️", " b"}));
}

TEST(PretokenizerTest, BytesThatAreNotUtf8AreWordsOfTheirOwn) {
  EXPECT_EQ(Split("gpt-2",
                  "ab\xFF\xFE"
                  "cd"),
            (Words{"ab", "\xFF", "\xFE", "cd"}));
  EXPECT_EQ(Split("gpt-2", "a\xE4\xBD"), (Words{"a", "\xE4", "\xBD"}));
  EXPECT_EQ(Split("deepseek-llm", "\xED\xA0\x80"), (Words{"\xED", "\xA0", "\x80"}));
  EXPECT_EQ(Split("gpt-2", std::string_view("a\0b", 3)), (Words{"a", std::string(1, '\0'), "b"}));
  EXPECT_EQ(Split("gpt-2", ""), Words{});
}

TEST(PretokenizerTest, AliasesShareAFamily) {
  EXPECT_EQ(FindPretokenizerFamily("llama3"), FindPretokenizerFamily("llama-bpe"));
  EXPECT_EQ(FindPretokenizerFamily("deepseek-r1-qwen"), FindPretokenizerFamily("qwen2"));
  EXPECT_TRUE(FindPretokenizerFamily("llama-v3")->ignore_merges);
  EXPECT_FALSE(FindPretokenizerFamily("smaug-bpe")->ignore_merges);
  EXPECT_EQ(FindPretokenizerFamily("llama"), nullptr);
  EXPECT_EQ(FindPretokenizerFamily(""), nullptr);
  EXPECT_THAT(SupportedPretokenizers(), HasSubstr("qwen2, qwen3, "));
}

TEST(PretokenizerTest, EveryFamilyCoversAnyText) {
  std::mt19937 random(7);
  const std::vector<std::string> parts = {" ",      "  ", "\n",   "\t", "a", "B",   "'s",
                                          "é",      "我", "9",    "½",  "!", "$",   "\u200D",
                                          "\u3000", "ก",  "\xFF", "가", "_", "\r\n"};
  for (const std::string& family : AllFamilies()) {
    SCOPED_TRACE(family);
    const Pretokenizer pretokenizer = Make(family);
    for (int round = 0; round < 50; ++round) {
      std::string text;
      for (size_t i = random() % 40; i > 0; --i) text += parts[random() % parts.size()];
      for (const std::string& word : Split(pretokenizer, text)) {
        EXPECT_FALSE(word.empty());
        EXPECT_TRUE(IsValidUtf8(word) || word.size() == 1) << text;
      }
    }
  }
}

#ifndef AIO_SANITIZED  // the work that a sanitizer adds grows as it likes

// Nanoseconds of this thread's time, which other programs do not take; the best of several.
int64_t SplitTime(const Pretokenizer& pretokenizer, std::string_view text) {
  const auto now = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
  };
  std::vector<size_t> ends;
  int64_t best = std::numeric_limits<int64_t>::max();
  for (int round = 0; round < 5; ++round) {
    const int64_t start = now();
    pretokenizer.Split(text, ends);
    best = std::min(best, now() - start);
  }
  return best;
}

// A factor that tells linear from quadratic time (8 from 64) whatever else disturbs.
bool TakesLinearTime(const Pretokenizer& pretokenizer, char c, const std::string& end) {
  constexpr int kLength = 1 << 11;
  constexpr int kFactor = 8;
  const auto time = [&](int length) {
    return SplitTime(pretokenizer, "\n" + std::string(length, c) + end);
  };
  return time(kFactor * kLength) < 3 * kFactor * time(kLength);
}

void ExpectLinearTime(const Pretokenizer& pretokenizer) {
  for (const char c : {'a', 'A', ' ', '\n', '1', '!', '\xFF'}) {
    for (const std::string end : {"", "我 x"}) {
      EXPECT_TRUE(TakesLinearTime(pretokenizer, c, end)) << int{c} << end;
    }
  }
}

TEST(PretokenizerTest, QuadraticTimeIsNotTakenForLinear) {
  const std::string_view stages[] = {"a+b|a"};
  EXPECT_FALSE(TakesLinearTime(*Pretokenizer::Create(stages), 'a', ""));
}

TEST(PretokenizerTest, LongRunsTakeLinearTime) {
  for (const std::string& family : AllFamilies()) {
    SCOPED_TRACE(family);
    ExpectLinearTime(Make(family));
  }
}

// The interpreter has to do where a system forbids code made at run time.
TEST(PretokenizerTest, LongRunsTakeLinearTimeWithoutJit) {
  for (const std::string& family : AllFamilies()) {
    SCOPED_TRACE(family);
    std::vector<std::string> patterns;
    for (const std::string_view stage : FindPretokenizerFamily(family)->stages) {
      patterns.push_back("(*NO_JIT)" + std::string(stage));
    }
    const std::vector<std::string_view> stages(patterns.begin(), patterns.end());
    const auto pretokenizer = Pretokenizer::Create(stages);
    ASSERT_TRUE(pretokenizer.ok());
    ExpectLinearTime(*pretokenizer);
  }
}

#endif  // AIO_SANITIZED

TEST(PretokenizerTest, RefusesABrokenPattern) {
  const std::string_view stages[] = {R"(\p{L}+)", "(["};
  const auto pretokenizer = Pretokenizer::Create(stages);
  ASSERT_FALSE(pretokenizer.ok());
  EXPECT_EQ(pretokenizer.status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace aio
