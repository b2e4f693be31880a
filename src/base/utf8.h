// UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
#ifndef AIO_BASE_UTF8_H_
#define AIO_BASE_UTF8_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace aio {

// One step of decoding at the start of `text` (not empty).
struct Utf8Step {
  char32_t code_point;  // U+FFFD when !valid
  size_t length;        // bytes to skip: >= 1; for an invalid step the maximal ill-formed prefix
  bool valid;
  bool truncated;  // !valid only because the text ends inside a well-formed prefix
};
Utf8Step DecodeUtf8(std::string_view text);

bool IsValidUtf8(std::string_view text);

// Byte offset of the first ill-formed sequence, or npos.
size_t FindInvalidUtf8(std::string_view text);

// Length of the longest prefix of `text` that does not end inside a well-formed but
// incomplete sequence; the remainder (0 to 3 bytes) may still become a character.
size_t CompleteUtf8Prefix(std::string_view text);

// `text` with every ill-formed sequence replaced by U+FFFD.
std::string ReplaceInvalidUtf8(std::string_view text);

void AppendUtf8(char32_t code_point, std::string& out);

}  // namespace aio

#endif  // AIO_BASE_UTF8_H_
