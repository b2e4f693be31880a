#include "tokenizer/byte_alphabet.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tokenizer/byte_tokens.h"

namespace aio {
namespace {

TEST(ByteAlphabetTest, PrintableBytesStandForThemselves) {
  EXPECT_EQ(ByteAlphabetCharacter('A'), "A");
  EXPECT_EQ(ByteAlphabetCharacter('~'), "~");
  EXPECT_EQ(ByteAlphabetCharacter(0xE9), "é");
}

TEST(ByteAlphabetTest, OthersGetCharactersFromU0100On) {
  EXPECT_EQ(ByteAlphabetCharacter(0x00), "Ā");
  EXPECT_EQ(ByteAlphabetCharacter('\n'), "Ċ");
  EXPECT_EQ(ByteAlphabetCharacter(' '), "Ġ");
  EXPECT_EQ(ByteAlphabetCharacter(0x7F), "ġ");
  EXPECT_EQ(ByteAlphabetCharacter(0xAD), "Ń");
}

TEST(ByteAlphabetTest, EveryByteComesBack) {
  std::set<std::string> characters;
  for (int byte = 0; byte < 256; ++byte) {
    const std::string character = ByteAlphabetCharacter(static_cast<uint8_t>(byte));
    characters.insert(character);
    EXPECT_EQ(DecodeByteAlphabet(character), std::string(1, static_cast<char>(byte)));
  }
  EXPECT_EQ(characters.size(), 256u);
}

TEST(ByteAlphabetTest, DecodesWords) {
  EXPECT_EQ(DecodeByteAlphabet("ĠWelt"), " Welt");
  EXPECT_EQ(DecodeByteAlphabet("Ã¶"), "ö");
  EXPECT_EQ(DecodeByteAlphabet(""), "");
}

TEST(ByteAlphabetTest, RefusesForeignCharacters) {
  EXPECT_EQ(DecodeByteAlphabet("two words"), std::nullopt);
  EXPECT_EQ(DecodeByteAlphabet("<｜User｜>"), std::nullopt);
  EXPECT_EQ(DecodeByteAlphabet("\xFF"), std::nullopt);
}

TEST(ByteTokensTest, SpellsAndReadsBytes) {
  EXPECT_EQ(ByteToken(0x0A), "<0x0A>");
  EXPECT_EQ(ByteOfToken("<0xFF>"), 0xFF);
  EXPECT_EQ(ByteOfToken("<0xff>"), 0xFF);
  EXPECT_EQ(ByteOfToken("<0x1>"), std::nullopt);
  EXPECT_EQ(ByteOfToken("<0x-1>"), std::nullopt);
  EXPECT_EQ(ByteOfToken("<0xGG>"), std::nullopt);
}

TEST(ByteTokensTest, UnescapesSpaces) {
  EXPECT_EQ(UnescapeSpaces("▁▁a▁b"), "  a b");
  EXPECT_EQ(UnescapeSpaces("a\xE2\x96"), "a\xE2\x96");
}

}  // namespace
}  // namespace aio
