// Text to token ids and back, as the vocabulary of a GGUF file defines it.
#ifndef AIO_TOKENIZER_TOKENIZER_H_
#define AIO_TOKENIZER_TOKENIZER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace aio {

class GgufFile;

// A stretch of prompt text. Template text may contain special tokens ("<|im_end|>") and
// they become their ids; in user text the same characters are encoded as plain text,
// always (prompt injection). Special tokens never form across two pieces. Neighbouring
// plain text of several pieces is encoded as one string, so that a template's "user\n"
// and the text after it merge as the model was trained to see them.
struct TextPiece {
  std::string text;
  bool is_template = false;
};

// Immutable after Load(); thread-safe.
class Tokenizer {
 public:
  // Reads `tokenizer.ggml.*`. Errors name the file and the key.
  static Result<std::shared_ptr<const Tokenizer>> Load(const GgufFile& file);
  virtual ~Tokenizer() = default;

  // Appends the model's beginning-of-sequence token first when `add_bos` and the file
  // asks for one (add_bos_token). Any bytes are accepted; invalid UTF-8 is encoded byte
  // by byte where the vocabulary has the bytes.
  virtual std::vector<int32_t> Encode(std::span<const TextPiece> pieces, bool add_bos) const = 0;
  std::vector<int32_t> EncodeText(std::string_view text, bool add_bos) const;      // user text
  std::vector<int32_t> EncodeTemplate(std::string_view text, bool add_bos) const;  // template

  // The bytes token `id` stands for in running text ("" for control tokens). A
  // SentencePiece word's leading space is part of its bytes; StreamDecoder removes the
  // one at the start of an answer where the model's convention says so.
  virtual std::string_view TokenBytes(int32_t id) const = 0;
  // All of `ids` together; control tokens are left out unless `with_special`.
  std::string Decode(std::span<const int32_t> ids, bool with_special = false) const;

  // The vocabulary entry as written in the file, for display ("Ġthe", "<|im_end|>").
  virtual std::string_view TokenPiece(int32_t id) const = 0;
  virtual bool IsControl(int32_t id) const = 0;
  // End of sequence, end of turn, end of message: whatever ends an answer.
  virtual bool IsEndOfGeneration(int32_t id) const = 0;
  virtual int vocabulary_size() const = 0;
  virtual std::optional<int32_t> bos() const = 0;
  virtual std::optional<int32_t> eos() const = 0;
  // A special (control or user-defined) token by its exact piece, if there is one.
  virtual std::optional<int32_t> FindSpecial(std::string_view piece) const = 0;
  // SentencePiece models put a space before the first word; a streamed answer drops it.
  virtual bool adds_space_prefix() const = 0;
  virtual std::string_view kind() const = 0;  // "bpe (qwen2)", "spm": for inspect
  // Two tokenizers with equal fingerprints give the same ids for every text.
  virtual uint64_t fingerprint() const = 0;
};

}  // namespace aio

#endif  // AIO_TOKENIZER_TOKENIZER_H_
