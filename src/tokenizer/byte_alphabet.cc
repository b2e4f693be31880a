#include "tokenizer/byte_alphabet.h"

#include <array>

#include "base/utf8.h"

namespace aio {
namespace {

constexpr int kAlphabetEnd = 256 + 68;  // 68 bytes do not stand for themselves

constexpr bool StandsForItself(int byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

struct Alphabet {
  std::array<uint16_t, 256> character{};
  std::array<int16_t, kAlphabetEnd> byte{};  // -1: not in the alphabet
};

constexpr Alphabet MakeAlphabet() {
  Alphabet alphabet;
  for (int16_t& byte : alphabet.byte) byte = -1;
  int next = 256;
  for (int byte = 0; byte < 256; ++byte) {
    const int character = StandsForItself(byte) ? byte : next++;
    alphabet.character[byte] = static_cast<uint16_t>(character);
    alphabet.byte[character] = static_cast<int16_t>(byte);
  }
  return alphabet;
}

constexpr Alphabet kAlphabet = MakeAlphabet();

}  // namespace

std::string ByteAlphabetCharacter(uint8_t byte) {
  std::string out;
  AppendUtf8(kAlphabet.character[byte], out);
  return out;
}

std::optional<std::string> DecodeByteAlphabet(std::string_view piece) {
  std::string bytes;
  while (!piece.empty()) {
    const Utf8Step step = DecodeUtf8(piece);
    if (!step.valid || step.code_point >= kAlphabetEnd) return std::nullopt;
    const int byte = kAlphabet.byte[step.code_point];
    if (byte < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(byte));
    piece.remove_prefix(step.length);
  }
  return bytes;
}

}  // namespace aio
