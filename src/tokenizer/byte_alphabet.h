// The alphabet of byte-level BPE: every byte is written as one printable character, so that
// a vocabulary is a list of ordinary strings ("Ġthe" is " the"). From GPT-2's encoder:
// printable Latin-1 characters stand for themselves, the other bytes, in order, for
// U+0100, U+0101, ...
#ifndef AIO_TOKENIZER_BYTE_ALPHABET_H_
#define AIO_TOKENIZER_BYTE_ALPHABET_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace aio {

// The character that stands for `byte`, in UTF-8.
std::string ByteAlphabetCharacter(uint8_t byte);

// The bytes that `piece` stands for; nothing if a character is not in the alphabet.
std::optional<std::string> DecodeByteAlphabet(std::string_view piece);

}  // namespace aio

#endif  // AIO_TOKENIZER_BYTE_ALPHABET_H_
