#include "router/prompt_parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "router/program_lines.h"

namespace aio {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kStory[] = "Tom has 5 apples and gives 2 of them to Ada. How many has Tom left?";
constexpr char kProgram[] =
    "def merge_rows(rows):\n    total = 0\n    for x in rows:\n        total += x\n"
    "    return total\n";

TEST(PromptPartsTest, WhatIsAllOfOneKindHasNoParts) {
  EXPECT_THAT(PromptParts(""), IsEmpty());
  EXPECT_THAT(PromptParts("Write a function that sorts a list."), IsEmpty());
  EXPECT_THAT(PromptParts(kProgram), IsEmpty());
}

TEST(PromptPartsTest, ADocstringIsOfItsProgram) {
  EXPECT_THAT(PromptParts("from typing import List\n\n\ndef f(numbers: List[float]) -> bool:\n"
                          "    \"\"\" Check whether two numbers are closer than the threshold.\n"
                          "    Is any of them negative? Then the answer is False.\n\n"
                          "    >>> f([1.0, 2.0])\n    False\n    \"\"\"\n"),
              IsEmpty());
}

TEST(PromptPartsTest, AQuestionBetweenProgramsStandsByItself) {
  const std::string text = std::string(kProgram) + "\n\n" + kStory + "\n\n" + kProgram;
  EXPECT_THAT(PromptParts(text), ElementsAre(PromptPart{"prose", kStory},
                                             PromptPart{"question", "How many has Tom left?"}));
}

TEST(PromptPartsTest, QuestionsInCommentsFencesAndStringsStandByThemselves) {
  EXPECT_THAT(PromptParts("# Tom has 5 apples and gives 2\n# of them to Ada. How many has he?\n" +
                          std::string(kProgram)),
              ElementsAre(PromptPart{"question", "How many has he?"},
                          PromptPart{"comments",
                                     "Tom has 5 apples and gives 2\nof them to Ada. "
                                     "How many has he?"}));
  EXPECT_THAT(PromptParts("/* Tom has 5 apples and gives 2\n * of them to Ada. */\nint x = 3;"),
              ElementsAre(PromptPart{"comments", "Tom has 5 apples and gives 2\nof them to Ada."}));
  EXPECT_THAT(PromptParts("```python\n" + std::string(kStory) + "\n```"),
              Contains(PromptPart{"prose", kStory}));
  EXPECT_THAT(PromptParts("question = \"\"\"" + std::string(kStory) + "\"\"\"\nprint(f(question))"),
              Contains(PromptPart{"prose", kStory}));
}

TEST(PromptPartsTest, SentencesBetweenLinesOfAProgramAreGathered) {
  EXPECT_THAT(PromptParts("def f(x):\n    y = x + 1\n    Tom has 5 apples and gives 2 to Ada.\n"
                          "    return y\n\nHow many apples has Tom left in the end?\n"),
              Contains(PromptPart{"prose",
                                  "Tom has 5 apples and gives 2 to Ada.\n\nHow many "
                                  "apples has Tom left in the end?"}));
}

TEST(PromptPartsTest, ATextThatLeavesAnOpenDocstringIsNotOfIt) {
  EXPECT_THAT(PromptParts("def f(x):\n    \"\"\" Sorts x.\n\nTom has 5 apples and gives 2 to Ada.\n"
                          "How many has he left?\n"),
              Contains(PromptPart{"prose",
                                  "Tom has 5 apples and gives 2 to Ada.\nHow many has he "
                                  "left?"}));
}

TEST(PromptPartsTest, ParagraphsAndWhatTheyAskStandByThemselves) {
  EXPECT_THAT(
      PromptParts("Please write a function that reverses a string.\n\nAlso: what is 5 + 7 * 3?\n"
                  "And compute (4 + 5) * 6 then. Which river flows through Elsby?"),
      ElementsAre(PromptPart{"paragraph", "Please write a function that reverses a string."},
                  PromptPart{"paragraph",
                             "Also: what is 5 + 7 * 3?\nAnd compute (4 + 5) * 6 then. "
                             "Which river flows through Elsby?"},
                  PromptPart{"question", "Also: what is 5 + 7 * 3?"},
                  PromptPart{"question", "And compute (4 + 5) * 6 then."},
                  PromptPart{"question", "Which river flows through Elsby?"}));
}

TEST(ProgramLinesTest, TellsProgramsFromProse) {
  for (const std::string_view line :
       {"def f(x):", "import re", "from typing import List", "return x", "x = [1, 2, 3]",
        "self.items.append(x)", "if x > 3:", ">>> f([1, 2])", "assert f(1) == 2", "}",
        "int main() {", "const out = [];", "#include <vector>", "[(1, 2), (3, 4)]", "total += x",
        "@cached"}) {
    EXPECT_TRUE(IsProgramLine(line)) << line;
  }
  for (const std::string_view line :
       {"Tom has 5 apples.", "A. 12 apples", "What is f(2) if f(x) = 3 * x + 2?",
        "return the books to the library.", "Compute 27 * 8 - 14.", "Calculate (97 + 49) * 10.",
        "class sizes were small", "let us see how many there are in the box, then",
        "f(x) = 3 is what we know of the function "
        "that somebody drew on the board"}) {
    EXPECT_FALSE(IsProgramLine(line)) << line;
  }
}

TEST(ProgramLinesTest, FindsComments) {
  EXPECT_EQ(LineComment("# a b").value(), "a b");
  EXPECT_EQ(LineComment("### a").value(), "a");
  EXPECT_EQ(LineComment("// a").value(), "a");
  EXPECT_EQ(LineComment("#").value(), "");
  EXPECT_FALSE(LineComment("#include <vector>"));
  EXPECT_FALSE(LineComment("a # b"));
}

}  // namespace
}  // namespace aio
