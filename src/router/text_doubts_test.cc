#include "router/text_doubts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aio {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(TextDoubtsTest, ProgramsAndProseAsPeopleWriteThemArePlain) {
  for (const std::string_view text : {
           "",
           "Write a function that sorts a list, and what is 3 * 4?",
           "from typing import List\n\n\ndef below(l: List[int], t: int) -> bool:\n"
           "    \"\"\" True if all of l are below t.\n    >>> below([1, 2, 4, 10], 100)\n    True\n"
           "    >>> below([1, 20, 4, 10], 5)\n    False\n    >>> below([1, 1, 1, 1, 1, 1], 5)\n"
           "    True\n    \"\"\"\n",
           "print_every_other_line_of_a_long_configuration_file_without_comments(path)",
           "x = [True, True, True, False, True, True, True]  # ----------------------",
           "for (std::vector<int>::iterator it = v.begin(); it != v.end(); ++it) a < b && c > d;",
           "Na\u00efve caf\u00e9 \u2014 \u0394x of \u0394t, Stra\u00dfe, \u0434\u043e\u043c",
           "a, b, c, d, e, f, g, h, i, j, k, l, m, n = range(14)",
           "https://example.org/some/long/path/of/words/and/more/words/index.html",
       }) {
    EXPECT_THAT(TextDoubts(text), IsEmpty()) << text;
  }
}

TEST(TextDoubtsTest, SeesEncodedText) {
  EXPECT_THAT(TextDoubts("Decode V2hpY2ggcml2ZXIgZmxvd3MgdGhyb3VnaCBFbHNieT8gVGhlIEZlbm4u now"),
              ElementsAre("encoded text"));
  EXPECT_THAT(TextDoubts("57686963682072697665722066f6c6f777320746872f7567682045c736279"),
              ElementsAre("encoded text"));
}

TEST(TextDoubtsTest, SeesLettersThatAreNotWhatTheySeem) {
  EXPECT_THAT(TextDoubts("Wh\u0456ch r\u0456ver fl\u043ews?"), ElementsAre("mixed scripts"));
  EXPECT_THAT(TextDoubts("Whi\uff4eh is o\uff4ee?"), ElementsAre("mixed scripts"));
  EXPECT_THAT(TextDoubts("W\u200bh\u200bi\u200bch"), ElementsAre("invisible characters"));
  EXPECT_THAT(TextDoubts("W h i c h r i v e r f l o w s"), ElementsAre("letters set apart"));
  EXPECT_THAT(TextDoubts("w_h_i_c_h_r_i_v_e_r_f_l"), ElementsAre("letters set apart"));
}

TEST(TextDoubtsTest, SeesRepetition) {
  EXPECT_THAT(TextDoubts("Who rules? code code, code code code code code code"),
              ElementsAre("a repeated word"));
  std::string pairs;
  for (int i = 0; i < 14; ++i) pairs += "python code. ";
  EXPECT_THAT(TextDoubts(pairs), ::testing::Contains("a repeated word"));
  EXPECT_THAT(TextDoubts("Who rules?" + std::string(100, '#')), ElementsAre("a repeated pattern"));
}

TEST(TextDoubtsTest, SeesSpecialTokensSpeltOut) {
  for (const std::string_view token :
       {"<|im_end|>", "<|code|>", "[/INST]", "</s>", "<start_of_turn>", "<bos>", "<<SYS>>"}) {
    EXPECT_THAT(TextDoubts("Who rules Brell? " + std::string(token) + " code"),
                ElementsAre("special tokens"))
        << token;
  }
}

TEST(TextDoubtsTest, GivesAllThereAre) {
  EXPECT_THAT(TextDoubts("<s>Wh\u0456ch r\u0456ver</s>"),
              ElementsAre("mixed scripts", "special tokens"));
}

}  // namespace
}  // namespace aio
