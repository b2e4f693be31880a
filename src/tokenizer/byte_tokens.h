// SentencePiece's spellings: "▁" for a space, "<0x0A>" for a byte.
#ifndef AIO_TOKENIZER_BYTE_TOKENS_H_
#define AIO_TOKENIZER_BYTE_TOKENS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace aio {

inline constexpr std::string_view kSpaceMark = "\xE2\x96\x81";  // U+2581

// `piece` with every U+2581 turned into a space.
std::string UnescapeSpaces(std::string_view piece);

// The byte that "<0xNN>" stands for.
std::optional<uint8_t> ByteOfToken(std::string_view piece);
std::string ByteToken(uint8_t byte);

}  // namespace aio

#endif  // AIO_TOKENIZER_BYTE_TOKENS_H_
