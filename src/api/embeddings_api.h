// OpenAI's /v1/embeddings: decodes what is asked, encodes the answer. No sockets.
//
// `input` is a text, token ids, or an array of either, of at most kEmbeddingInputsMax; the numbers
// come as JSON (`encoding_format`: "float", the default) or as base64 of little-endian 32-bit
// floats ("base64", which OpenAI's own clients ask for). `dimensions` is refused: no model here was
// trained to be cut.
#ifndef AIO_API_EMBEDDINGS_API_H_
#define AIO_API_EMBEDDINGS_API_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "backend/text_query.h"
#include "base/status.h"

namespace aio {

inline constexpr size_t kEmbeddingInputsMax = 2048;  // OpenAI's

struct EmbeddingsRequest {
  EmbeddingsQuery query;  // `deadline` is left to the caller
  bool base64 = false;
};

Result<EmbeddingsRequest> DecodeEmbeddingsRequest(std::string_view body);

std::string EncodeEmbeddings(const Embeddings& embeddings, bool base64);

}  // namespace aio

#endif  // AIO_API_EMBEDDINGS_API_H_
