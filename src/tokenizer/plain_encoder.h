// Encodes text without special tokens: the part that byte-level BPE and SentencePiece
// each do in their own way.
#ifndef AIO_TOKENIZER_PLAIN_ENCODER_H_
#define AIO_TOKENIZER_PLAIN_ENCODER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "tokenizer/vocabulary.h"

namespace aio {

class GgufFile;

// Immutable, thread-safe.
class PlainEncoder {
 public:
  virtual ~PlainEncoder() = default;

  // Appends the ids of `text`; any bytes. `starts_text`: nothing or a special token stands
  // before it. At most kMaxBytes at a time.
  virtual void Encode(std::string_view text, bool starts_text, std::vector<int32_t>& ids) const = 0;
  static constexpr size_t kMaxBytes = size_t{1} << 29;  // offsets are 32 bits wide, spaces grow

  virtual bool adds_bos() const = 0;  // unless the file says otherwise
  virtual bool adds_space_prefix() const = 0;
  virtual std::string kind() const = 0;  // "bpe (qwen2)"
  // Of all that decides about ids and is not in the vocabulary.
  virtual uint64_t fingerprint() const = 0;
};

// `vocabulary` must outlive the encoder. Errors name the file and the key.
Result<std::unique_ptr<const PlainEncoder>> MakeBpeEncoder(const GgufFile& file,
                                                           const Vocabulary& vocabulary);
Result<std::unique_ptr<const PlainEncoder>> MakeSpmEncoder(const GgufFile& file,
                                                           const Vocabulary& vocabulary);

}  // namespace aio

#endif  // AIO_TOKENIZER_PLAIN_ENCODER_H_
