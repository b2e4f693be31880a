#include "decisions/redactor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aio {
namespace {

using ::testing::HasSubstr;

std::string Redacted(const std::vector<std::string>& patterns, const std::string& text) {
  const auto redactor = Redactor::Create(patterns);
  return redactor.ok() ? redactor->Redact(text) : redactor.status().ToString();
}

TEST(RedactorTest, ReplacesEveryMatchOfEveryPattern) {
  const std::vector<std::string> patterns = {R"([\w.+-]+@[\w-]+\.[\w.]+)", R"(\b\d{4,}\b)"};
  EXPECT_EQ(Redacted(patterns, "ann@example.org and bob@example.org, pin 12345, year 7"),
            "[redacted] and [redacted], pin [redacted], year 7");
  EXPECT_EQ(Redacted(patterns, "nothing here"), "nothing here");
  EXPECT_EQ(Redacted(patterns, ""), "");
  EXPECT_EQ(Redacted({"x"}, "xxxx"), "[redacted][redacted][redacted][redacted]");
}

TEST(RedactorTest, KnowsUnicode) {
  EXPECT_EQ(Redacted({R"(\p{Lu}\w+)"}, "für Änne"), "für [redacted]");
  EXPECT_EQ(Redacted({"secret"}, "\xFFsecret\xFF"), "\xFF[redacted]\xFF") << "ill-formed UTF-8";
}

TEST(RedactorTest, TakesNothingOutByDefault) {
  EXPECT_EQ(Redactor().Redact("pin 12345"), "pin 12345");
}

TEST(RedactorTest, AllGoesWhereAPatternGivesUp) {
  EXPECT_EQ(Redacted({"(a|aa)+$"}, std::string(200, 'a') + "!"), "[redacted]");
}

TEST(RedactorTest, FaultsNameThePattern) {
  EXPECT_THAT(Redacted({"fine", "(open"}, ""), HasSubstr("pattern 2, '(open': missing closing"));
  EXPECT_THAT(Redacted({"a*"}, ""), HasSubstr("matches the empty text"));
}

}  // namespace
}  // namespace aio
