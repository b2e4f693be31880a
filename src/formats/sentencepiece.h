// SentencePiece models (tokenizer.model): a protocol buffer, of which the pieces and the few
// settings that decide how text is cut are read. The fields are those of
// https://github.com/google/sentencepiece, src/sentencepiece_model.proto.
#ifndef AIO_FORMATS_SENTENCEPIECE_H_
#define AIO_FORMATS_SENTENCEPIECE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"

namespace aio {

struct SentencePieceModel {
  // ModelProto.SentencePiece.Type, which GGUF's token types copy.
  enum class Kind : uint8_t {
    kNormal = 1,
    kUnknown = 2,
    kControl = 3,
    kUserDefined = 4,
    kUnused = 5,
    kByte = 6,
  };
  struct Piece {
    std::string text;  // valid UTF-8
    float score = 0.0f;
    Kind kind = Kind::kNormal;
  };
  // TrainerSpec.ModelType.
  enum class Algorithm : uint8_t { kUnigram = 1, kBpe = 2, kWord = 3, kChar = 4 };

  std::vector<Piece> pieces;  // by token id
  Algorithm algorithm = Algorithm::kUnigram;
  bool add_dummy_prefix = true;
  // Token ids; -1: none.
  int32_t unknown_id = 0;
  int32_t bos_id = 1;
  int32_t eos_id = 2;
  int32_t padding_id = -1;
};

// Every length is checked before it is used; fields that are not wanted are passed over.
// kInvalidArgument; the message begins with `name`.
Result<SentencePieceModel> ParseSentencePieceModel(std::span<const std::byte> bytes,
                                                   const std::string& name);
// The same of a file, with its path as the name.
Result<SentencePieceModel> ReadSentencePieceModel(const std::string& path);

}  // namespace aio

#endif  // AIO_FORMATS_SENTENCEPIECE_H_
