#ifndef AIO_TOKENIZER_TOKEN_KIND_H_
#define AIO_TOKENIZER_TOKEN_KIND_H_

#include <cstdint>

namespace aio {

// GGUF's numbers (`tokenizer.ggml.token_type`).
enum class TokenKind : uint8_t {
  kUndefined = 0,
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6,
};

}  // namespace aio

#endif  // AIO_TOKENIZER_TOKEN_KIND_H_
