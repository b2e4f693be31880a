// Turns a stream of token ids into text without ever splitting a UTF-8 sequence.
#ifndef AIO_TOKENIZER_STREAM_DECODER_H_
#define AIO_TOKENIZER_STREAM_DECODER_H_

#include <cstdint>
#include <string>

#include "tokenizer/tokenizer.h"

namespace aio {

// One per answer. Not thread-safe. `tokenizer` must outlive it.
class StreamDecoder {
 public:
  // SentencePiece models write the first word of a text with a space before it
  // (Tokenizer::adds_space_prefix()). An answer that is a text of its own (a chat turn)
  // loses that one space; one that continues the prompt's text (a completion) keeps it,
  // for there it separates two words.
  explicit StreamDecoder(const Tokenizer& tokenizer, bool continues_text = false)
      : tokenizer_(&tokenizer), drop_space_(tokenizer.adds_space_prefix() && !continues_text) {}

  // The text that became complete with `id` (may be empty). Ill-formed bytes come out as
  // U+FFFD once it is certain that they cannot become a character.
  std::string Push(int32_t id);
  // What is left at the end of the answer: U+FFFD for a cut-off character, else "".
  std::string Flush();

 private:
  const Tokenizer* tokenizer_;
  bool drop_space_;      // no text came yet, and its first space is not to be shown
  std::string pending_;  // at most three bytes of an unfinished character
};

}  // namespace aio

#endif  // AIO_TOKENIZER_STREAM_DECODER_H_
