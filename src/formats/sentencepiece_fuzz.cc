// Any bytes as tokenizer.model: a model or an error.
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/check.h"
#include "base/utf8.h"
#include "formats/sentencepiece.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto model =
      aio::ParseSentencePieceModel(std::as_bytes(std::span(data, size)), "tokenizer.model");
  if (!model.ok()) {
    AIO_CHECK(model.status().message().starts_with("tokenizer.model: "), "an error names the file");
    return 0;
  }
  AIO_CHECK(!model->pieces.empty());
  for (const auto& piece : model->pieces) AIO_CHECK(aio::IsValidUtf8(piece.text));
  return 0;
}
