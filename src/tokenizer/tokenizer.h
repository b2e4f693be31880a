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
#include "tokenizer/token_kind.h"

namespace aio {

class GgufFile;

// A stretch of prompt text. Template text may contain special tokens ("<|im_end|>") and
// they become their ids, the longest that begins at a place first; in user text the same
// characters are encoded as plain text, always (prompt injection): no merge, no whole-word
// look-up and no unknown character leads to a control token or a marker (below) there.
// Special tokens never form across two pieces. Neighbouring plain text of several pieces is
// encoded as one string, so that a template's "user\n" and the text after it merge as the
// model was trained to see them.
//
// That keeps users from forging what is a token of its own. Marks that are ordinary text to
// the vocabulary ("User: ", "### Instruction:", Llama 2's "[INST]") are the same text, and
// the same ids, whoever writes them; so is a normal token that looks like a marker but is
// neither in the file's template nor a well-known end of an answer.
//
// User-defined tokens (type 4) stand between the two. The models' own tokenizers match them
// in any text, and some vocabularies need that: runs of spaces in MPT and GPT-NeoX, single
// letters in DeepSeek. But many files also list their chat markers as user-defined. So one
// that acts as a marker is matched in template text only: it ends generation, or is written
// <...> or [...], or occurs in the file's chat template (whitespace and single characters
// aside, which every template contains; a normal token written <|...|> or [unusedN] that
// occurs there counts as user-defined). All others are matched in any plain text before
// anything else.
struct TextPiece {
  std::string text;
  bool is_template = false;
};

// Immutable after Load(); thread-safe.
class Tokenizer {
 public:
  // Reads `tokenizer.ggml.*`; the file may be closed afterwards. Errors name the file and
  // the key: kUnimplemented for a tokenizer we do not have (with the supported ones),
  // kInvalidArgument for contradictions (array lengths, ids, duplicates, merges), kNotFound
  // for a missing key.
  // Byte-level BPE and SentencePiece ("gpt2", "llama"); Unicode normalisation (NFC), which
  // a few models' own tokenizers apply first, is not done.
  static Result<std::shared_ptr<const Tokenizer>> Load(const GgufFile& file);
  virtual ~Tokenizer() = default;

  // Puts the model's beginning-of-sequence token first when `add_bos` and the file asks for
  // one (add_bos_token; where the key is missing: SentencePiece, llama-bpe and tekken do,
  // other BPE does not); a template that itself begins with it does not double it. Any bytes
  // are accepted; invalid UTF-8 is encoded byte by byte where the vocabulary has the bytes,
  // becomes the unknown token where it has one, and is dropped otherwise. Takes near-linear
  // time for any text.
  virtual std::vector<int32_t> Encode(std::span<const TextPiece> pieces, bool add_bos) const = 0;
  std::vector<int32_t> EncodeText(std::string_view text, bool add_bos) const;      // user text
  std::vector<int32_t> EncodeTemplate(std::string_view text, bool add_bos) const;  // template

  // The bytes token `id` stands for in running text ("" for control tokens, the unknown
  // token and numbers that are no token). A SentencePiece word's leading space is part of
  // its bytes; StreamDecoder and Decode() remove the one at the start of a text where the
  // model's convention says so (adds_space_prefix()).
  virtual std::string_view TokenBytes(int32_t id) const = 0;
  // The bytes of all of `ids`, which are a text from its start: Decode(EncodeText(x)) == x
  // if the vocabulary has all bytes. Control tokens are left out unless `with_special`.
  std::string Decode(std::span<const int32_t> ids, bool with_special = false) const;

  // The vocabulary entry as written in the file, for display ("Ġthe", "<|im_end|>").
  virtual std::string_view TokenPiece(int32_t id) const = 0;
  virtual bool IsControl(int32_t id) const = 0;
  // Of a token; kUnused for numbers that are none. By default as much as IsControl() tells.
  virtual TokenKind Kind(int32_t id) const;
  // End of sequence, end of turn, end of message: whatever ends an answer. The ids the file
  // names, and special tokens with a well-known name ("<|im_end|>", "<|eot_id|>", ...).
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
