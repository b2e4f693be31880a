#include "tasks/code_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aio {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kStub[] =
    "import math\n\ndef helper(x):\n    return x\n\ndef f(x):\n    \"\"\"Doc.\"\"\"\n";

CodeTests Tests() {
  CodeTests tests;
  tests.stub = kStub;
  tests.entry_point = "f";
  tests.test = "def check(candidate):\n    assert candidate(1) == 2";
  return tests;
}

TEST(ExtractCodeTest, TakesTheFencedBlockThatDefinesTheFunction) {
  const std::string answer =
      "Run it so:\n```bash\npython x.py\n```\nand:\n```python\ndef f(x):\n    return 2\n```\nDone.";
  EXPECT_EQ(ExtractCode(answer, "f"), "def f(x):\n    return 2\n");
  EXPECT_EQ(ExtractCode("```\nreturn 3\n```\n```\nx\n```", "f"), "return 3\n");
}

TEST(ExtractCodeTest, AnUnfinishedBlockGoesOnToTheEnd) {
  EXPECT_EQ(ExtractCode("Sure:\n```python\ndef f(x):\n    return 2", "f"),
            "def f(x):\n    return 2");
}

TEST(ExtractCodeTest, LeavesProseAroundAWholeFunction) {
  const std::string answer =
      "Here it is.\nfrom typing import List\n\ndef f(x):\n    y = x\n\n    return y\n\nK = 3\n"
      "This function returns its argument.\n";
  EXPECT_EQ(ExtractCode(answer, "f"),
            "from typing import List\n\ndef f(x):\n    y = x\n\n    return y\n\nK = 3\n");
}

TEST(ExtractCodeTest, ABodyEndsBeforeTheNextUnindentedLine) {
  EXPECT_EQ(ExtractCode("    y = x\n    return y\n\nprint(f(3))\n", "f"),
            "    y = x\n    return y\n\n");
  // The first line may have lost its indentation.
  EXPECT_EQ(ExtractCode("y = x\n    return y\nprint(1)", "f"), "y = x\n    return y\n");
}

TEST(ExtractCodeTest, ReadsTheMarksOfMbpp) {
  EXPECT_EQ(ExtractCode("[BEGIN]\ndef g():\n  return 1\n[DONE]\nmore", ""),
            "def g():\n  return 1\n");
  EXPECT_EQ(ExtractCode("def g():\n  return 1\n[DONE]\n", ""), "def g():\n  return 1\n");
}

TEST(JoinStubTest, AWholeFunctionKeepsWhatStandsBeforeItInTheStub) {
  const std::string program = JoinStub(Tests(), "def f(x):\n    return x + 1\n");
  EXPECT_EQ(program,
            "import math\n\ndef helper(x):\n    return x\n\ndef f(x):\n    return x + 1\n");
}

TEST(JoinStubTest, ABodyGoesOnFromTheStub) {
  EXPECT_EQ(JoinStub(Tests(), "    return 2\n"), std::string(kStub) + "    return 2\n");
  EXPECT_EQ(JoinStub(Tests(), "y = x\n    return y\n"),
            std::string(kStub) + "    y = x\n    return y\n");
  EXPECT_EQ(JoinStub(Tests(), "if x:\n    return 1\nreturn 2\n"),
            std::string(kStub) + "    if x:\n        return 1\n    return 2\n");
}

TEST(TestProgramTest, EndsInTheCheckAndTheMark) {
  const std::string program = TestProgram(Tests(), "    return 2", "done 7");
  EXPECT_THAT(program, HasSubstr("    return 2\n\ndef check(candidate):"));
  EXPECT_TRUE(program.ends_with("\ncheck(f)\n\nprint(\"\\ndone 7\", flush=True)\n")) << program;
  CodeTests asserts;
  asserts.setup = "n = Node(1)";
  EXPECT_THAT(TestProgram(asserts, "class Node: ...", "m"),
              HasSubstr("class Node: ...\n\nn = Node(1)\n"));
  asserts.test = "assert g() == 1\n";
  EXPECT_THAT(TestProgram(asserts, "def g(): return 1", "m"), Not(HasSubstr("check(")));
}

TEST(StubInTest, FindsTheProgramInAPrompt) {
  EXPECT_EQ(StubIn("Finish the code:\n\nimport math\n\ndef f(x):\n    \"\"\"Doc.\"\"\"\n", "f"),
            "import math\n\ndef f(x):\n    \"\"\"Doc.\"\"\"\n");
  EXPECT_EQ(StubIn("Mend this.\n```python\ndef f(x):\n    return\n```", "f"),
            "def f(x):\n    return\n");
  EXPECT_EQ(StubIn("Write a function f that adds.", "f"), "");
}

TEST(IsIdentifierTest, KnowsNames) {
  EXPECT_TRUE(IsIdentifier("has_close_2"));
  EXPECT_FALSE(IsIdentifier("2f"));
  EXPECT_FALSE(IsIdentifier("f); import os"));
  EXPECT_FALSE(IsIdentifier(""));
}

}  // namespace
}  // namespace aio
