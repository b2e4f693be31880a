#include "base/toml_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aio {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(TomlTable, ReadsEveryKind) {
  auto root = TomlTable::Parse(R"(
    text = "a"
    whole = 7
    number = 2.5
    words = ["x", "y"]
    [deep.er]
    text = "b"
    [[list]]
    n = 1
    [[list]]
    n = 2
  )",
                               "f.toml");
  ASSERT_TRUE(root.ok());
  EXPECT_EQ(root->String("text"), "a");
  EXPECT_EQ(root->Int("whole", 0, 10), 7);
  EXPECT_EQ(root->Number("number", 0, 10), 2.5);
  EXPECT_EQ(root->Number("whole", 0, 10), 7.0);
  EXPECT_THAT(root->Strings("words").value(), ElementsAre("x", "y"));
  EXPECT_EQ(root->Table("deep")->Table("er")->String("text"), "b");
  std::vector<TomlTable> list = root->Tables("list");
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[1].Int("n", 0, 10), 2);
  EXPECT_THAT(root->Finish().message(), HasSubstr("list[0].n: unknown key"));
  EXPECT_EQ(list[0].Int("n", 0, 10), 1);
  EXPECT_TRUE(root->Finish().ok());
}

TEST(TomlTable, AbsentIsNoFaultUnlessRequired) {
  auto root = TomlTable::Parse("a = 1", "f.toml");
  EXPECT_FALSE(root->String("b").has_value());
  EXPECT_FALSE(root->Table("c").has_value());
  EXPECT_TRUE(root->Tables("d").empty());
  EXPECT_TRUE(root->Has("a"));
  EXPECT_EQ(root->Int("a", 0, 1), 1);
  EXPECT_TRUE(root->Finish().ok());
  root->Require("e");
  EXPECT_EQ(root->Finish().message(), "f.toml:1: e: is missing");
}

TEST(TomlTable, KeepsTheFirstFaultAndSurvivesTheRest) {
  auto root = TomlTable::Parse("a = 1\nb = true\nc = 1979-05-27\n", "f.toml");
  EXPECT_FALSE(root->String("a").has_value());
  EXPECT_FALSE(root->Int("b", 0, 1).has_value());
  EXPECT_FALSE(root->Number("c", 0, 1).has_value());
  EXPECT_FALSE(root->Strings("c").has_value());
  EXPECT_EQ(root->Finish().message(), "f.toml:1: a: must be a string in quotes, is 1");
  const auto fault = [](auto read) {
    auto again = TomlTable::Parse("a = 1\nb = true\nc = 1979-05-27\n", "f.toml");
    read(*again);
    return again->Finish().message();
  };
  EXPECT_EQ(fault([](TomlTable& t) { t.String("b"); }),
            "f.toml:2: b: must be a string in quotes, is true");
  EXPECT_EQ(fault([](TomlTable& t) { t.Table("c"); }),
            "f.toml:3: c: must be a table, [c], is a date or time");
}

TEST(TomlTable, LongValuesAreCutBetweenCharacters) {
  std::string text = "a = \"" + std::string(39, 'x') + "\xc3\xa9\xc3\xa9\"";
  auto root = TomlTable::Parse(text, "f.toml");
  ASSERT_TRUE(root.ok());
  root->Int("a", 0, 1);
  EXPECT_THAT(root->Finish().message(), HasSubstr("is \"" + std::string(39, 'x') + "...\""));
}

// Texts on which toml++ 3.3 stops the program if its assertions are compiled in
// ("[=", mended in later versions), or reads on by undefined behaviour if the compiler makes
// use of it (marzer/tomlplusplus #190). The library as built for Debian does neither.
TEST(TomlTable, TextsThatTheLibraryHasTroubleWith) {
  for (const char* text : {"[=", "[[=", "[[[1]]]", "a = 2\xd4\xdf\x93", "a = 1 \xc2\xa7"}) {
    EXPECT_THAT(TomlTable::Parse(text, "f.toml").status().message(),
                StartsWith("f.toml:1: not valid TOML"));
  }
  for (const std::string letter : {"\xc2\xa7", "\xd0\x94", "\xe3\x80\x82"}) {
    auto root = TomlTable::Parse("a = \"\"\"\\\n" + letter + "\"\"\"", "f.toml");
    ASSERT_TRUE(root.ok());
    EXPECT_EQ(root->String("a"), letter);
  }
}

TEST(TomlTable, NestingHasALimit) {
  const std::string deep = "a = " + std::string(5000, '[') + std::string(5000, ']');
  EXPECT_FALSE(TomlTable::Parse(deep, "f.toml").ok());
}

TEST(TomlTable, NumbersOfAnArrayAndOfATable) {
  auto root = TomlTable::Parse("a = [1, 2.5]\nb = { y = 2, x = 0.5 }\nc = [1, 7]\n", "f.toml");
  ASSERT_TRUE(root.ok());
  EXPECT_EQ(root->Numbers("a", 0, 3), (std::vector<double>{1, 2.5}));
  using Named = std::vector<std::pair<std::string, double>>;
  EXPECT_EQ(root->NamedNumbers("b", 0, 3), (Named{{"x", 0.5}, {"y", 2}}));
  EXPECT_EQ(root->NamedNumbers("z", 0, 3), std::nullopt);
  EXPECT_EQ(root->Numbers("c", 0, 3), std::nullopt);
  EXPECT_EQ(root->Finish().message(), "f.toml:3: c: must hold numbers from 0 to 3 only, has 7");

  auto bad = TomlTable::Parse("b = { y = 2, x = \"one\" }\n", "f.toml");
  ASSERT_TRUE(bad.ok());
  EXPECT_EQ(bad->NamedNumbers("b", 0, 3), std::nullopt);
  EXPECT_EQ(bad->Finish().message(), "f.toml:1: b.x: must be a number from 0 to 3, is \"one\"");
}

TEST(TomlTableTest, RecordsWhatIsAskedFor) {
  Result<TomlTable> root = TomlTable::Parse("[a]\nb = [{ c = 1 }]", "x.toml");
  ASSERT_TRUE(root.ok());
  std::vector<TomlKey> keys;
  root->Record(keys);
  for (TomlTable& b : root->Table("a")->Tables("b")) b.Int("c", 1, 9);
  root->String("absent");
  std::vector<std::string> lines;
  for (const TomlKey& key : keys) lines.push_back(key.path + ": " + key.type);
  EXPECT_THAT(lines, testing::ElementsAre("a: table", "a.b: array of tables",
                                          "a.b[0].c: integer, 1 to 9", "absent: string"));
}

}  // namespace
}  // namespace aio
