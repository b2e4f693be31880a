#include "api/json_member_text.h"

#include <gtest/gtest.h>

namespace aio {
namespace {

TEST(JsonMemberTextTest, FindsValuesAsTheyAreWritten) {
  const std::string_view json =
      R"( { "x" : [1, {"a":"}"}, "]\""], "a": {"z":1, "b" : { "q": 1.50 , "c":[]} } ,"n":-1e3})";
  EXPECT_EQ(MemberText(json, {"x"}), R"([1, {"a":"}"}, "]\""])");
  EXPECT_EQ(MemberText(json, {"a", "b"}), R"({ "q": 1.50 , "c":[]})");
  EXPECT_EQ(MemberText(json, {"a", "b", "q"}), "1.50");
  EXPECT_EQ(MemberText(json, {"n"}), "-1e3");
  EXPECT_EQ(MemberText(json, {"b"}), "");
  EXPECT_EQ(MemberText(json, {"x", "a"}), "");
  EXPECT_EQ(MemberText("{}", {"a"}), "");
}

TEST(JsonMemberTextTest, NamesMayBeEscapedAndTheLastCounts) {
  EXPECT_EQ(MemberText(R"({"\u0061b":1})", {"ab"}), "1");
  EXPECT_EQ(MemberText(R"({"a":1,"a":"two"})", {"a"}), "\"two\"");
}

TEST(JsonMemberTextTest, Elements) {
  EXPECT_EQ(ElementTexts(R"( [1, {"a":[2,"]"]} ,"x",[] ])"),
            (std::vector<std::string_view>{"1", R"({"a":[2,"]"]})", "\"x\"", "[]"}));
  EXPECT_TRUE(ElementTexts("[ ]").empty());
  EXPECT_TRUE(ElementTexts("{}").empty());
}

}  // namespace
}  // namespace aio
